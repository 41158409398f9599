package maildir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
)

// stampFile holds the mark of the account whose mail this is.
const stampFile = ".imapfw"

// Stamp returns the mark of ours, empty when there is none.
func (s *Store) Stamp(ctx context.Context) (string, error) {
	_, done, err := s.begin(ctx, "read stamp", "")
	if err != nil {
		return "", err
	}
	defer done()
	text, err := os.ReadFile(filepath.Join(s.opts.Path, stampFile))
	if missing(err) {
		return "", nil
	}
	return firstLine(string(text)), ioFault("read stamp", "", err)
}

// SetStamp replaces the mark durably, see driver.MergeStamp.
func (s *Store) SetStamp(ctx context.Context, stamp string) error {
	_, done, err := s.begin(ctx, "write stamp", "")
	if err != nil {
		return err
	}
	defer done()
	if stamp == "" || strings.ContainsAny(stamp, "\r\n#") || strings.TrimSpace(stamp) != stamp {
		return fault.New(fault.Internal, "write stamp", "%q cannot be kept as one line", stamp)
	}
	if err := s.toWrite(ctx, "write stamp", ""); err != nil {
		return err
	}
	s.stamping.Lock()
	defer s.stamping.Unlock()
	path := filepath.Join(s.opts.Path, stampFile)
	old, err := os.ReadFile(path)
	if err != nil && !missing(err) {
		return ioFault("write stamp", "", err)
	}
	stamp = driver.MergeStamp(firstLine(string(old)), stamp)
	text := []byte("# imapfw knows by the next line whose mail this is; leave it where it is\n" + stamp + "\n")
	if s.overwrite(path, old, text) {
		return nil
	}
	// In this folder: else a test finds out first whether /tmp is on the same disk.
	err = renameio.WriteFile(path, text, 0o600, renameio.WithTempDir(s.opts.Path))
	if err == nil {
		err = s.disk.Dirs(s.opts.Path)
	}
	return ioFault("write stamp", "", err)
}

// overwrite writes over a file of the same length, which waits for the disk once and
// not, as for a new file, twice. A mark that is cut in half by a power failure is
// nobody's, and a side without its mark is looked through. Nor does it touch a file that
// others read or write: with marks of other accounts, or with a second name, which may
// be a backup. It reports whether it is done; where it is not, the file is to be replaced.
func (s *Store) overwrite(path string, old, text []byte) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || links(info) != 1 || info.Size() != int64(len(text)) ||
		len(strings.Fields(firstLine(string(old)))) != 1 || len(strings.Fields(firstLine(string(text)))) != 1 {
		return false
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	_, err = f.WriteAt(text, 0)
	if err == nil {
		err = s.disk.Data(f)
	}
	return errors.Join(err, f.Close()) == nil
}
