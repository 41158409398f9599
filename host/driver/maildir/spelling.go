package maildir

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// sameSpelling refuses a folder whose directory, or one above it, was found under
// another spelling. Some file systems do not tell "Work" from "work", or write
// "é" in another way than they were told to: two folders of the other side would
// become one, or a folder be taken for one that is missing. Each directory is
// looked at once.
func (s *Store) sameSpelling(ctx context.Context, op, folder, dir string) error {
	base := s.layout.root
	if dir == s.layout.inbox || !strings.HasPrefix(dir, base+"/") {
		base = s.layout.inbox
	}
	for ; len(dir) > len(base); dir = filepath.Dir(dir) {
		s.mu.Lock()
		known := s.spelled[dir]
		s.mu.Unlock()
		if known {
			continue
		}
		names, err := s.names(ctx, filepath.Dir(dir))
		if err != nil {
			return ioFault(op, folder, err)
		}
		if !slices.Contains(names, filepath.Base(dir)) {
			return fault.New(fault.BadName, op, "the file system does not tell %q from %q", filepath.Base(dir), taken(dir, names)).
				InFolder(folder).WithHint("give it another name on this side with the option rename")
		}
		s.mu.Lock()
		s.spelled[dir] = true
		s.mu.Unlock()
	}
	return nil
}

// unspell forgets what is known of directories that change.
func (s *Store) unspell(is func(dir string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for dir := range s.spelled {
		if is(dir) {
			delete(s.spelled, dir)
		}
	}
}

// taken returns the name that a directory really has.
func taken(dir string, names []string) string {
	here, err := os.Lstat(dir)
	if err != nil {
		return ""
	}
	for _, name := range names {
		if there, err := os.Lstat(filepath.Join(filepath.Dir(dir), name)); err == nil && os.SameFile(here, there) {
			return name
		}
	}
	return ""
}
