package maildir

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/imapfw/imapfw/host/fault"
)

// ioFault says what the operating system's answer means. Errors that are ours
// already, and the context's, pass as they are. A nil err gives nil.
func ioFault(op, folder string, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &fault.Error{Code: fault.IO, Op: op, Folder: folder, Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		e.Code, e.Hint = fault.DiskFull, "free some space, then run again; nothing is lost"
	case errors.Is(err, syscall.EDQUOT):
		e.Code, e.Hint = fault.Quota, "your disk quota is used up"
	case errors.Is(err, syscall.EROFS):
		e.Code = fault.ReadOnly
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Hint = fault.Permission, "check the owner and the mode of the files"
	case errors.Is(err, fs.ErrNotExist):
		e.Code = fault.NotFound
	case errors.Is(err, fs.ErrExist):
		e.Code = fault.Exists
	case errors.Is(err, syscall.ENAMETOOLONG):
		e.Code = fault.BadName
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.Code, e.Temporary, e.Hint = fault.Busy, true, "too many files are open"
	}
	return e
}

// forbidden reports whether permission is missing.
func forbidden(err error) bool { return errors.Is(err, fs.ErrPermission) }

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// notEmpty reports whether a directory was not removed because of what it holds.
func notEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST)
}
