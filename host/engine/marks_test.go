package engine_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// during does something once, in the middle of an operation of a store.
func during(s *memory.Store, op memory.Op, do func()) (end func(t *testing.T)) {
	var mu sync.Mutex // lanes call at once
	done := false
	s.SetHook(func(_ context.Context, c memory.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Op == op && !done {
			done = true
			do()
		}
		return nil
	})
	return func(t *testing.T) {
		s.SetHook(nil)
		require.True(t, done)
	}
}

// A Maildir folder is known by the names in it. What a run changes there and a user
// puts back as it was is seen all the same: the rows moved on.
func TestWhatIsPutBackIsSeen(t *testing.T) {
	first := func(s *memory.Store, folder string) mail.Key { return s.Snapshot()[folder][0].Key }
	start := func(t *testing.T) *world {
		w := newWorld(t, "imap-maildir")
		for range 3 {
			w.far.Add("INBOX", w.message())
		}
		w.far.AddFolder("Archive")
		w.near.AddFolder("Archive")
		return w
	}
	settled := func(w *world) {
		w.sync()
		w.sync()
	}
	settles := func(t *testing.T, w *world) {
		for range 3 {
			_, err := w.run()
			require.NoError(t, err)
		}
		w.same()
	}
	t.Run("a move", func(t *testing.T) {
		w := start(t)
		settled(w)
		far, near := first(w.far, "INBOX"), first(w.near, "INBOX")
		w.far.Move("INBOX", far, "Archive")
		require.Equal(t, 1, w.sync().MovedNear)
		w.near.Move("Archive", near, "INBOX")
		settles(t, w)
		require.Equal(t, 3, count(w.far, "INBOX"))
	})
	t.Run("a move to the trash", func(t *testing.T) {
		w := start(t)
		w.policy.Trash = engine.Trash{Near: "Archive"}
		settled(w)
		near := first(w.near, "INBOX")
		w.far.Remove("INBOX", first(w.far, "INBOX"))
		w.sync()
		w.near.Move("Archive", near, "INBOX")
		settles(t, w)
		require.Equal(t, 3, count(w.far, "INBOX"))
	})
	t.Run("a mark", func(t *testing.T) {
		w := start(t)
		w.policy.Expunge = engine.FarSide
		settled(w)
		near := first(w.near, "INBOX")
		w.far.SetFlags("INBOX", first(w.far, "INBOX"), mail.NewFlags(`\Deleted`))
		w.sync()
		require.True(t, flagsAt(w.near, near).Has(mail.Deleted))
		w.near.SetFlags("INBOX", near, mail.Flags{})
		settles(t, w)
		require.Equal(t, 3, count(w.far, "INBOX"))
	})
	t.Run("a flag that was there already", func(t *testing.T) {
		w := start(t)
		settled(w)
		near := first(w.near, "INBOX")
		w.far.SetFlags("INBOX", first(w.far, "INBOX"), mail.NewFlags(`\Flagged`))
		end := during(w.near, memory.OpChange, func() { w.near.SetFlags("INBOX", near, mail.NewFlags(`\Flagged`)) })
		w.sync()
		end(t)
		w.near.SetFlags("INBOX", near, mail.Flags{})
		settles(t, w)
		require.True(t, w.far.Snapshot()["INBOX"][0].Flags.Empty())
	})
	t.Run("a removal of what was gone", func(t *testing.T) {
		w := start(t)
		settled(w)
		near := first(w.near, "INBOX")
		w.far.Remove("INBOX", first(w.far, "INBOX"))
		end := during(w.near, memory.OpChange, func() { w.near.Move("INBOX", near, "Archive") })
		w.sync()
		end(t)
		w.near.Move("Archive", near, "INBOX")
		settles(t, w)
	})
	t.Run("a flag that came while the message was pushed", func(t *testing.T) {
		w := start(t)
		settled(w)
		near := w.near.Add("INBOX", w.message())
		end := during(w.near, memory.OpBodies, func() { w.near.SetFlags("INBOX", near, mail.NewFlags(`\Flagged`)) })
		w.sync()
		end(t)
		w.near.SetFlags("INBOX", near, mail.Flags{})
		settles(t, w)
	})
}
