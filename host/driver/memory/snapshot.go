package memory

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// Message is a message with everything that a sync must preserve.
type Message struct {
	Key   mail.Key
	Flags mail.Flags
	Date  time.Time
	Body  []byte
}

// Snapshot is the content of a store, by folder, in the order of keys. Bodies
// are in LF form, so that snapshots of any two stores can be compared.
type Snapshot map[string][]Message

// Snapshot returns the content of the store without asking the hook.
func (s *Store) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := Snapshot{}
	for name, f := range s.folders {
		list := []Message{}
		for _, m := range f.messages {
			list = append(list, Message{Key: m.key, Flags: m.flags, Date: m.date, Body: toLF(m.body)})
		}
		snap[name] = list
	}
	return snap
}

// Read returns the content of any store, through its own methods. It holds all
// of it in memory.
func Read(ctx context.Context, s driver.Store) (Snapshot, error) {
	folders, err := s.Folders(ctx)
	if err != nil {
		return nil, err
	}
	snap := Snapshot{}
	for _, f := range folders {
		if !f.Selectable() {
			continue
		}
		ref := mail.Ref{Name: f.Name}
		var keys mail.KeySet
		_, err := s.Changes(ctx, ref, "", func(metas []mail.Meta) error {
			for _, m := range metas {
				keys.Add(m.Key)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list := []Message{}
		err = s.Bodies(ctx, ref, keys, func(m mail.Meta, b mail.Body) error {
			content, err := io.ReadAll(b)
			list = append(list, Message{Key: m.Key, Flags: m.Flags, Date: m.Date, Body: toLF(content)})
			return err
		})
		if err != nil {
			return nil, err
		}
		snap[f.Name] = list
	}
	return snap, nil
}

// Diff tells in words what differs between two snapshots, keys left out:
// messages are compared as multisets of flags, date and content. It returns the
// empty string when there is nothing to tell.
func (a Snapshot) Diff(b Snapshot) string {
	var out strings.Builder
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		left, inA := a[name]
		right, inB := b[name]
		if inA != inB {
			fmt.Fprintf(&out, "folder %q: here %v, there %v\n", name, inA, inB)
			continue
		}
		counts := map[string]int{}
		for _, m := range left {
			counts[m.line()]++
		}
		for _, m := range right {
			counts[m.line()]--
		}
		for _, line := range slices.Sorted(maps.Keys(counts)) {
			if n := counts[line]; n != 0 {
				fmt.Fprintf(&out, "folder %q: %+d here: %s\n", name, n, line)
			}
		}
	}
	return out.String()
}

func (m Message) line() string {
	return fmt.Sprintf("[%s] %s %q", strings.ToLower(m.Flags.String()), m.Date.UTC().Format(time.RFC3339), m.Body)
}

// Backup is the whole state of a store at one moment.
type Backup struct {
	folders map[string]*folder
	epochs  uint32
	stamp   string
}

// Backup remembers the store as it is now, counters included.
func (s *Store) Backup() *Backup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Backup{copyFolders(s.folders), s.epochs, s.stamp}
}

// Restore makes the store what it was: it goes back in time, as a server does
// that was restored from a backup.
func (s *Store) Restore(b *Backup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders, s.epochs, s.stamp = copyFolders(b.folders), b.epochs, b.stamp
}

func copyFolders(in map[string]*folder) map[string]*folder {
	out := map[string]*folder{}
	for name, f := range in {
		c := *f
		c.messages, c.gone, c.attrs = slices.Clone(f.messages), slices.Clone(f.gone), slices.Clone(f.attrs)
		out[name] = &c
	}
	return out
}
