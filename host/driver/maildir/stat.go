package maildir

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fileID tells files apart, whatever their names are.
type fileID struct{ dev, ino uint64 }

func idOf(info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, true
}

// links returns how many names a file has, 0 where that is not known.
func links(info fs.FileInfo) uint64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Nlink) // its type differs between systems
}

// dirTime is when a directory last changed. The change time catches what the
// modification time does not: a directory that a backup put back together with
// its old modification time.
type dirTime struct{ mtime, ctime int64 } // nanoseconds

// statDir returns when a directory changed; the zero value when it is missing.
func statDir(path string) (dirTime, error) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		if err == unix.EINTR {
			continue
		}
		if err == unix.ENOENT {
			return dirTime{}, nil
		}
		if err != nil {
			return dirTime{}, &os.PathError{Op: "stat", Path: path, Err: err}
		}
		return dirTime{unix.TimespecToNsec(st.Mtim), unix.TimespecToNsec(st.Ctim)}, nil
	}
}

// isThere reports whether a name is taken, by whatever.
func isThere(path string) (bool, error) {
	var st unix.Stat_t
	for {
		switch err := unix.Lstat(path, &st); err {
		case unix.EINTR:
		case nil:
			return true, nil
		case unix.ENOENT, unix.ENAMETOOLONG:
			return false, nil
		default:
			return false, &os.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
}

// Grains of file system clocks. Most count in nanoseconds but tick with the
// kernel, 100 times a second or more; some count in whole seconds, FAT in two.
const (
	fineGrain   = 20 * time.Millisecond
	coarseGrain = 2500 * time.Millisecond
)

// grain returns how long after t another change may get the same time.
func (t dirTime) grain() time.Duration {
	const tick = int64(10 * time.Millisecond)
	if t.mtime%tick != 0 && t.ctime%tick != 0 {
		return fineGrain
	}
	return coarseGrain
}

// settled reports whether a change at the time now or later is sure to give the
// directory another time. A directory from the future never is.
func (t dirTime) settled(now int64) bool {
	return max(t.mtime, t.ctime)+int64(t.grain()) < now
}
