package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Users, and runs that are cut short, do things and have second thoughts: a store
// often comes back to where it was. Whatever happened, when runs find nothing more to
// do, a reading of everything finds nothing either: no cursor hides a change. Marks of
// deletion are left out: one on a message that is paired anew stays where it is until
// something else happens, see docs/STATUS.md.
func TestNothingIsHidden(t *testing.T) {
	seeds := uint64(600)
	if testing.Short() {
		seeds = 150
	}
	for seed := range seeds {
		f := &fickle{Rand: rand.New(rand.NewPCG(seed, 1)), folders: []string{"INBOX", "Archive", "Trash"}}
		f.world = newWorld(t, []string{"imap-maildir", "maildir-maildir"}[f.IntN(2)])
		if f.maybe(3) {
			f.policy.Trash = engine.Trash{Near: "Trash", Far: "Trash"}
		}
		f.live()
		before := fmt.Sprint(f.far.Snapshot(), f.near.Snapshot())
		f.forgetCursors(t)
		f.runs(3)
		require.Equal(t, before, fmt.Sprint(f.far.Snapshot(), f.near.Snapshot()), "seed %d", seed)
	}
}

// fickle is a world with users who change their minds.
type fickle struct {
	*world
	*rand.Rand
	folders []string
}

func (f *fickle) maybe(oneIn int) bool { return f.IntN(oneIn) == 0 }

func (f *fickle) runs(n int) {
	for range n {
		_, _ = f.run()
	}
}

// live is what happens to an account.
func (f *fickle) live() {
	for _, name := range f.folders {
		f.far.AddFolder(name)
		f.near.AddFolder(name)
		for range 3 {
			f.far.Add(name, f.message())
		}
	}
	f.runs(2)
	for range 4 {
		var undo []func()
		for range 1 + f.IntN(3) {
			undo = append(undo, f.act([]*memory.Store{f.far, f.far, f.near}[f.IntN(3)]))
		}
		before := f.near.Snapshot()
		switch f.IntN(4) {
		case 0:
			f.runWithGuest()
		case 1:
			mend, _ := f.killAt(f.IntN(80))
			f.runs(1)
			mend()
		default:
			f.runs(1)
		}
		switch f.IntN(3) {
		case 0:
			f.putBack(before)
		case 1:
			undo[0]()
		}
		f.runs(f.IntN(2))
	}
	f.runs(5)
}

// act does something to a message, and returns what takes it back.
func (f *fickle) act(s *memory.Store) (undo func()) {
	folder := f.folders[f.IntN(len(f.folders))]
	list := s.Snapshot()[folder]
	if len(list) == 0 || f.maybe(8) {
		key := s.Add(folder, f.message())
		return func() { s.Remove(folder, key) }
	}
	m := list[f.IntN(len(list))]
	switch to := f.folders[f.IntN(len(f.folders))]; f.IntN(8) {
	case 0, 1, 2:
		if to == folder {
			return func() {}
		}
		key := s.Move(folder, m.Key, to)
		return func() { s.Move(to, key, folder) }
	case 3:
		s.Remove(folder, m.Key)
		if s != f.near {
			return func() {}
		}
		return func() { s.Add(folder, m) }
	}
	flag := mail.NewFlags([]string{`\Seen`, `\Flagged`, "work"}[f.IntN(3)])
	flags := m.Flags.Union(flag)
	if !m.Flags.Intersect(flag).Empty() {
		flags = m.Flags.Minus(flag)
	}
	s.SetFlags(folder, m.Key, flags)
	return func() { s.SetFlags(folder, m.Key, m.Flags) }
}

// runWithGuest has a user at work near while a run is under way.
func (f *fickle) runWithGuest() {
	var mu sync.Mutex // lanes call at once
	n, at := 0, f.IntN(60)
	undo := func() {}
	f.near.SetHook(func(context.Context, memory.Call) error {
		mu.Lock()
		defer mu.Unlock()
		switch n++; n {
		case at:
			undo = f.act(f.near)
		case at + 6:
			if f.maybe(2) {
				undo()
			}
		}
		return nil
	})
	f.runs(1)
	f.near.SetHook(nil)
}

// putBack gives near messages the places and flags they had, as far as they still
// have their keys.
func (f *fickle) putBack(before memory.Snapshot) {
	type place struct {
		folder string
		flags  mail.Flags
	}
	was := map[mail.Key]place{}
	for folder, list := range before {
		for _, m := range list {
			was[m.Key] = place{folder, m.Flags}
		}
	}
	now := f.near.Snapshot()
	for _, folder := range f.folders {
		for _, m := range now[folder] {
			p, known := was[m.Key]
			if !known || f.maybe(2) {
				continue
			}
			if p.folder != folder {
				f.near.Move(folder, m.Key, p.folder)
			}
			f.near.SetFlags(p.folder, m.Key, p.flags)
		}
	}
}

// forgetCursors has the next run read everything.
func (f *fickle) forgetCursors(t *testing.T) {
	list, err := f.state.Folders(t.Context())
	require.NoError(t, err)
	for _, record := range list {
		record.FarCursor, record.NearCursor = "", ""
		require.NoError(t, f.state.Commit(t.Context(), record.Far, &state.Change{Folder: &record}))
	}
}
