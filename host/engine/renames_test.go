package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A folder that was renamed on one side is renamed on the other: no message is
// copied, moved or removed, and what changed in it meanwhile is carried.
func TestRenamedFolderIsRenamed(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			for _, n := range []int{0, 1, 12} {
				w := withOld(t, kind, n)
				w.far.AddFolder("Old")
				w.sync()
				w.sync() // a folder that was made and got no mail is known from then on
				here, there := w.side(side), w.side(side.Other())
				here.MoveFolder("Old", "New")
				if n > 1 {
					here.SetFlags("New", here.Snapshot()["New"][0].Key, mail.NewFlags(`\Flagged`))
					there.SetFlags("Old", there.Snapshot()["Old"][1].Key, mail.NewFlags(`\Answered`))
					here.Remove("New", here.Snapshot()["New"][2].Key)
					here.Add("New", w.message())
					there.Add("Old", w.message())
				}
				what := fmt.Sprintf("%s, renamed %s, %d messages", kind, side, n)
				r := w.sync()
				require.Equal(t, 1, r.Renamed, what)
				require.Zero(t, r.Created, what)
				if n > 1 {
					require.Equal(t, 2, r.Pulled+r.Pushed, what)
					require.Equal(t, 1, r.RemovedFar+r.RemovedNear, what)
				} else {
					require.Equal(t, 1, r.Changes(), what)
				}
				require.False(t, has(w.far, "Old"), what)
				w.same()
				w.still()
			}
		}
	}
}

// Servers that name folders for good are believed, whatever else has changed; also
// those that tell it only when a folder is read.
func TestRenamedFolderByID(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWorld(t, "imap-maildir")
		w.far = memory.New(memory.Options{IDs: true, LateIDs: late})
		require.NoError(t, w.far.Open(context.Background()))
		w.far.Add("Old", w.message())
		w.far.Add("Old", w.message())
		w.sync()
		w.far.Add("Old", w.message()) // a reading from where the last one ended tells no ID
		w.sync()
		w.still()
		w.far.MoveFolder("Old", "New")
		if !late { // else nobody looks into it
			w.far.Renumber("New")
		}
		for _, m := range w.far.Snapshot()["New"][:2] {
			w.far.Remove("New", m.Key)
		}
		r := w.sync()
		require.Equal(t, 1, r.Renamed)
		if !late {
			require.Zero(t, r.RemovedNear, "its messages are paired anew")
		}
		w.same()
		w.still()

		// One that was removed and another that was made are two.
		w.far.DropFolder("New")
		w.far.Add("Other", w.message())
		require.Zero(t, w.sync().Renamed)
	}
}

// An ID that two folders had names neither: an administrator has copied one of them.
func TestFoldersOfOneID(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far = memory.New(memory.Options{IDs: true})
	require.NoError(t, w.far.Open(context.Background()))
	for _, name := range []string{"Old", "Copy"} {
		w.far.Add(name, w.message())
	}
	w.sync()
	w.far.DropFolder("Old")
	w.far.Add("New", w.message())
	listed, err := w.far.Folders(t.Context())
	require.NoError(t, err)
	known, err := w.state.Folders(t.Context())
	require.NoError(t, err)
	for _, f := range known {
		if f.Far != mail.Inbox {
			f.FarID = listed[slices.IndexFunc(listed, func(l mail.Folder) bool { return l.Name == "New" })].ID
			require.NoError(t, w.state.Commit(t.Context(), f.Far, &state.Change{Folder: &f}))
		}
	}
	require.Zero(t, w.sync().Renamed)
}

// A folder that got other keys with its new name is known by its messages.
func TestRenamedFolderByContent(t *testing.T) {
	for _, side := range bothSides {
		w := withOld(t, "imap-imap", 10)
		here := w.side(side)
		list := here.Snapshot()["Old"]
		here.DropFolder("Old")
		for i, m := range list {
			if i > 0 {
				m.Key = ""
				here.Add("New", m)
			}
		}
		r := w.sync()
		require.Equal(t, 1, r.Renamed)
		require.Zero(t, r.RemovedFar+r.RemovedNear, "where keys are not good nothing is removed")
		w.same()
		w.still()
	}
}

func TestTreeIsRenamed(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			w := withOld(t, kind, 2)
			for _, name := range []string{"Old/a", "Old/a/b", "Old/c"} {
				w.far.Add(name, w.message())
			}
			w.sync()
			here, there := w.side(side), w.side(side.Other())
			here.AddFolder("Deep")
			here.MoveFolder("Old", "Deep/New")
			here.MoveFolder("Deep/New/c", "Elsewhere")
			here.Add("Deep/New/a/b", w.message())
			there.Add("Old/fresh", w.message())
			r := w.sync()
			require.Equal(t, 2, r.Renamed, "%s: the tree, and what left it", kind)
			w.same()
			require.True(t, has(w.far, "Deep/New/a/b"))
			require.True(t, has(w.far, "Deep/New/fresh"), "what was new in the tree went along")
			require.False(t, has(w.far, "Old/a"))
			w.still()
		}
	}
}

func TestRenamedOnBothSides(t *testing.T) {
	w := withOld(t, "imap-maildir", 3)
	w.far.MoveFolder("Old", "New")
	w.near.MoveFolder("Old", "New")
	w.near.Remove("New", w.near.Snapshot()["New"][0].Key)
	r := w.sync()
	require.Zero(t, r.Renamed)
	require.Equal(t, 1, r.RemovedFar, "the state has followed")
	w.same()
	w.still()

	w.far.MoveFolder("New", "Here")
	w.near.MoveFolder("New", "There")
	for range 2 {
		r = w.sync()
		require.Zero(t, r.Changes())
		require.Len(t, r.Notes, 1)
	}
	require.Equal(t, 2, count(w.far, "Here"))
	require.Equal(t, 2, count(w.near, "There"))
	w.near.MoveFolder("There", "Here")
	w.still()
	w.same()
}

func TestRenamedHereAndRemovedThere(t *testing.T) {
	for _, side := range bothSides {
		w := withOld(t, "imap-maildir", 3)
		w.policy.Remove = engine.Both
		w.side(side).MoveFolder("Old", "New")
		w.side(side.Other()).DropFolder("Old")
		r := w.sync()
		require.Len(t, r.Notes, 1)
		require.Equal(t, 3, count(w.far, "New"))
		w.same()
		w.still()
	}
}

// Two folders exchange a message and a name.
func TestRenamedFolderAndMoves(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			w := withOld(t, kind, 4)
			here := w.side(side)
			inbox := here.Snapshot()["INBOX"][0].Key
			here.Move("Old", here.Snapshot()["Old"][0].Key, "INBOX")
			here.MoveFolder("Old", "New")
			here.Move("INBOX", inbox, "New")
			r := w.sync()
			require.Equal(t, 1, r.Renamed, kind)
			require.Equal(t, 2, r.MovedFar+r.MovedNear, kind)
			require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear)
			w.same()
			w.still()
		}
	}
}

// unable is a store that cannot rename, or says so.
type unable struct {
	driver.Store
	err error
}

func (u *unable) RenameFolder(context.Context, string, string) error { return u.err }

func (u *unable) CreateFolder(ctx context.Context, name string) error {
	return u.Store.(*memory.Store).CreateFolder(ctx, name)
}

func (u *unable) Subscribe(ctx context.Context, name string) error {
	return u.Store.(*memory.Store).Subscribe(ctx, name)
}

func (u *unable) RemoveFolder(ctx context.Context, name string) error {
	return u.Store.(*memory.Store).RemoveFolder(ctx, name)
}

// Where the other side cannot rename, the new folder is made there and the messages
// are moved; the old one goes if the option remove says so.
func TestRenamedFolderThatCannotBeRenamed(t *testing.T) {
	for _, code := range []fault.Code{fault.Unsupported, fault.BadName, fault.Refused} {
		for _, remove := range []engine.Sides{engine.NoSide, engine.Both} {
			w := withOld(t, "imap-maildir", 3)
			w.policy.Remove = remove
			w.near.MoveFolder("Old", "New")
			far := &unable{w.far, fault.New(code, "rename folder", "not here")}
			r := w.well(w.between(far, w.near))
			require.Equal(t, 3, r.MovedFar)
			require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear+r.Renamed)
			require.Equal(t, remove == engine.NoSide, has(w.far, "Old"))
			require.Equal(t, 3, count(w.far, "New"))
		}
	}
}

// A renaming needs what creating and moving need.
func TestRenamedFolderAsPolicyAllows(t *testing.T) {
	for what, change := range map[string]func(p *engine.Policy){
		"create":    func(p *engine.Policy) { p.Create = engine.NearSide },
		"no delete": func(p *engine.Policy) { p.Push = engine.OpNew | engine.OpFlags },
		"no push":   func(p *engine.Policy) { p.Push = engine.OpsNone },
	} {
		w := withOld(t, "imap-maildir", 3)
		change(&w.policy)
		w.near.MoveFolder("Old", "New")
		require.Zero(t, w.sync().Renamed, what)
		require.Equal(t, 3, count(w.far, "Old"), what)
		require.Equal(t, 3, count(w.near, "New"), what)
		require.False(t, has(w.near, "Old"), what)
	}
}

func TestDroppedRenamingIsPlannedAgain(t *testing.T) {
	w := withOld(t, "imap-maildir", 3)
	w.near.MoveFolder("Old", "New")
	w.near.Add("New", w.message())
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		steps := p.Steps(engine.OpRename, "", 0)
		require.Len(t, steps, 1)
		require.Equal(t, "Old", steps[0].Folder)
		require.Equal(t, "New", steps[0].To)
		p.Drop(steps[0].ID, nil, "not today")
		return nil
	}
	require.Zero(t, w.sync().Changes())
	w.hooks = engine.Hooks{}
	require.Equal(t, 1, w.sync().Renamed)
	w.same()
	w.still()
}

func TestDryRunOfARenaming(t *testing.T) {
	w := withOld(t, "imap-maildir", 3)
	w.near.MoveFolder("Old", "New")
	w.dry = true
	before := w.far.Snapshot()
	w.sync()
	require.Empty(t, before.Diff(w.far.Snapshot()))
	w.dry = false
	require.Equal(t, 1, w.sync().Renamed)
	w.same()
}

func TestRenamingKilledAnywhere(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			t.Run(fmt.Sprintf("%s, renamed %s", kind, side), func(t *testing.T) {
				t.Parallel()
				for n := 0; ; n++ {
					w := withOld(t, kind, 5)
					w.far.Add("Old/below", w.message())
					w.sync()
					here, there := w.side(side), w.side(side.Other())
					here.MoveFolder("Old", "New")
					here.Remove("New", here.Snapshot()["New"][0].Key)
					there.SetFlags("Old", there.Snapshot()["Old"][1].Key, mail.NewFlags(`\Answered`))
					there.Add("Old", w.message())
					here.Move("New", here.Snapshot()["New"][1].Key, "INBOX")
					mend, breaker := w.killAt(n)
					_, _ = w.run()
					mend()
					if breaker.Seen() < n {
						break
					}
					w.sync()
					require.False(t, has(w.far, "Old"), "killed at moment %d", n)
					require.Equal(t, 4, count(w.far, "New"), "killed at moment %d", n)
					require.Equal(t, 2, count(w.far, "INBOX"), "killed at moment %d", n)
					w.same()
					w.still()
				}
			})
		}
	}
}
