package maildir

import (
	"io"
	"os"
	"time"

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

// setDate gives the file the time of its message. By its name it would be looked for once
// more in a directory with thousands of others.
func setDate(f *tmpFile, date time.Time) error {
	ts, err := unix.TimeToTimespec(date)
	if err == nil {
		err = unix.UtimesNanoAt(f.fd, "", []unix.Timespec{{Nsec: unix.UTIME_OMIT}, ts}, unix.AT_EMPTY_PATH)
	}
	if err == unix.EINVAL || err == unix.ENOENT || err == unix.ERANGE { // a kernel before 5.8, or of 32 bits
		return os.Chtimes(f.path, time.Time{}, date)
	}
	if err != nil {
		return &os.PathError{Op: "set the time of", Path: f.path, Err: err}
	}
	return nil
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
