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

func syncFS(f *os.File) error { return unix.Syncfs(int(f.Fd())) }
