package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A folder that a run created and did not finish is known by its epoch all the
// same: made anew by somebody else, it is not taken for one that was emptied.
func TestFolderRemadeAfterAnInterruptedFirstRun(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap"} {
		w := newWorld(t, kind)
		for range 5 {
			w.far.Add("New", w.message())
		}
		w.far.SetHook(failNext(memory.OpBody, 5, fault.New(fault.Refused, "", "no")))
		r, err := w.run()
		require.NoError(t, err)
		require.Equal(t, 4, r.Pulled)
		w.far.SetHook(nil)
		w.near.DropFolder("New")
		w.near.AddFolder("New")
		r = w.sync()
		require.Zero(t, r.RemovedFar, "an emptied folder that was made anew removed mail")
		require.Equal(t, 5, count(w.far, "New"))
		w.same()
		w.still()
	}
}

// A reading that another program disturbed does not tell what arrived: a
// delivery that it does not show is not made again.
func TestUnsureReadingAfterAKill(t *testing.T) {
	for n := 0; ; n += stride() {
		w := newWorld(t, "imap-maildir")
		w.far.Add("INBOX", w.message())
		mend, breaker := w.killAt(n)
		_, _ = w.run()
		mend()
		if breaker.Seen() < n {
			break
		}
		near := &odd{Store: w.near, swallow: map[mail.Key]bool{}}
		near.result = func(res mail.Result) mail.Result { res.Unsure = true; return res }
		for _, m := range w.near.Snapshot()["INBOX"] {
			near.swallow[m.Key] = true
		}
		_, _ = w.between(w.far, near)
		w.sync()
		require.Equal(t, 1, count(w.near, "INBOX"), "killed at moment %d", n)
		require.Equal(t, 1, count(w.far, "INBOX"), "killed at moment %d", n)
	}
}

func TestUnsureReadingOfTwoFilledSides(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	near := &odd{Store: w.near, swallow: map[mail.Key]bool{}}
	near.result = func(res mail.Result) mail.Result { res.Unsure = true; return res }
	for range 2 {
		m := w.message()
		w.far.Add("INBOX", m)
		near.swallow[w.near.Add("INBOX", m)] = true
		clear(near.swallow)
	}
	near.swallow[w.near.Snapshot()["INBOX"][0].Key] = true
	_, _ = w.between(w.far, near)
	w.sync()
	require.Equal(t, 2, count(w.near, "INBOX"))
	require.Equal(t, 2, count(w.far, "INBOX"))
	w.still()
}

// An intent names its source by a key, which another message may have by now.
func TestRenumberedWhileAnIntentIsOpen(t *testing.T) {
	for n := 0; ; n += stride() {
		w := newWorld(t, "imap-maildir")
		for range 3 {
			w.far.Add("INBOX", w.message())
		}
		mend, breaker := w.killAt(n)
		_, _ = w.run()
		mend()
		if breaker.Seen() < n {
			break
		}
		w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
		w.far.Renumber("INBOX")
		w.sync()
		w.same()
		w.still()
		bodies := map[string]int{}
		for _, m := range w.far.Snapshot()["INBOX"] {
			bodies[string(m.Body)]++
		}
		require.GreaterOrEqual(t, len(bodies), 2, "killed at moment %d", n)
		for _, c := range bodies {
			require.Equal(t, 1, c, "killed at moment %d", n)
		}
		// Each pair is of one message: what is removed here goes there.
		gone := w.far.Snapshot()["INBOX"][0]
		w.far.Remove("INBOX", gone.Key)
		w.sync()
		w.same()
		require.NotContains(t, flagsByBody(w.near), string(gone.Body))
	}
}

// A run that was stopped half way has changed the near side too: a backup from
// before it is recognised.
func TestBackupFromBeforeARunThatFailed(t *testing.T) {
	for n := 0; ; n += stride() {
		w := newWorld(t, "imap-maildir")
		w.far.Add("INBOX", w.message())
		w.sync()
		backup := w.near.Backup()
		for range 5 {
			w.far.Add("INBOX", w.message())
		}
		mend, breaker := w.killAt(n)
		_, _ = w.run()
		mend()
		if breaker.Seen() < n {
			break
		}
		w.near.Restore(backup)
		r := w.sync()
		require.Zero(t, r.RemovedFar, "killed at moment %d", n)
		w.same()
		require.Equal(t, 6, count(w.far, "INBOX"))
	}
}

// A backup that was made while a run was at work is not what the state knows.
func TestBackupFromTheMiddleOfARun(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.sync()
	for range 5 {
		w.far.Add("INBOX", w.message())
	}
	var backup *memory.Backup
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpCommit && !c.Done && backup == nil {
			backup = w.near.Backup()
		}
		return nil
	})
	w.sync()
	w.near.SetHook(nil)
	require.NotNil(t, backup)
	w.near.Restore(backup)
	require.Zero(t, w.sync().RemovedFar)
	require.Equal(t, 6, count(w.far, "INBOX"))
	w.same()
}

// A state from the middle of a run knows of less than that run did: to the next one, what
// it removed near would look like the user's wish.
func TestStateFromTheMiddleOfARun(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	dir, copied := t.TempDir(), t.TempDir()
	in := func(dir string) state.Store {
		s := state.New(state.Options{Dir: dir, Identity: state.Identity{Account: "a"}})
		require.NoError(t, s.Open(t.Context()))
		return s
	}
	w.state.Store = in(dir)
	w.policy.MaxMessages = 10
	for range 10 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.sync()
	for range 5 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpCommit && !c.Done {
			for _, name := range []string{"state.db", "state.db-wal"} {
				content, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(copied, name), content, 0o600))
			}
		}
		return nil
	})
	require.EqualValues(t, 5, w.sync().Expired)
	w.near.SetHook(nil)
	require.NoError(t, w.state.Close())
	w.state.Store = in(copied)
	for range 2 {
		require.Zero(t, w.sync().RemovedFar)
	}
	require.Equal(t, 15, count(w.far, "INBOX"))
	require.NoError(t, w.state.Close())
}

// Being killed again and again while a run begins casts no doubt on anything.
func TestKilledTwiceWhileBeginning(t *testing.T) {
	for n := range 24 {
		for m := range 24 {
			w := newWorld(t, "maildir-maildir")
			w.far.Add("INBOX", w.message())
			w.far.Add("INBOX", w.message())
			w.sync()
			w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
			for _, at := range []int{n, m} {
				mend, _ := w.killAt(at)
				_, _ = w.run()
				mend()
			}
			w.sync()
			w.same()
			require.Equal(t, 1, count(w.far, "INBOX"), "killed at moments %d, %d: a removal was undone", n, m)
		}
	}
}

// A near side that was replaced by an empty one gets its folders back too.
func TestReplacedSideGetsItsFoldersBack(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.far.Add("Work", w.message())
	w.sync()
	w.near = memory.New(memory.Options{Maildir: true})
	require.NoError(t, w.near.Open(context.Background()))
	w.sync()
	w.same()
	require.Equal(t, 1, count(w.near, "Work"))
	w.still()
}

// Two accounts that share a side mark it at the same time.
func TestAccountsThatShareASideKeepTheirMarks(t *testing.T) {
	one, two := newWorld(t, "imap-maildir"), newWorld(t, "imap-maildir")
	two.near = one.near
	two.serial = 1000
	one.far.Add("One", one.message())
	two.far.Add("Two", two.message())
	one.sync()
	two.sync()
	for range 3 {
		one.far.Add("One", one.message())
		two.far.Add("Two", two.message())
		nested := false
		one.near.SetHook(func(_ context.Context, c memory.Call) error {
			if c.Op == memory.OpSetStamp && !c.Done && !nested {
				nested = true
				require.Empty(t, two.sync().Notes)
			}
			return nil
		})
		require.Empty(t, one.sync().Notes, "a mark was lost")
		one.near.SetHook(nil)
	}
}

// A doubt outlives the run that had it: killed at any moment, or looking into
// some folders only, that run has marked both sides, and still nothing that a
// restored side lacks counts as removed there.
func TestDoubtOutlivesItsRun(t *testing.T) {
	restored := func() *world {
		w := newWorld(t, "imap-maildir")
		for _, folder := range []string{"INBOX", "Work"} {
			w.far.Add(folder, w.message())
		}
		w.sync()
		backup := w.near.Backup()
		for range 5 {
			w.far.Add("INBOX", w.message())
			w.far.Add("Work", w.message())
		}
		w.far.Add("Later", w.message())
		w.sync()
		w.near.Restore(backup)
		return w
	}
	complete := func(w *world, when string) {
		r := w.sync()
		require.Zero(t, r.RemovedFar, when)
		require.Empty(t, w.far.Snapshot().Diff(w.near.Snapshot()), when)
		require.Equal(t, 6, count(w.near, "Work"))
		w.still()
	}
	for n := 0; ; n += stride() {
		w := restored()
		mend, breaker := w.killAt(n)
		_, _ = w.run()
		mend()
		if breaker.Seen() < n {
			break
		}
		complete(w, fmt.Sprintf("killed at moment %d", n))
	}
	w := restored()
	w.once.Folders = []string{"INBOX"}
	w.sync()
	require.Equal(t, 6, count(w.near, "INBOX"))
	require.Equal(t, 1, count(w.near, "Work"))
	w.once.Folders = nil
	complete(w, "after a run over some folders")
}
