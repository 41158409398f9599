package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// withOld is a world in step that has a folder Old with n messages in it.
func withOld(t require.TestingT, kind string, n int) *world {
	w := newWorld(t, kind)
	w.far.Add("INBOX", w.message())
	for range n {
		w.far.Add("Old", w.message(`\Seen`))
	}
	w.sync()
	return w
}

func has(s *memory.Store, folder string) bool { _, ok := s.Snapshot()[folder]; return ok }

// A folder that was removed on one side is told, neither made again nor emptied,
// for as long as the option remove does not name the other side.
func TestRemovedFolderIsLeftAlone(t *testing.T) {
	for _, side := range bothSides {
		w := withOld(t, "imap-maildir", 3)
		w.side(side).DropFolder("Old")
		w.side(side).Add("INBOX", w.message())
		for range 2 {
			r := w.sync()
			require.Len(t, r.Notes, 1)
			require.False(t, has(w.side(side), "Old"))
			require.Equal(t, 3, count(w.side(side.Other()), "Old"))
		}
		// It was there all along: nothing is lost or copied.
		for _, m := range w.side(side.Other()).Snapshot()["Old"] {
			w.side(side).Add("Old", m)
		}
		w.sync()
		w.same()
		require.Equal(t, 3, count(w.far, "Old"))
	}
}

func TestRemovedFolderIsRemoved(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			for _, n := range []int{0, 3} {
				w := withOld(t, kind, n)
				w.far.AddFolder("Old")
				w.sync()
				w.policy.Remove = engine.Both
				w.side(side).DropFolder("Old")
				r := w.sync()
				require.Equal(t, 1, r.FoldersRemoved, kind)
				require.Equal(t, n, r.RemovedFar+r.RemovedNear)
				require.False(t, has(w.far, "Old"))
				w.same()
				w.still()
				require.Empty(t, w.sync().Notes, "it is forgotten")
				w.far.Add("Old", w.message()) // another one of this name
				require.Equal(t, 1, w.sync().Pulled)
				w.same()
			}
		}
	}
}

// What came to a removed folder, or was changed there, keeps it.
func TestRemovedFolderWithNewsStays(t *testing.T) {
	for what, change := range map[string]func(w *world, at *memory.Store){
		"new": func(w *world, at *memory.Store) { at.Add("Old", w.message()) },
		"flagged": func(w *world, at *memory.Store) {
			at.SetFlags("Old", at.Snapshot()["Old"][0].Key, mail.NewFlags(`\Flagged`))
		},
	} {
		for _, side := range bothSides {
			w := withOld(t, "imap-maildir", 3)
			w.policy.Remove = engine.Both
			w.side(side).DropFolder("Old")
			there := w.side(side.Other())
			change(w, there)
			before := there.Snapshot()
			r := w.sync()
			require.Zero(t, r.Changes(), what)
			require.Len(t, r.Notes, 1)
			require.Empty(t, before.Diff(there.Snapshot()), what)
		}
	}
}

// Removing a folder is removing its messages: what may not be carried is not.
func TestRemovedFolderAsPolicyAllows(t *testing.T) {
	for what, change := range map[string]func(p *engine.Policy){
		"no delete":  func(p *engine.Policy) { p.Push = engine.OpNew | engine.OpFlags },
		"no expunge": func(p *engine.Policy) { p.Expunge = engine.NearSide },
		"other side": func(p *engine.Policy) { p.Remove = engine.NearSide },
	} {
		w := withOld(t, "imap-maildir", 3)
		w.policy.Remove = engine.Both
		change(&w.policy)
		w.near.DropFolder("Old")
		r := w.sync()
		require.Len(t, r.Notes, 1, what)
		require.Equal(t, 3, count(w.far, "Old"), what)
		w.still()
	}
}

// The inbox is never removed.
func TestInboxIsNeverRemoved(t *testing.T) {
	w := withOld(t, "imap-maildir", 1)
	w.policy.Remove = engine.Both
	w.near.DropFolder("INBOX")
	w.sync()
	require.Equal(t, 1, count(w.far, "INBOX"))
}

// What was moved out of a folder before it was removed is moved, whatever the
// option remove says; and with it the folder goes then.
func TestMovedOutOfARemovedFolder(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			for _, remove := range []engine.Sides{engine.NoSide, engine.Both} {
				w := withOld(t, kind, 3)
				w.policy.Remove = remove
				at := w.side(side)
				for i, m := range at.Snapshot()["Old"] {
					at.Move("Old", m.Key, []string{"INBOX", "New", "New"}[i])
				}
				at.DropFolder("Old")
				r := w.sync()
				require.Equal(t, 3, r.MovedFar+r.MovedNear, kind)
				require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear)
				there := w.side(side.Other())
				require.Equal(t, 2, count(there, "New"))
				require.Equal(t, remove == engine.NoSide, has(there, "Old"))
				if remove == engine.Both {
					w.same()
				}
				w.still()
			}
		}
	}
}

// A folder that was removed on both sides is forgotten.
func TestRemovedOnBothSides(t *testing.T) {
	w := withOld(t, "imap-maildir", 3)
	w.far.DropFolder("Old")
	w.near.DropFolder("Old")
	require.Empty(t, w.sync().Notes)
	folders, err := w.state.Folders(context.Background())
	require.NoError(t, err)
	require.Len(t, folders, 1)
	w.near.Add("Old", w.message())
	require.Equal(t, 1, w.sync().Pushed)
	w.same()
	w.still()
}

// Folders below others go first.
func TestTreeIsRemoved(t *testing.T) {
	w := withOld(t, "imap-maildir", 2)
	for _, name := range []string{"Old/a", "Old/a/b", "Old/c"} {
		w.far.Add(name, w.message())
	}
	w.sync()
	w.policy.Remove = engine.Both
	for _, name := range []string{"Old", "Old/a", "Old/a/b", "Old/c"} {
		w.near.DropFolder(name)
	}
	require.Equal(t, 4, w.sync().FoldersRemoved)
	w.same()
	w.still()
}

// The guard counts what goes with a folder.
func TestGuardSeesRemovedFolders(t *testing.T) {
	w := withOld(t, "imap-maildir", 120)
	w.policy.Remove = engine.Both
	w.near.DropFolder("Old")
	_, err := w.run()
	require.ErrorIs(t, err, fault.Guard)
	require.Equal(t, 120, count(w.far, "Old"))
}

func TestRemovedFolderKilledAnywhere(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap-uidless"} {
		for _, side := range bothSides {
			for n := 0; ; n++ {
				w := withOld(t, kind, 5)
				w.policy.Remove = engine.Both
				at := w.side(side)
				for _, m := range at.Snapshot()["Old"][:3] {
					at.Move("Old", m.Key, "New")
				}
				at.DropFolder("Old")
				mend, breaker := w.killAt(n)
				_, _ = w.run()
				mend()
				if breaker.Seen() < n {
					break
				}
				w.sync()
				what := fmt.Sprintf("%s, removed %s, killed at moment %d", kind, side, n)
				require.False(t, has(w.far, "Old"), what)
				require.Equal(t, 3, count(w.far, "New"), what)
				w.same()
				w.still()
			}
		}
	}
}

// A folder that is out of sight since the options have changed was not removed.
func TestFolderOutOfSightIsNotRemoved(t *testing.T) {
	w := withOld(t, "imap-maildir", 3)
	w.policy.Remove = engine.Both
	w.far.MoveFolder("Old", "x-Old") // another option rename
	w.far.Remove("x-Old", w.far.Snapshot()["x-Old"][0].Key)
	w.policy.Create = engine.NoSide
	w.well(w.between(w.far, w.near, func(c *engine.Config) { c.Scope = "other" }))
	require.Equal(t, 3, count(w.near, "Old"))
}
