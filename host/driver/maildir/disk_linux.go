package maildir

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// canSyncFS reports whether syncfs(2) tells of writes that failed: since Linux
// 5.8 it does.
func canSyncFS() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 5 || major == 5 && minor >= 8
}

func syncFS(f *os.File) error { return unix.Syncfs(int(f.Fd())) }

// renameNew renames a file unless the new name is taken: then the error is
// fs.ErrExist.
func renameNew(from, to string) error {
	for {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP:
			return renameByLink(from, to)
		default:
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
}
