package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// untouchable makes every write to a world fail, and returns how many were
// tried. The number of a run may be written where marks is true.
func (w *world) untouchable(marks bool) (tried *int, mend func()) {
	tried = new(int)
	hook := func(_ context.Context, c memory.Call) error {
		switch c.Op {
		case memory.OpSetStamp:
			if marks {
				return nil
			}
			fallthrough
		case memory.OpDeliver, memory.OpChange, memory.OpApply, memory.OpStore, memory.OpPlace,
			memory.OpCreateFolder, memory.OpRemoveFolder, memory.OpSubscribe:
			*tried++
			return errors.New("this was not to be written")
		}
		return nil
	}
	w.far.SetHook(hook)
	w.near.SetHook(hook)
	w.state.frozen, w.state.numbers = tried, marks
	return tried, func() {
		w.far.SetHook(nil)
		w.near.SetHook(nil)
		w.state.frozen = nil
	}
}

// stopped runs, and insists that the guard stops the run before anything is
// written but the number of the run. It returns what was told of it.
func (w *world) stopped() wire.Map {
	var told wire.Map
	w.emit = func(name string, data wire.Value) {
		if name == "guard" {
			told = data.(wire.Map)
		}
	}
	tried, mend := w.untouchable(true)
	_, err := w.run()
	mend()
	w.emit = nil
	require.ErrorIs(w.t, err, fault.Guard)
	require.Zero(w.t, *tried, "something was written")
	require.NotNil(w.t, told, "nobody was told")
	return told
}

// inStep is a world of which both sides hold n messages in each folder.
func inStep(t *testing.T, kind string, n int, folders ...string) *world {
	w := newWorld(t, kind)
	for _, folder := range folders {
		for range n {
			w.far.Add(folder, w.message())
		}
	}
	w.sync()
	return w
}

func removeAll(s *memory.Store, folder string) []memory.Message {
	list := s.Snapshot()[folder]
	for _, m := range list {
		s.Remove(folder, m.Key)
	}
	return list
}

// The accident that every sync tool before this one carried through.
func TestTwoHundredFilesRemoved(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "maildir-maildir"} {
		t.Run(kind, func(t *testing.T) {
			w := inStep(t, kind, 200, "INBOX")
			w.far.Add("Archive", w.message())
			w.sync()
			backup := w.near.Backup()
			removeAll(w.near, "INBOX")
			told := w.stopped()
			require.Equal(t, 200, count(w.far, "INBOX"))
			require.Contains(t, told["text"], `200 of the 200 messages in "INBOX" would be removed on the far side`)
			require.Equal(t, int64(200), told["removals"])
			examples := told["examples"].(wire.List)
			require.Len(t, examples, 3)
			require.Contains(t, examples[0].(wire.Map)["subject"], "number")

			// Restored, all is well again.
			w.near.Restore(backup)
			w.still()
			w.same()

			// Meant, it goes through, and no further.
			removeAll(w.near, "INBOX")
			w.once.AllowRemovals = 199
			require.Contains(t, w.stopped()["text"], "200 messages would be removed, where 199 were allowed")
			w.once.AllowRemovals = 200
			require.Equal(t, 200, w.sync().RemovedFar)
			w.once.AllowRemovals = 0
			w.same()
			w.still()
		})
	}
}

// What other folders have to do waits too: a guarded run writes nothing at all.
func TestGuardStopsTheWholeRun(t *testing.T) {
	w := inStep(t, "imap-maildir", 150, "INBOX", "Work")
	removeAll(w.near, "Work")
	w.far.Add("INBOX", w.message())
	w.near.Add("INBOX", w.message())
	w.near.Add("New", w.message())
	w.stopped()
	require.Equal(t, 151, count(w.far, "INBOX"))
	require.Equal(t, 150, count(w.far, "Work"))
}

// The far side is no safer: a server that lost its mail does not empty the near
// side.
func TestGuardOfTheNearSide(t *testing.T) {
	w := inStep(t, "imap-maildir", 120, "INBOX")
	removeAll(w.far, "INBOX")
	require.Equal(t, "near", w.stopped()["dangers"].(wire.List)[0].(wire.Map)["side"])
	require.Equal(t, 120, count(w.near, "INBOX"))
}

func TestSideThatIsEmpty(t *testing.T) {
	w := inStep(t, "imap-maildir", 5, "INBOX", "Work", "Lists")
	for _, folder := range []string{"INBOX", "Work", "Lists"} {
		removeAll(w.near, folder)
	}
	require.Contains(t, w.stopped()["text"], "the near side is empty; it held 15 messages")

	// With one message left, somebody was tidying up.
	w = inStep(t, "imap-maildir", 5, "INBOX", "Work", "Lists")
	removeAll(w.near, "INBOX")
	removeAll(w.near, "Work")
	require.Equal(t, 10, w.sync().RemovedFar)
	w.same()
}

// A side that was replaced by an empty one is not filled again unasked: it may
// be another disk.
func TestReplacedSideIsNotFilledUnasked(t *testing.T) {
	w := inStep(t, "imap-maildir", 20, "INBOX")
	w.near = memory.New(memory.Options{Maildir: true})
	require.NoError(t, w.near.Open(context.Background()))
	require.Contains(t, w.stopped()["text"], "the near side is empty; it held 20 messages")
	w.policy.Guard.On = false
	require.Equal(t, 20, w.sync().Pulled)
	w.same()
}

// A side without any folder: the disk is not mounted, the server shows nothing.
func TestSideThatVanished(t *testing.T) {
	for _, side := range []state.Side{state.Far, state.Near} {
		w := inStep(t, "imap-maildir", 1, "INBOX", "Work")
		gone := w.near
		if side == state.Far {
			gone = w.far
		}
		gone.DropFolder("INBOX")
		gone.DropFolder("Work")
		require.Contains(t, w.stopped()["text"], "the "+side.String()+" side is not there; it held 2 messages")
		w.once.AllowRemovals = 100
		w.stopped() // it is not about removals
	}
	// With nothing known there, it is a side to be filled.
	w := newWorld(t, "imap-maildir")
	w.near.DropFolder("INBOX")
	w.far.Add("INBOX", w.message())
	require.Equal(t, 1, w.sync().Pulled)
}

func TestUploadsWithoutState(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	for range 101 {
		w.near.Add("INBOX", w.message())
	}
	require.Contains(t, w.stopped()["text"], "101 messages would be uploaded")
	w.policy.Guard.New = 101
	require.Equal(t, 101, w.sync().Pushed)
	w.same()

	// An empty server that is to be filled is no accident.
	w = newWorld(t, "imap-maildir")
	for range 101 {
		w.near.Add("INBOX", w.message())
	}
	require.Equal(t, 101, w.sync().Pushed)
}

// The guard looks at what is left of a plan after the script had its say.
func TestGuardLooksAtThePlanAfterTheScript(t *testing.T) {
	w := inStep(t, "imap-maildir", 150, "INBOX", "Work")
	removeAll(w.near, "INBOX")
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		step := p.Steps(engine.OpRemove, "", 0)[0]
		var keys mail.KeySet
		for k := range step.Keys().All() {
			if keys.Len() < 60 {
				keys.Add(k)
			}
		}
		p.Drop(step.ID, &keys, "half is enough")
		return nil
	}
	require.Equal(t, 90, w.sync().RemovedFar)
}

func TestScriptDecidesInPlaceOfTheGuard(t *testing.T) {
	w := inStep(t, "imap-maildir", 150, "INBOX")
	removeAll(w.near, "INBOX")
	asked, answer := 0, false
	w.hooks.OnGuard = func(_ context.Context, p *engine.Plan, a *engine.Alarm) (bool, string, error) {
		asked++
		require.Equal(t, 150, p.Total(engine.OpRemove))
		require.Equal(t, engine.DangerRemovals, a.Dangers[0].Kind)
		return answer, "it is spring", nil
	}
	w.stopped()
	answer = true
	r := w.sync()
	require.Equal(t, 150, r.RemovedFar)
	require.Contains(t, r.Notes[0].Text, "it is spring")
	require.Equal(t, 2, asked)
	w.still()
	require.Equal(t, 2, asked, "it is asked only when the guard would stop the run")
}

// A dry run shows the plan all the same, and ends as the run would.
func TestGuardInADryRun(t *testing.T) {
	w := inStep(t, "imap-maildir", 150, "INBOX")
	removeAll(w.near, "INBOX")
	w.dry = true
	var names []string
	w.emit = func(name string, _ wire.Value) { names = append(names, name) }
	_, err := w.run()
	require.ErrorIs(t, err, fault.Guard)
	require.Equal(t, []string{"plan", "guard", "report"}, names)
}
