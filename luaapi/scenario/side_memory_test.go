package scenario_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// memorySide is a store in memory.
type memorySide struct {
	name  string // by which the script finds it
	like  string
	store *memory.Store
	saved *memory.Backup

	refused map[string]string // why, by content
}

func newMemorySide(name string, maildir bool) *memorySide {
	s := &memorySide{name: name, like: "imap", refused: map[string]string{}}
	if maildir {
		s.like = "maildir"
	}
	s.store = s.empty()
	return s
}

// empty is what a user has before the first run: a server has an inbox.
func (s *memorySide) empty() *memory.Store {
	store := memory.New(memory.Options{Maildir: s.like == "maildir"})
	if s.like == "maildir" {
		store.DropFolder(mail.Inbox)
	}
	return store
}

func (s *memorySide) lua(options string) string {
	return fmt.Sprintf("api.memory { name = %q, like = %q, %s }", s.name, s.like, options)
}

func (s *memorySide) list() (content, error) {
	out := content{}
	for folder, list := range s.store.Snapshot() {
		out[folder] = nil
		for _, m := range list {
			out[folder] = append(out[folder], found{key: string(m.Key), flags: m.Flags, date: m.Date, body: m.Body})
		}
	}
	return out, nil
}

func (s *memorySide) add(folder string, m *message, flags mail.Flags) error {
	s.store.Add(folder, memory.Message{Flags: flags, Date: m.date, Body: m.body})
	return nil
}

func (s *memorySide) flag(folder string, f found, add, remove mail.Flags) error {
	s.store.SetFlags(folder, mail.Key(f.key), f.flags.Minus(remove).Union(add))
	return nil
}

func (s *memorySide) remove(folder string, list []found) error {
	for _, f := range list {
		s.store.Remove(folder, mail.Key(f.key))
	}
	return nil
}

func (s *memorySide) move(folder string, f found, to string) error {
	s.store.Move(folder, mail.Key(f.key), to)
	return nil
}

func (s *memorySide) makeFolder(name string) error { s.store.AddFolder(name); return nil }
func (s *memorySide) dropFolder(name string) error { s.store.DropFolder(name); return nil }

func (s *memorySide) renameFolder(name, to string) error {
	s.store.MoveFolder(name, to)
	return nil
}

func (s *memorySide) renumber(folder string) error { s.store.Renumber(folder); return nil }
func (s *memorySide) backup() error                { s.saved = s.store.Backup(); return nil }
func (s *memorySide) restore() error               { s.store.Restore(s.saved); return nil }

func (s *memorySide) vanish() error {
	s.saved = s.store.Backup()
	s.store.Restore(s.empty().Backup())
	return nil
}

func (s *memorySide) appear() error { return s.restore() }

func (s *memorySide) subscribe(name string, on bool) error {
	if !on {
		return fmt.Errorf("a store in memory cannot unsubscribe")
	}
	return s.opened(func(ctx context.Context) error { return s.store.Subscribe(ctx, name) })
}

func (s *memorySide) subscribed() (names []string, err error) {
	err = s.opened(func(ctx context.Context) error {
		folders, err := s.store.Folders(ctx)
		for _, f := range folders {
			if f.Subscribed {
				names = append(names, f.Name)
			}
		}
		slices.Sort(names)
		return err
	})
	return names, err
}

func (s *memorySide) opened(fn func(context.Context) error) error {
	ctx := context.Background()
	if err := s.store.Open(ctx); err != nil {
		return err
	}
	defer s.store.Close()
	return fn(ctx)
}

// refuse makes the store refuse a message for good, as a server does that does
// not like what is in it.
func (s *memorySide) refuse(m *message, why string) {
	s.refused[string(m.body)] = why
	s.store.Refuse(func(content []byte) error {
		if why := s.refused[string(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))]; why != "" {
			return fault.New(fault.Refused, "deliver", "%s", why).AsFinal()
		}
		return nil
	})
}

func (s *memorySide) accept() { clear(s.refused) }

func (s *memorySide) limit(octets int) { s.store.SetLimit(int64(octets)) }
