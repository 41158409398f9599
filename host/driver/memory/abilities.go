package memory

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// CreateFolder creates a folder and its parents.
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
	levels := strings.Split(name, "/")
	for i := range levels {
		if part := strings.Join(levels[:i+1], "/"); s.folders[part] == nil {
			s.newFolder(part)
		}
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
