package engine_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/spool"
	"github.com/imapfw/imapfw/host/wire"
)

// kept is a spool in a folder, as an engine wants it.
type kept struct{ *spool.Spool }

func (k kept) Open(name string) (io.Closer, mail.Body, error) { return k.Spool.Open(name) }

// withUndo gives a world a spool.
func withUndo(t *testing.T, w *world) {
	w.spool = kept{spool.New(filepath.Join(t.TempDir(), "undo"))}
}

func (w *world) undo(run int64) (*engine.Report, error) {
	return w.engine(engine.JobUndo, wire.Map{"run": run}).Run(context.Background())
}

// A run that removed and changed flags, of what was done on either side, is
// undone: both sides are as they were, and stay so.
func TestUndoGivesBack(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		withUndo(t, w)
		for range 6 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		w.far.Add("Old", w.message())
		w.sync()
		before := w.far.Snapshot()
		far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
		w.far.Remove("INBOX", far[0].Key)
		w.near.Remove("INBOX", near[1].Key)
		w.near.Remove("Old", w.near.Snapshot()["Old"][0].Key)
		w.far.SetFlags("INBOX", far[2].Key, mail.NewFlags(`\Flagged`))
		w.near.SetFlags("INBOX", near[3].Key, mail.NewFlags(`\Seen`, `\Answered`))
		w.near.SetFlags("INBOX", near[4].Key, mail.NewFlags(`\Seen`, `\Deleted`))
		w.far.SetFlags("INBOX", far[5].Key, mail.Flags{})
		w.near.SetFlags("INBOX", near[5].Key, mail.NewFlags(`\Seen`, `\Flagged`))
		fresh := w.message()
		w.far.Add("INBOX", fresh)
		w.sync()
		require.Equal(t, 4, count(w.far, "INBOX"))

		r, err := w.undo(0)
		require.NoError(t, err)
		require.NoError(t, r.Err())
		w.sync()
		w.same()
		got := w.far.Snapshot()
		require.Len(t, got["INBOX"], 7, "what the run copied stays")
		want := flagsOf(before)
		want[string(fresh.Body)] = fresh.Flags
		require.Equal(t, want, flagsOf(got))
		w.still()

		_, err = w.undo(1000)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

func flagsOf(snapshot memory.Snapshot) map[string]mail.Flags {
	out := map[string]mail.Flags{}
	for _, list := range snapshot {
		for _, m := range list {
			out[string(m.Body)] = m.Flags
		}
	}
	return out
}

// What a run removed is kept before it is removed: killed at any moment, undo
// brings back everything that is missing, and doubles nothing.
func TestUndoOfAKilledRun(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "no-uidplus"} {
		for n := 0; ; n += stride() {
			w := newWorld(t, kind)
			withUndo(t, w)
			for range 4 {
				w.far.Add("INBOX", w.message())
			}
			w.sync()
			before := w.far.Snapshot()
			w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
			w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][1].Key)
			mend, breaker := w.killAt(n)
			_, killed := w.run()
			mend()
			if breaker.Seen() < n {
				require.NoError(t, killed)
				break
			}
			w.sync() // the next run goes on from there
			w.same()
			for range 2 { // the killed run, and the one after it
				_, err := w.undo(0)
				if err != nil {
					require.Equal(t, fault.NotFound, fault.CodeOf(err), "killed at %d: %v", n, err)
				}
			}
			w.sync()
			w.same()
			require.Equal(t, flagsOf(before), flagsOf(w.far.Snapshot()), "killed at moment %d", n)
			w.still()
		}
	}
}

// An undo that is killed is finished by the next sync or undo: nothing is doubled.
func TestKilledUndo(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "no-uidplus"} {
		for n, between := 0, true; ; between = !between {
			if between {
				n += stride()
			}
			w := newWorld(t, kind)
			withUndo(t, w)
			for range 3 {
				w.far.Add("INBOX", w.message())
			}
			w.sync()
			before := w.far.Snapshot()
			w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
			w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][1].Key, mail.NewFlags(`\Seen`))
			w.sync()
			mend, breaker := w.killAt(n)
			_, err := w.undo(0)
			mend()
			if breaker.Seen() < n {
				require.NoError(t, err)
				break
			}
			if between {
				w.sync()
			}
			_, err = w.undo(2)
			if err != nil {
				require.Equal(t, fault.Config, fault.CodeOf(err), "killed at %d: %v", n, err)
			}
			w.sync()
			w.same()
			require.Equal(t, 3, count(w.far, "INBOX"), "killed at moment %d", n)
			require.Equal(t, flagsOf(before), flagsOf(w.far.Snapshot()), "killed at moment %d", n)
		}
	}
}

func TestMoreThanUndoCanKeepIsRefused(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	withUndo(t, w)
	for range 5 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	w.policy.Undo.Size = 100
	for _, m := range w.near.Snapshot()["INBOX"][:4] {
		w.near.Remove("INBOX", m.Key)
	}
	_, err := w.run()
	require.Equal(t, fault.Guard, fault.CodeOf(err))
	require.Equal(t, 5, count(w.far, "INBOX"))
	w.policy.Undo.Size = 1 << 20
	w.sync()
	require.Equal(t, 1, count(w.far, "INBOX"))
	w.policy.Undo.Keep = -time.Hour // everything is too old
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	w.sync()
	r, err := w.undo(2)
	require.NoError(t, err)
	require.Zero(t, r.Restored, "it was kept too long")
	require.ErrorContains(t, r.Err(), "not kept any more", "what cannot be given back is a failure")
}

// A message that was moved, and flagged on the way, goes back to where it was,
// on the side where the user moved it and on the one where the run did.
func TestUndoOfMoves(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		withUndo(t, w)
		for range 4 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		w.far.Add("Archive", w.message())
		w.sync()
		before := w.far.Snapshot()
		w.near.Move("INBOX", w.near.Snapshot()["INBOX"][0].Key, "Archive")
		w.far.Move("INBOX", w.far.Snapshot()["INBOX"][1].Key, "Archive")
		for _, m := range w.near.Snapshot()["Archive"] {
			w.near.SetFlags("Archive", m.Key, mail.NewFlags(`\Seen`, `\Flagged`))
		}
		w.sync()
		require.Equal(t, 3, count(w.far, "Archive"))
		require.Equal(t, 2, count(w.near, "INBOX"))
		r, err := w.undo(0)
		require.NoError(t, err)
		require.NoError(t, r.Err())
		w.sync()
		w.same()
		require.Equal(t, flagsOf(before), flagsOf(w.far.Snapshot()))
		require.Equal(t, 4, count(w.far, "INBOX"))
		require.Equal(t, 1, count(w.far, "Archive"))
		w.still()
	})
}

// An undo of moves that is killed is finished by the next sync and undo.
func TestKilledUndoOfMoves(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "no-uidplus"} {
		for n := 0; ; n += stride() {
			w := newWorld(t, kind)
			withUndo(t, w)
			for range 3 {
				w.far.Add("INBOX", w.message())
			}
			w.far.Add("Archive", w.message())
			w.sync()
			w.near.Move("INBOX", w.near.Snapshot()["INBOX"][0].Key, "Archive")
			w.sync()
			mend, breaker := w.killAt(n)
			_, err := w.undo(0)
			mend()
			if breaker.Seen() < n {
				require.NoError(t, err)
				break
			}
			w.sync()
			w.same()
			require.Equal(t, 4, count(w.far, "INBOX")+count(w.far, "Archive"), "killed at moment %d", n)
			w.still()
		}
	}
}

// A folder that was renamed on one side, and therefore on the other, has its old
// name again on both; one that was removed is there again with its mail.
func TestUndoOfFolders(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap"} {
		w := newWorld(t, kind)
		withUndo(t, w)
		w.policy.Remove = engine.Both
		for range 2 {
			w.far.Add("INBOX", w.message())
			w.far.Add("Lists", w.message())
			w.far.Add("Old", w.message(`\Seen`))
		}
		w.sync()
		before := w.far.Snapshot()
		w.near.MoveFolder("Lists", "Mailing lists")
		w.near.DropFolder("Old")
		w.sync()
		require.Equal(t, 2, count(w.far, "Mailing lists"))
		require.NotContains(t, w.far.Snapshot(), "Old")
		r, err := w.undo(0)
		require.NoError(t, err)
		require.NoError(t, r.Err())
		w.sync()
		w.same()
		require.Equal(t, flagsOf(before), flagsOf(w.far.Snapshot()))
		for _, folder := range []string{"INBOX", "Lists", "Old"} {
			require.Equal(t, 2, count(w.far, folder), folder)
		}
		require.NotContains(t, w.far.Snapshot(), "Mailing lists")
		w.still()
	}
}
