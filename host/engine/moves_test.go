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
	"github.com/imapfw/imapfw/host/state"
)

// filled is a world in step: n messages in INBOX, two in Archive.
func filled(t require.TestingT, kind string, n int) *world {
	w := newWorld(t, kind)
	for range n {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.far.Add("Archive", w.message())
	w.far.Add("Archive", w.message())
	w.sync()
	return w
}

func (w *world) side(s state.Side) *memory.Store {
	if s == state.Far {
		return w.far
	}
	return w.near
}

var bothSides = []state.Side{state.Far, state.Near}

// `mv` of a message on one side is a move on the other: no message is copied, and
// none removed.
func TestMoveIsMovedOnTheOtherSide(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			for _, to := range []string{"Archive", "New"} {
				t.Run(fmt.Sprintf("%s, moved %s to %s", kind, side, to), func(t *testing.T) {
					w := filled(t, kind, 5)
					at := w.side(side)
					for _, m := range at.Snapshot()["INBOX"][1:4] {
						at.Move("INBOX", m.Key, to)
					}
					at.Add(to, w.message())
					at.Add("INBOX", w.message())
					r := w.sync()
					require.Equal(t, 3, r.MovedFar+r.MovedNear)
					require.Equal(t, 2, r.Pulled+r.Pushed, "only what is new is copied")
					require.Zero(t, r.RemovedFar+r.RemovedNear)
					require.Equal(t, 3, count(w.far, "INBOX"))
					w.same()
					w.still()
				})
			}
		}
	}
}

// What became of the flags meanwhile, on either side, is merged.
func TestMoveMergesFlags(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			w := filled(t, kind, 3)
			here, there := w.side(side), w.side(side.Other())
			m, other := here.Snapshot()["INBOX"][0], there.Snapshot()["INBOX"][0]
			require.Equal(t, string(m.Body), string(other.Body))
			key := here.Move("INBOX", m.Key, "Archive")
			here.SetFlags("Archive", key, mail.NewFlags(`\Answered`)) // \Seen is taken off
			there.SetFlags("INBOX", other.Key, mail.NewFlags(`\Seen`, `\Flagged`))
			r := w.sync()
			require.Equal(t, 1, r.MovedFar+r.MovedNear, kind)
			require.Equal(t, mail.NewFlags(`\Answered`, `\Flagged`), flagsByBody(w.far)[string(m.Body)], kind)
			w.same()
			w.still()
		}
	}
}

// A message that was moved on both sides to the same folder is one; to different
// ones, it goes where one of the sides has it.
func TestMovedOnBothSides(t *testing.T) {
	for kind := range kinds {
		for conflict, place := range map[engine.Conflict]string{
			engine.ConflictRemove: "Archive", engine.ConflictFar: "Archive", engine.ConflictNear: "Lists",
		} {
			w := filled(t, kind, 4)
			w.policy.Conflict = conflict
			far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
			w.far.Move("INBOX", far[0].Key, "Archive")
			w.near.Move("INBOX", near[0].Key, "Archive")
			w.far.SetFlags("INBOX", far[1].Key, mail.NewFlags(`\Flagged`))
			w.far.Move("INBOX", far[1].Key, "Archive")
			w.near.Move("INBOX", near[1].Key, "Lists")
			r := w.sync()
			require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear, kind)
			require.Equal(t, 1, r.MovedFar+r.MovedNear, kind)
			require.Len(t, r.Notes, 1, kind)
			w.same()
			require.Equal(t, 2, count(w.far, "INBOX"))
			found := false
			for _, m := range w.far.Snapshot()[place] {
				if string(m.Body) == string(far[1].Body) {
					found = true
					require.Equal(t, mail.NewFlags(`\Flagged`), m.Flags, "the flags are merged all the same")
				}
			}
			require.True(t, found, "%s, conflict %s", kind, conflict)
			w.still()
		}
	}
}

// A move is a change like any other: where the other side removed the message,
// the option conflict decides.
func TestMovedHereAndRemovedThere(t *testing.T) {
	for _, side := range bothSides {
		for conflict, keeps := range map[engine.Conflict]bool{
			engine.ConflictRemove: false, engine.ConflictKeep: true,
			engine.ConflictFar: side == state.Far, engine.ConflictNear: side == state.Near,
		} {
			for _, marked := range []bool{false, true} {
				what := fmt.Sprintf("moved %s, conflict %s, marked %v", side, conflict, marked)
				w := filled(t, "imap-maildir", 3)
				w.policy.Conflict = conflict
				here, there := w.side(side), w.side(side.Other())
				m, other := here.Snapshot()["INBOX"][0], there.Snapshot()["INBOX"][0]
				here.Move("INBOX", m.Key, "Archive")
				if marked {
					there.SetFlags("INBOX", other.Key, mail.NewFlags(`\Deleted`))
				} else {
					there.Remove("INBOX", other.Key)
				}
				r := w.sync()
				require.Len(t, r.Notes, 1, what)
				want := 2
				if keeps {
					want = 3
				}
				require.Equal(t, want, count(w.far, "Archive"), what)
				require.Equal(t, 2, count(w.far, "INBOX"), what)
				w.same()
				w.still()
			}
		}
	}
}

func TestScriptSettlesWhatWasMovedAndRemoved(t *testing.T) {
	w := filled(t, "imap-maildir", 3)
	w.near.Move("INBOX", w.near.Snapshot()["INBOX"][0].Key, "Archive")
	w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
	var asked []engine.ConflictCase
	w.hooks.OnConflict = func(_ context.Context, c engine.ConflictCase) (engine.Conflict, error) {
		asked = append(asked, c)
		return engine.ConflictKeep, nil
	}
	w.sync()
	require.Len(t, asked, 1)
	require.Equal(t, "Archive", asked[0].Folder)
	require.Equal(t, state.Far, asked[0].RemovedOn)
	require.Equal(t, 3, count(w.far, "Archive"))
	w.same()
}

// A client without MOVE copies and marks; it is a move all the same.
func TestCopiedAndMarkedIsMoved(t *testing.T) {
	for _, side := range bothSides {
		for _, expunge := range []engine.Sides{engine.Both, engine.FarSide, engine.NearSide} {
			w := filled(t, "imap-maildir", 3)
			w.policy.Expunge = expunge
			at := w.side(side)
			m := at.Snapshot()["INBOX"][0]
			at.Add("Archive", memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
			at.SetFlags("INBOX", m.Key, mail.NewFlags(`\Seen`, `\Deleted`))
			r := w.sync()
			if expunge == engine.Both {
				require.Equal(t, 1, r.MovedFar+r.MovedNear)
				require.Zero(t, r.Pulled+r.Pushed)
				require.Equal(t, 2, count(w.near, "INBOX"))
				w.same()
			}
			require.Equal(t, 3, count(w.far, "Archive"), "moved %s, expunge %d", side, expunge)
			require.Equal(t, 3, count(w.near, "Archive"))
			w.still()
		}
	}
}

// A move needs new and delete; else it is done as far as allowed.
func TestMoveAsFarAsAllowed(t *testing.T) {
	for _, tc := range []struct {
		push               engine.Ops
		inbox, archive     int
		laterIn, laterArch int
	}{
		{engine.OpsNone, 3, 2, 2, 3},
		{engine.OpNew | engine.OpFlags, 3, 3, 2, 3},
		{engine.OpDelete, 2, 2, 2, 3},
	} {
		w := filled(t, "imap-maildir", 3)
		w.policy.Push = tc.push
		w.near.Move("INBOX", w.near.Snapshot()["INBOX"][0].Key, "Archive")
		r := w.sync()
		require.Zero(t, r.MovedFar+r.MovedNear)
		require.Equal(t, tc.inbox, count(w.far, "INBOX"), "push %d", tc.push)
		require.Equal(t, tc.archive, count(w.far, "Archive"), "push %d", tc.push)
		require.Equal(t, 3, count(w.near, "Archive"), "nothing comes back")
		require.Equal(t, 2, count(w.near, "INBOX"), "nothing comes back")
		w.still()
		w.policy.Push = engine.OpsAll
		r = w.sync()
		require.Equal(t, tc.laterIn, count(w.far, "INBOX"), "push %d", tc.push)
		require.Equal(t, tc.laterArch, count(w.far, "Archive"), "push %d", tc.push)
		if tc.push == engine.OpsNone {
			require.Equal(t, 1, r.MovedFar, "it is caught up as the move it was")
		}
		w.same()
		w.still()
	}
}

// Without expunge a removal only marks; nothing is removed by a move.
func TestMoveNeedsNoExpunge(t *testing.T) {
	for _, side := range bothSides {
		w := filled(t, "imap-maildir", 3)
		w.policy.Expunge = engine.NoSide
		at := w.side(side)
		at.Move("INBOX", at.Snapshot()["INBOX"][0].Key, "Archive")
		require.Equal(t, 1, func() int { r := w.sync(); return r.MovedFar + r.MovedNear }())
		w.same()
		w.still()
	}
}

// Equal messages move one by one, and what only has the same header is another
// message.
func TestEqualMessagesMove(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			w := newWorld(t, kind)
			noID := memory.Message{Date: w.message().Date, Body: []byte("Subject: a\n\none\n")}
			other := memory.Message{Date: noID.Date, Body: []byte("Subject: a\n\ntwo\n")}
			for range 3 {
				w.far.Add("INBOX", noID)
			}
			w.far.Add("Archive", w.message())
			w.sync()
			at := w.side(side)
			list := at.Snapshot()["INBOX"]
			at.Move("INBOX", list[0].Key, "Archive")
			at.Move("INBOX", list[1].Key, "Archive")
			at.Remove("INBOX", list[2].Key)
			at.Add("Archive", other)
			r := w.sync()
			require.Equal(t, 2, r.MovedFar+r.MovedNear, kind)
			require.Equal(t, 1, r.RemovedFar+r.RemovedNear, kind)
			require.Equal(t, 1, r.Pulled+r.Pushed, kind)
			w.same()
			w.still()
		}
	}
}

// A file that another program gave another name is the same message: nothing is
// removed, and nothing sent again.
func TestRenamedFileIsTheSameMessage(t *testing.T) {
	w := filled(t, "imap-maildir", 3)
	for i, m := range w.near.Snapshot()["INBOX"] {
		w.near.Remove("INBOX", m.Key)
		m.Key = mail.Key(fmt.Sprintf("other,U=%d", i+1))
		if i == 1 {
			m.Flags = mail.NewFlags(`\Seen`, `\Answered`)
		}
		w.near.Add("INBOX", m)
	}
	w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][2].Key, mail.NewFlags(`\Flagged`))
	before := w.far.Snapshot()["INBOX"]
	r := w.sync()
	require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear+r.MovedFar+r.MovedNear)
	for i, m := range w.far.Snapshot()["INBOX"] {
		require.Equal(t, before[i].Key, m.Key)
	}
	w.same()
	w.still()
}

// A draft that was saved again is another message, with the same size and header.
func TestDraftSavedAgainIsAnother(t *testing.T) {
	for _, side := range bothSides {
		w := filled(t, "imap-maildir", 3)
		at := w.side(side)
		m := at.Snapshot()["INBOX"][0]
		at.Remove("INBOX", m.Key)
		again := memory.Message{Date: m.Date, Flags: m.Flags, Body: append([]byte(nil), m.Body...)}
		again.Body[len(again.Body)-2] = 'X'
		at.Add("INBOX", again)
		w.sync()
		w.same()
		require.Contains(t, flagsByBody(w.side(side.Other())), string(again.Body))
		w.still()
	}
}

// What a script drops of a plan is looked at again.
func TestDroppedMoveIsPlannedAgain(t *testing.T) {
	w := filled(t, "imap-maildir", 3)
	key := w.near.Move("INBOX", w.near.Snapshot()["INBOX"][0].Key, "Archive")
	w.near.SetFlags("Archive", key, mail.NewFlags(`\Flagged`))
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		for _, s := range p.Steps(engine.OpMove, "", 0) {
			require.Equal(t, "INBOX", s.Folder)
			require.Equal(t, "Archive", s.To)
			require.Equal(t, 1, p.Drop(s.ID, nil, "not today"))
		}
		return nil
	}
	r := w.sync()
	require.Zero(t, r.Changes())
	w.hooks = engine.Hooks{}
	require.Equal(t, 1, w.sync().MovedFar)
	w.same()
	w.still()
}

// A move that fails for one message is told and tried again; the others are done.
func TestFailedMoveIsTriedAgain(t *testing.T) {
	for _, hook := range []func(w *world){
		func(w *world) { w.far.SetHook(failNext(memory.OpApply, 2, errRefused())) },
		func(w *world) { w.far.SetReadOnly("Archive", true) },
		func(w *world) { w.far.SetHook(failNext(memory.OpCreateFolder, 1, errRefused())) },
	} {
		w := filled(t, "imap-maildir", 4)
		for i, m := range w.near.Snapshot()["INBOX"][:3] {
			w.near.Move("INBOX", m.Key, []string{"Archive", "Archive", "New"}[i])
		}
		hook(w)
		r, err := w.run()
		require.NoError(t, err)
		require.Error(t, r.Err())
		w.far.SetHook(nil)
		w.far.SetReadOnly("Archive", false)
		r = w.sync()
		require.NotZero(t, r.MovedFar)
		require.Zero(t, r.Pushed+r.RemovedFar)
		w.same()
		w.still()
	}
}

func errRefused() error { return fault.New(fault.Refused, "", "no") }
