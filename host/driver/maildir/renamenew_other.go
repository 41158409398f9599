//go:build !linux

package maildir

// renameNew renames a file unless the new name is taken: then the error is
// fs.ErrExist.
func renameNew(from, to string) error { return renameByLink(from, to) }
