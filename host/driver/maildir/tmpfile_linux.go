package maildir

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// tmpFile is a file that is written once. An os.File asks the system seven times
// for each whether it can be waited for; where many small ones are made, that is a
// third of what they cost.
type tmpFile struct {
	fd   int // -1 when it is closed
	path string
}

// openTmp makes a file that is not there yet.
func openTmp(path string) (*tmpFile, error) {
	for {
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		switch err {
		case nil:
			return &tmpFile{fd, path}, nil
		case unix.EINTR:
		default:
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

func (f *tmpFile) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := unix.Write(f.fd, p[n:])
		n += max(m, 0)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, &os.PathError{Op: "write", Path: f.path, Err: err}
		case m == 0:
			return n, &os.PathError{Op: "write", Path: f.path, Err: io.ErrShortWrite}
		}
	}
	return n, nil
}

// Close closes the file; more than once does no harm.
func (f *tmpFile) Close() error {
	if f.fd < 0 {
		return nil
	}
	err := unix.Close(f.fd)
	f.fd = -1
	if err != nil && err != unix.EINTR { // interrupted, it is closed all the same
		return &os.PathError{Op: "close", Path: f.path, Err: err}
	}
	return nil
}
