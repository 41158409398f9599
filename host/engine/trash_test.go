package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// What is removed on one side goes to the trash of the other, also what was
// marked; what is removed from the trash is gone.
func TestRemovedMessagesGoToTheTrash(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		withUndo(t, w)
		w.policy.Trash = engine.Trash{Far: "Trash"}
		for range 4 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		near := w.near.Snapshot()["INBOX"]
		w.near.Remove("INBOX", near[0].Key)
		w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Deleted`, `\Seen`))
		w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][2].Key) // the near side has no trash
		r := w.sync()
		require.Equal(t, 2, r.RemovedFar)
		require.Equal(t, 1, count(w.far, "INBOX"))
		require.Equal(t, 2, count(w.far, "Trash"))
		for _, m := range w.far.Snapshot()["Trash"] {
			require.False(t, m.Flags.Has(mail.Deleted), "the next expunge would take it")
		}
		w.sync() // the trash is a folder like any other
		w.same()
		w.still()
		require.Equal(t, 2, count(w.near, "Trash"))

		w.near.Remove("Trash", w.near.Snapshot()["Trash"][0].Key)
		w.sync()
		w.same()
		require.Equal(t, 1, count(w.far, "Trash"))
		w.still()
	})
}

func TestTrashIsFoundByItsUse(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Trash = engine.Trash{Far: `\Trash`}
	w.far.Add("INBOX", w.message())
	w.sync()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	r, err := w.run()
	require.NoError(t, err)
	require.ErrorContains(t, r.Err(), `no folder on the far side is marked as \Trash`)
	require.Equal(t, 1, count(w.far, "INBOX"), "removed without a trash")
	w.far.AddFolder("Papierkorb")
	w.far.SetAttrs("Papierkorb", `\Trash`)
	w.sync()
	require.Equal(t, 1, count(w.far, "Papierkorb"))
	require.Zero(t, count(w.far, "INBOX"))
}

// Killed anywhere, what was to go to the trash is in one of both places, once.
func TestKilledOnTheWayToTheTrash(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "maildir-maildir", "imap-imap-uidless"} {
		for n := 0; ; n += stride() {
			w := newWorld(t, kind)
			w.policy.Trash = engine.Trash{Far: "Trash", Near: "Trash"}
			for range 3 {
				w.far.Add("INBOX", w.message())
			}
			w.sync()
			w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
			w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][1].Key)
			mend, breaker := w.killAt(n)
			_, err := w.run()
			mend()
			if breaker.Seen() < n {
				require.NoError(t, err)
				break
			}
			w.sync()
			w.sync()
			w.same()
			require.Equal(t, 1, count(w.far, "INBOX"), "killed at moment %d", n)
			require.Equal(t, 2, count(w.far, "Trash"), "killed at moment %d", n)
			w.still()
		}
	}
}

func TestUndoTakesMessagesOutOfTheTrash(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	withUndo(t, w)
	w.policy.Trash = engine.Trash{Far: "Trash"}
	for range 3 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	before := w.far.Snapshot()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	w.sync()
	require.Equal(t, 1, count(w.far, "Trash"))
	r, err := w.undo(0)
	require.NoError(t, err)
	require.Equal(t, 1, r.Restored)
	w.sync()
	w.same()
	require.Equal(t, flagsOf(before), flagsOf(w.far.Snapshot()))
	require.Zero(t, count(w.far, "Trash"))
	w.still()
}

// Only what the other side never had is worth keeping, where the options say so.
func TestTrashForNewMessagesOnly(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Trash = engine.Trash{Near: "Trash", NewOnly: engine.NearSide}
	w.far.Add("INBOX", w.message())
	w.sync()
	w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
	w.sync()
	require.Zero(t, count(w.near, "INBOX"))
	require.Zero(t, count(w.near, "Trash"), "it was on the other side too")
}

// A message that was marked before it was ever copied goes to the trash of the
// other side, where the options ask for it; killed anywhere, it is there once.
func TestTrashOfTheOtherSide(t *testing.T) {
	for n := 0; ; n += stride() {
		w := newWorld(t, "imap-maildir")
		w.policy.Trash = engine.Trash{Near: "Trash", FromOther: engine.NearSide}
		w.far.Add("INBOX", w.message())
		w.sync()
		w.far.Add("INBOX", w.message(`\Deleted`, `\Seen`))
		mend, breaker := w.killAt(n)
		_, err := w.run()
		mend()
		killed := breaker.Seen() >= n
		if !killed {
			require.NoError(t, err)
		}
		w.sync()
		w.sync()
		w.same()
		require.Equal(t, 1, count(w.far, "INBOX"), "killed at moment %d", n)
		require.Equal(t, 1, count(w.near, "Trash"), "killed at moment %d", n)
		require.Equal(t, mail.NewFlags(`\Seen`), w.near.Snapshot()["Trash"][0].Flags)
		w.still()
		if !killed {
			break
		}
	}
}
