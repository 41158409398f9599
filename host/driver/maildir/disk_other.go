//go:build !linux

package maildir

import "os"

func canSyncFS() bool { return false }

func syncFS(*os.File) error { return os.ErrInvalid }

// renameNew renames a file unless the new name is taken: then the error is
// fs.ErrExist.
func renameNew(from, to string) error { return renameByLink(from, to) }
