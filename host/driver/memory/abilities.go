package memory

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// CreateFolder creates a folder and, but for a Maildir, its parents.
func (s *Store) CreateFolder(ctx context.Context, name string) error {
	ctx, done, err := s.begin(ctx, OpCreateFolder, name)
	if err != nil {
		return err
	}
	defer done()
	if err := checkName(name); err != nil {
		return err
	}
	s.mu.Lock()
	s.makeParents(name)
	if s.folders[name] == nil {
		s.newFolder(name)
	}
	s.mu.Unlock()
	return s.finish(ctx, OpCreateFolder, name)
}

func checkName(name string) error {
	bad := !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\r\n")
	for level := range strings.SplitSeq(name, "/") {
		bad = bad || level == ""
	}
	if first, _, _ := strings.Cut(name, "/"); strings.EqualFold(first, mail.Inbox) && first != mail.Inbox {
		bad = true
	}
	if bad {
		return fault.New(fault.BadName, string(OpCreateFolder), "the store cannot hold this name").InFolder(name)
	}
	return nil
}

// Subscribe adds a folder to the subscriptions.
func (s *Store) Subscribe(ctx context.Context, name string) error {
	ctx, done, err := s.begin(ctx, OpSubscribe, name)
	if err != nil {
		return err
	}
	defer done()
	s.mu.Lock()
	f, err := s.find(OpSubscribe, mail.Ref{Name: name})
	if err == nil {
		f.subscribed = true
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.finish(ctx, OpSubscribe, name)
}

// RemoveFolder removes an empty folder.
func (s *Store) RemoveFolder(ctx context.Context, name string) error {
	ctx, done, err := s.begin(ctx, OpRemoveFolder, name)
	if err != nil {
		return err
	}
	defer done()
	s.mu.Lock()
	f, err := s.find(OpRemoveFolder, mail.Ref{Name: name})
	switch {
	case err != nil:
	case name == mail.Inbox:
		err = fault.New(fault.Refused, string(OpRemoveFolder), "the inbox stays").InFolder(name)
	case len(f.messages) > 0:
		err = fault.New(fault.Refused, string(OpRemoveFolder), "it holds %d messages", len(f.messages)).InFolder(name)
	default:
		delete(s.folders, name)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.finish(ctx, OpRemoveFolder, name)
}

// RenameFolder renames a folder and those below it, which keep their epochs and
// their subscriptions.
func (s *Store) RenameFolder(ctx context.Context, from, to string) error {
	ctx, done, err := s.begin(ctx, OpRenameFolder, from)
	if err != nil {
		return err
	}
	defer done()
	if err := checkName(to); err != nil {
		return err
	}
	s.mu.Lock()
	_, err = s.find(OpRenameFolder, mail.Ref{Name: from})
	switch {
	case from == mail.Inbox || to == mail.Inbox:
		err = fault.New(fault.Refused, string(OpRenameFolder), "the inbox stays what it is").InFolder(from)
	case err != nil:
	case strings.HasPrefix(to, from+"/"):
		err = fault.New(fault.BadName, string(OpRenameFolder), "%q lies below it", to).InFolder(from)
	case s.taken(from, to) != "":
		err = fault.New(fault.Exists, string(OpRenameFolder), "there is a folder %q already", s.taken(from, to)).InFolder(from)
	default:
		s.rename(from, to)
		s.makeParents(to)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.finish(ctx, OpRenameFolder, from)
}

// taken returns a name that a folder would get by being renamed, or one below
// it, and that is another one's. s.mu is held.
func (s *Store) taken(from, to string) string {
	for name := range s.folders {
		rest, ok := strings.CutPrefix(name, from)
		if ok && (rest == "" || rest[0] == '/') && s.folders[to+rest] != nil {
			return to + rest
		}
	}
	return ""
}

// rename gives a folder and those below it other names. s.mu is held.
func (s *Store) rename(from, to string) {
	moved := map[string]*folder{}
	for name, f := range s.folders {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			delete(s.folders, name)
			f.name = to + rest
			moved[f.name] = f
		}
	}
	maps.Copy(s.folders, moved)
}

// makeParents creates the folders above one that are missing; in a Maildir they
// are directories only. s.mu is held.
func (s *Store) makeParents(name string) {
	if s.opts.Maildir {
		return
	}
	for i := range name {
		if name[i] == '/' && s.folders[name[:i]] == nil {
			s.newFolder(name[:i])
		}
	}
}

// Stamp returns the mark of ours.
func (s *Store) Stamp(ctx context.Context) (string, error) {
	ctx, done, err := s.begin(ctx, OpStamp, "")
	if err != nil {
		return "", err
	}
	defer done()
	s.mu.Lock()
	stamp := s.stamp
	s.mu.Unlock()
	return stamp, s.finish(ctx, OpStamp, "")
}

// SetStamp replaces the mark, see driver.MergeStamp.
func (s *Store) SetStamp(ctx context.Context, stamp string) error {
	ctx, done, err := s.begin(ctx, OpSetStamp, "")
	if err != nil {
		return err
	}
	defer done()
	s.mu.Lock()
	s.stamp = driver.MergeStamp(s.stamp, stamp)
	s.mu.Unlock()
	return s.finish(ctx, OpSetStamp, "")
}
