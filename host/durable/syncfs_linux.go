package durable

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

// answersForAll reports whether a file system does all that syncfs(2) promises. Where
// another program is behind it (FUSE), that program is not asked, and an overlay does
// not pass on what went wrong below it.
func answersForAll(dir *os.File) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(int(dir.Fd()), &st) != nil {
		return false
	}
	return st.Type != unix.FUSE_SUPER_MAGIC && st.Type != unix.OVERLAYFS_SUPER_MAGIC && st.Type != unix.V9FS_MAGIC
}

func syncFS(f *os.File) error { return unix.Syncfs(int(f.Fd())) }

func syncData(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
