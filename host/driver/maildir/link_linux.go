package maildir

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Link gives the file that is open another name. That it may have been renamed
// since does not matter, and it fails when the file is gone.
func (b *fileBody) Link(path string) error {
	open := "/proc/self/fd/" + strconv.FormatUint(uint64(b.file.Fd()), 10)
	if err := unix.Linkat(unix.AT_FDCWD, open, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: b.file.Name(), New: path, Err: err}
	}
	return nil
}
