package maildir

import (
	"context"
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
	old, err := s.Stamp(ctx)
	if err != nil {
		return err
	}
	stamp = driver.MergeStamp(old, stamp)
	text := "# imapfw knows by the next line whose mail this is; leave it where it is\n" + stamp + "\n"
	// In this folder: else a test finds out first whether /tmp is on the same disk.
	err = renameio.WriteFile(filepath.Join(s.opts.Path, stampFile), []byte(text), 0o600, renameio.WithTempDir(s.opts.Path))
	if err == nil {
		err = s.disk.Dirs(s.opts.Path)
	}
	return ioFault("write stamp", "", err)
}
