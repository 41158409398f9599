package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// renameByLink renames where the system has no rename that refuses to
// overwrite. For a moment both names are there; they are one file, which the
// scanner takes for one message.
func renameByLink(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist), missing(err), errors.Is(err, syscall.EXDEV):
		return err
	}
	// No hard links here (FAT, some network shares). Names are unique, so what
	// could come in between is only another program doing the same rename.
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// renameInto is renameNew, and makes a missing directory: some folders have no
// new/. Its error is fs.ErrNotExist only when from is missing.
func renameInto(from, to string) error {
	err := renameNew(from, to)
	if !missing(err) {
		return err
	}
	if _, serr := os.Lstat(from); serr != nil {
		return err
	}
	if merr := os.Mkdir(filepath.Dir(to), 0o700); merr != nil && !errors.Is(merr, fs.ErrExist) {
		// Not wrapped: what is missing is not the message.
		return fmt.Errorf("rename %s: %v", from, merr)
	}
	return renameNew(from, to)
}
