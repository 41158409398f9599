package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func busy() *fault.Error { return fault.New(fault.Busy, "", "in use").AsTemporary() }
func cut() *fault.Error  { return fault.New(fault.Network, "", "dropped").AsTemporary() }

// oneByOne makes a hook that counts safe for the lanes of an engine.
func oneByOne(hook memory.Hook) memory.Hook {
	var mu sync.Mutex
	return func(ctx context.Context, c memory.Call) error {
		mu.Lock()
		defer mu.Unlock()
		return hook(ctx, c)
	}
}

// times lets the first of an operation fail so many times.
func times(n int, op memory.Op, after bool, err error) memory.Hook {
	return oneByOne(func(_ context.Context, c memory.Call) error {
		if c.Op != op || c.Done != after || n == 0 {
			return nil
		}
		n--
		return err
	})
}

// busyWorld has something to do of every kind, in two folders.
func busyWorld(t require.TestingT, kind string) *world {
	w := newWorld(t, kind)
	for _, folder := range []string{"INBOX", "Other"} {
		for range 6 {
			w.far.Add(folder, w.message())
		}
	}
	w.sync()
	for _, folder := range []string{"INBOX", "Other"} {
		far, near := w.far.Snapshot()[folder], w.near.Snapshot()[folder]
		w.far.SetFlags(folder, far[0].Key, mail.NewFlags(`\Seen`))
		w.near.SetFlags(folder, near[1].Key, mail.NewFlags(`\Flagged`))
		w.far.Remove(folder, far[2].Key)
		w.near.Remove(folder, near[3].Key)
		for range 3 {
			w.far.Add(folder, w.message())
			w.near.Add(folder, w.message())
		}
	}
	return w
}

// Whatever hiccups once, before or after it had its effect, on either side: the
// run gets over it, with nothing lost and nothing doubled.
func TestAHiccupDoesNotEndARun(t *testing.T) {
	for kind := range kinds {
		for _, op := range []memory.Op{memory.OpBodies, memory.OpBody, memory.OpReserve, memory.OpDeliver, memory.OpStore,
			memory.OpCommit, memory.OpPlace, memory.OpChange, memory.OpApply} {
			for _, after := range []bool{false, true} {
				for name, err := range map[string]*fault.Error{"busy": busy(), "cut": cut()} {
					if after && name == "busy" {
						continue // an answer says what was done
					}
					for _, far := range []bool{true, false} {
						w := busyWorld(t, kind)
						side := w.near
						if far {
							side = w.far
						}
						side.SetHook(times(1, op, after, err))
						what := fmt.Sprintf("%s, %s %s, after %v, far %v", kind, op, name, after, far)
						r, runErr := w.run()
						require.NoError(t, runErr, what)
						require.NoError(t, r.Err(), what)
						require.Empty(t, w.far.Snapshot().Diff(w.near.Snapshot()), what)
						require.Equal(t, 10, count(w.far, "INBOX"), what)
						require.Equal(t, 10, count(w.far, "Other"), what)
						side.SetHook(nil)
						w.still()
					}
				}
			}
		}
	}
}

// A folder that cannot be read for a moment is read again before anything is
// written.
func TestAFolderIsReadAgain(t *testing.T) {
	w := busyWorld(t, "imap-maildir")
	w.far.SetHook(times(2, memory.OpChanges, false, busy()))
	w.sync()
	w.same()
}

// What does not pass is tried a few times, reported once, and the rest is done.
func TestWhatDoesNotPassIsGivenUp(t *testing.T) {
	for _, op := range []memory.Op{memory.OpChanges, memory.OpBodies, memory.OpReserve, memory.OpDeliver, memory.OpCommit, memory.OpChange} {
		w := busyWorld(t, "imap-maildir")
		tries := 0
		w.far.SetHook(oneByOne(func(_ context.Context, c memory.Call) error {
			if c.Op != op || c.Folder != "Other" || c.Done {
				return nil
			}
			tries++
			return busy()
		}))
		r, err := w.run()
		require.NoError(t, err)
		require.ErrorIs(t, r.Err(), fault.Partial)
		require.True(t, fault.IsTemporary(r.Err()))
		require.Len(t, r.Failures, 1, op)
		require.GreaterOrEqual(t, tries, 3, op)
		require.LessOrEqual(t, tries, 12, op)
		require.Empty(t, w.far.Snapshot().Diff(map[string][]memory.Message{
			"INBOX": w.near.Snapshot()["INBOX"], "Other": w.far.Snapshot()["Other"]}), op)
		w.far.SetHook(nil)
		w.sync()
		w.same()
		require.Equal(t, 10, count(w.far, "Other"))
	}
	w := busyWorld(t, "imap-maildir") // nor does a network that is down
	w.far.SetHook(memory.Fail(memory.OpCommit, 0, cut()))
	_, err := w.run()
	require.ErrorIs(t, err, fault.Network)
	w.far.SetHook(nil)
	w.sync()
	w.same()
	require.Equal(t, 10, count(w.far, "Other"))
}

// What is no hiccup is not tried again.
func TestWhatIsForGoodIsTriedOnce(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	tries := 0
	w.near.SetHook(oneByOne(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpReserve && !c.Done {
			tries++
			return fault.New(fault.Permission, "", "not yours")
		}
		return nil
	}))
	r, err := w.run()
	require.NoError(t, err)
	require.Len(t, r.Failures, 1)
	require.Equal(t, 1, tries)
}

// Content is copied before anything is removed in the whole account, also when
// the copying takes several attempts.
func TestNothingIsRemovedBeforeAllIsCopied(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	for _, folder := range []string{"A", "B"} {
		w.far.Add(folder, w.message())
		w.far.Add(folder, w.message())
	}
	w.sync()
	w.far.Remove("A", w.far.Snapshot()["A"][0].Key)
	w.far.Add("B", w.message())
	failed, checked := false, false
	w.near.SetHook(oneByOne(func(_ context.Context, c memory.Call) error {
		switch {
		case c.Op == memory.OpCommit && c.Folder == "B" && !failed:
			failed = true
			return busy()
		case c.Op == memory.OpChange && c.Folder == "A" && !c.Done:
			checked = true
			require.Equal(t, 3, count(w.near, "B"))
		}
		return nil
	}))
	w.sync()
	require.True(t, failed && checked)
	w.same()
}

// A server that says for how long it wants to be left alone is, unless that is
// too long for a run.
func TestAServerIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	for after, waits := range map[time.Duration]bool{30 * time.Second: true, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "imap-maildir")
			w.far.Add("INBOX", w.message())
			asked := busy()
			asked.After = after
			w.near.SetHook(times(1, memory.OpReserve, false, asked))
			begun := time.Now()
			r, err := w.run()
			require.NoError(t, err)
			require.Equal(t, waits, r.Err() == nil)
			require.Equal(t, waits, time.Since(begun) >= after)
			require.Less(t, time.Since(begun), 2*time.Minute)
		})
	}
}

// A run that is asked to stop while it waits stops, and tells what it had put off.
func TestStoppedWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "imap-maildir")
		w.far.Add("INBOX", w.message())
		w.near.SetHook(memory.Fail(memory.OpReserve, 0, busy()))
		draining := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(draining) })
		begun := time.Now()
		r, err := w.between(w.far, w.near, func(c *engine.Config) { c.Pause, c.Draining = time.Minute, draining })
		require.ErrorIs(t, err, fault.Stopped)
		require.Len(t, r.Failures, 1)
		require.Equal(t, time.Second, time.Since(begun))
	})
}
