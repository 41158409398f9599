package maildir

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

func TestIOFault(t *testing.T) {
	require.NoError(t, ioFault("x", "F", nil))
	for errno, code := range map[error]fault.Code{
		syscall.ENOSPC: fault.DiskFull, syscall.EDQUOT: fault.Quota, syscall.EROFS: fault.ReadOnly,
		syscall.EACCES: fault.Permission, syscall.EPERM: fault.Permission, syscall.ENOENT: fault.NotFound,
		syscall.EEXIST: fault.Exists, syscall.ENAMETOOLONG: fault.BadName, syscall.EMFILE: fault.Busy,
		syscall.EIO: fault.IO, errors.New("odd"): fault.IO,
	} {
		err := ioFault("deliver", "F", &os.PathError{Op: "write", Path: "/m/tmp/x", Err: errno})
		require.ErrorIs(t, err, code)
		require.ErrorIs(t, err, errno)
		require.ErrorContains(t, err, `deliver "F"`)
	}
	ours := fault.New(fault.Network, "fetch", "dropped")
	require.Equal(t, error(ours), ioFault("deliver", "F", ours), "what is known is not renamed")
	require.Equal(t, context.Canceled, ioFault("deliver", "F", context.Canceled))
}
