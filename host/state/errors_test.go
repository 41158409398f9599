package state

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

func TestWhatWentWrong(t *testing.T) {
	wrap := func(code sqlite.ResultCode) error { return fmt.Errorf("step: %w", code.ToError()) }
	path := func(errno syscall.Errno) error { return &fs.PathError{Op: "open", Path: "/state", Err: errno} }
	tests := []struct {
		err       error
		code      fault.Code
		temporary bool
	}{
		{wrap(sqlite.ResultFull), fault.DiskFull, false},
		{wrap(sqlite.ResultCorrupt), fault.IO, false},
		{wrap(sqlite.ResultNotADB), fault.IO, false},
		{wrap(sqlite.ResultBusy), fault.Busy, true},
		{wrap(sqlite.ResultBusySnapshot), fault.Busy, true},
		{wrap(sqlite.ResultReadOnly), fault.Permission, false},
		{wrap(sqlite.ResultCantOpen), fault.Permission, false},
		{wrap(sqlite.ResultIOErrFsync), fault.IO, false},
		{wrap(sqlite.ResultIOErrSHMSize), fault.DiskFull, false},
		{wrap(sqlite.ResultMisuse), fault.Internal, false},
		{path(syscall.EACCES), fault.Permission, false},
		{path(syscall.EROFS), fault.Permission, false},
		{path(syscall.ENOSPC), fault.DiskFull, false},
		{path(syscall.EDQUOT), fault.DiskFull, false},
		{path(syscall.ENOTDIR), fault.Config, false},
		{path(syscall.EIO), fault.IO, false},
	}
	db := New(Options{Dir: "/state", Identity: Identity{Account: "home"}})
	for _, test := range tests {
		t.Run(test.err.Error(), func(t *testing.T) {
			err := db.fault(opCommit, test.err)
			require.Equal(t, test.code, fault.CodeOf(err))
			require.Equal(t, test.temporary, fault.IsTemporary(err))
			require.ErrorIs(t, err, test.err)
			require.Contains(t, err.Error(), "/state/state.db")
			switch test.code {
			case fault.DiskFull, fault.Busy, fault.Permission, fault.Config:
				require.NotEmpty(t, err.(*fault.Error).Hint, "the user can do something about it")
			}
		})
	}
	require.NoError(t, db.fault(opCommit, nil))
	known := fault.New(fault.Exists, opCommit, "already")
	require.Same(t, error(known), db.fault(opCommit, known))
	require.Equal(t, "home", known.Account)
}
