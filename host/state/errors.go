package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

// busy is the fault of a second instance. pid is the first one, 0 where it is
// not known.
func busy(what string, pid int) error {
	who := "another imapfw"
	if pid > 0 {
		who = fmt.Sprintf("another imapfw (process %d)", pid)
	}
	return fault.New(fault.Busy, opOpen, "%s is using %s", who, what).
		WithHint("wait for it to end, or stop it, and run again").AsTemporary()
}

// fault turns what the database or the file system said into what the user can
// use. A fault stays what it is.
func (d *DB) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		if known.Account == "" {
			known.Account = d.opts.Identity.Account
		}
		return err
	}
	e := &fault.Error{Code: fault.IO, Op: op, Account: d.opts.Identity.Account, Message: d.opts.path(), Err: err}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		e.Code = fault.Stopped
		return e
	}
	e.Code, e.Temporary, e.Hint = classify(err, d.opts)
	return e
}

func classify(err error, opts Options) (code fault.Code, temporary bool, hint string) {
	if sqlite.ErrCode(err) == sqlite.ResultIOErrSHMSize {
		return fault.DiskFull, false, freeSpace // the index of the log found no room
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull:
		return fault.DiskFull, false, freeSpace
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return fault.IO, false, repairHint
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fault.Busy, true, "another program holds the database; close it and run again"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultAuth, sqlite.ResultCantOpen:
		return fault.Permission, false, "look at the owner and the permissions of " + opts.Dir + " and of what is in it"
	case sqlite.ResultIOErr, sqlite.ResultNoMem, sqlite.ResultProtocol, sqlite.ResultTooBig:
		return fault.IO, false, ""
	case sqlite.ResultError:
		return classifyOS(err)
	}
	return fault.Internal, false, ""
}

// repairHint is what to do about a damaged database. Nothing is repaired or
// removed without being asked: even a damaged state may still tell something.
const repairHint = "no mail is lost; move the database away, and the next run pairs what is on both sides " +
	"again without removing anything"

const freeSpace = "its disk is full: free some space there and run again; nothing was lost"

// classifyOS tells errors of the file system apart.
func classifyOS(err error) (code fault.Code, temporary bool, hint string) {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.Permission, false, "look at the owner and the permissions of the folder and of those above it"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.DiskFull, false, freeSpace
	case errors.Is(err, syscall.ENOTDIR):
		return fault.Config, false, "the state has to be a folder"
	}
	return fault.IO, false, ""
}

// stopped says that ctx ended. errors.Is finds both what the context says and
// why it was ended.
func stopped(ctx context.Context, op string) error {
	cause := context.Cause(ctx)
	if errors.As(cause, new(*fault.Error)) {
		return cause
	}
	if !errors.Is(cause, ctx.Err()) {
		cause = fmt.Errorf("%w (%w)", cause, ctx.Err())
	}
	return &fault.Error{Code: fault.Stopped, Op: op, Err: cause}
}

func notOpen(op string) error { return fault.New(fault.Stopped, op, "the state is not open") }

// inFolder notes the folder in a fault that does not say it.
func inFolder(err error, folder string) error {
	var e *fault.Error
	if errors.As(err, &e) && e.Folder == "" {
		return fault.WithFolder(err, folder)
	}
	return err
}

func noSuchRow(folder string, r Row) error {
	e := fault.New(fault.NotFound, opCommit, "there is no row %d to replace", r.ID).InFolder(folder)
	e.Key = string(r.Far)
	return e
}

// pairedTwice is the fault of a row with a key that another row has.
func pairedTwice(folder string, r Row, err error) error {
	e := fault.New(fault.Exists, opCommit, "its far or near (%s) message is in another row already", r.Near).InFolder(folder)
	e.Key, e.Err = string(r.Far), err
	return e
}

func folderExists(folder, to string) error {
	return fault.New(fault.Exists, opCommit, "the state has a folder %q already", to).InFolder(folder)
}
