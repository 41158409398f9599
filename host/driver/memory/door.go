package memory

import (
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// What follows is the side door: what other programs do to the store, without
// asking the Store's hook and whether it is open or not.

// Add puts a message into a folder, which it creates at need, and returns its
// key. The body may be in either form. A key in m is used when it is a Maildir.
func (s *Store) Add(folder string, m Message) mail.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.folders[folder]
	if f == nil {
		f = s.newFolder(folder)
	}
	one := &message{flags: m.Flags, date: m.Date.Truncate(time.Second), body: toCRLF(m.Body)}
	if m.Date.IsZero() {
		one.date = s.opts.Now().Truncate(time.Second)
	}
	if s.opts.Maildir {
		one.body = toLF(m.Body)
		if one.key = m.Key; one.key == "" {
			one.key = s.chooseKey()
		}
	}
	f.put(one)
	return one.key
}

// SetFlags replaces the flags of a message, if it is there.
func (s *Store) SetFlags(folder string, key mail.Key, flags mail.Flags) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.folders[folder]; f != nil {
		if m := f.get(key); m != nil {
			f.setFlags(m, flags)
		}
	}
}

// Remove takes messages away, if they are there.
func (s *Store) Remove(folder string, keys ...mail.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.folders[folder]; f != nil {
		for _, key := range keys {
			f.remove(key)
		}
	}
}

// Move moves a message to another folder, which it creates at need, and returns
// its key there; empty when it is not there.
func (s *Store) Move(folder string, key mail.Key, to string) mail.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.folders[folder]
	if f == nil || f.get(key) == nil {
		return ""
	}
	if s.folders[to] == nil {
		s.newFolder(to)
	}
	var o mail.Outcome
	s.move(f, f.get(key), to, &o)
	if o.NewKey == "" && len(s.folders[to].messages) > 0 {
		o.NewKey = s.folders[to].messages[len(s.folders[to].messages)-1].key
	}
	return o.NewKey
}

// MoveFolder renames a folder and those below it, which keep their epochs.
func (s *Store) MoveFolder(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rename(from, to)
}

// DropFolder removes a folder and all that is in it.
func (s *Store) DropFolder(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.folders, name)
}

// Renumber gives a folder a new epoch and its messages new keys in the same
// order, as a server does that lost its index.
func (s *Store) Renumber(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.folders[name]
	if old == nil {
		return
	}
	f := s.newFolder(name)
	f.id = old.id
	f.attrs, f.subscribed, f.readOnly = slices.Clone(old.attrs), old.subscribed, old.readOnly
	for _, m := range old.messages {
		again := *m
		if !s.opts.Maildir {
			again.key = ""
		}
		f.put(&again)
	}
}

// SetAttrs replaces a folder's attributes, special uses among them.
func (s *Store) SetAttrs(name string, attrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.folders[name]; f != nil {
		f.attrs = attrs
	}
}

// SetReadOnly makes a folder refuse deliveries and changes, or take them again.
func (s *Store) SetReadOnly(name string, readOnly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.folders[name]; f != nil {
		f.readOnly = readOnly
	}
}

// AddFolder makes an empty folder, unless it is there.
func (s *Store) AddFolder(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders[name] == nil {
		s.newFolder(name)
	}
}
