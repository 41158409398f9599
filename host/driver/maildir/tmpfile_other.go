//go:build !linux

package maildir

import (
	"os"
	"time"
)

// tmpFile is a file that is written once.
type tmpFile = os.File

// openTmp makes a file that is not there yet.
func openTmp(path string) (*tmpFile, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// setDate gives the file the time of its message.
func setDate(f *tmpFile, date time.Time) error { return os.Chtimes(f.Name(), time.Time{}, date) }
