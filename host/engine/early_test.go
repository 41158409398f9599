package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// unmarkable lets nobody mark the near side.
func (w *world) unmarkable() (mend func()) {
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpSetStamp && !c.Done {
			return errors.New("the side cannot be marked")
		}
		return nil
	})
	return func() { w.near.SetHook(nil) }
}

// The sides are marked while a run still plans. What becomes of that matters to a run
// that changes something, and to no other.
func TestMarkThatCannotBeWritten(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := w.far.Add("INBOX", w.message())
	w.sync()

	mend := w.unmarkable()
	near := w.near.Snapshot()["INBOX"][0]
	w.far.SetFlags("INBOX", far, mail.NewFlags("Flagged"))
	w.near.SetFlags("INBOX", near.Key, mail.NewFlags("Flagged"))
	w.still()

	w.far.Add("INBOX", w.message())
	_, err := w.run()
	require.ErrorContains(t, err, "the side cannot be marked")
	require.Equal(t, 1, count(w.near, "INBOX"), "it was changed without a mark")
	mend()
	require.Empty(t, w.sync().Notes)
	w.same()
	w.still()
}

// A run that found news and has nothing to do leaves a mark that the next one believes.
func TestMarkOfARunThatChangesNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		far := w.far.Add("INBOX", w.message())
		w.sync()
		for i := range 3 {
			flags := mail.NewFlags([]string{"Seen", "Flagged", "Draft"}[i])
			w.far.SetFlags("INBOX", far, flags)
			w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, flags)
			require.Empty(t, w.sync().Notes)
		}
		w.far.Add("INBOX", w.message())
		require.Empty(t, w.sync().Notes)
		w.same()
		w.policy.Pull = engine.OpsNone
		w.still()
	})
}

// doubts syncs a side that was replaced, and insists that nothing is removed for it.
func (w *world) doubts() {
	far := count(w.far, "INBOX")
	r := w.sync()
	require.NotEmpty(w.t, r.Notes, "the side is not in doubt")
	require.Zero(w.t, r.RemovedFar)
	require.Equal(w.t, far, count(w.far, "INBOX"))
	w.same()
}

// A Maildir that is not the one any more which the run began with gets no mark of today:
// the next run would believe it.
func TestSideThatIsReplacedWhileARunPlans(t *testing.T) {
	w := filled(t, "imap-maildir", 20)
	w.policy.Guard.On = false
	empty := newWorld(t, "imap-maildir").near.Backup()
	w.far.Add("INBOX", w.message())
	swapped := false
	w.far.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpFolders && !c.Done && !swapped {
			swapped = true
			w.near.Restore(empty)
		}
		return nil
	})
	_, err := w.run()
	w.far.SetHook(nil)
	require.Error(t, err)
	w.doubts()
}

// So it is once the sides are marked: what a Maildir lacks that was put in the place of
// the one which was marked was not removed.
func TestSideThatIsReplacedOnceItIsMarked(t *testing.T) {
	w := filled(t, "imap-maildir", 20)
	w.policy.Guard.On = false
	backup := w.near.Backup()
	for range 3 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	far := count(w.far, "INBOX")
	w.far.Add("Archive", w.message())
	swapped := false
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpSetStamp && c.Done && !swapped {
			swapped = true
			w.near.Restore(backup)
		}
		return nil
	})
	_, err := w.run()
	w.near.SetHook(nil)
	require.True(t, swapped)
	require.ErrorContains(t, err, "was replaced")
	require.Equal(t, far, count(w.far, "INBOX"))
	w.doubts()
}

// A mark that was written by a call which failed is no sign of another side.
func TestMarkThatWasWrittenAllTheSame(t *testing.T) {
	w := filled(t, "imap-maildir", 3)
	w.far.Add("INBOX", w.message())
	failed := false
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpSetStamp && c.Done && !failed {
			failed = true
			return errors.New("the answer got lost")
		}
		return nil
	})
	require.Empty(t, w.sync().Notes)
	w.near.SetHook(nil)
	require.True(t, failed)
	w.same()
	w.still()
}
