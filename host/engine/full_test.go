package engine_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

var noSpace = fault.New(fault.DiskFull, "deliver", "no space left on device")

// A disk that fills up keeps what had room. The other side gets what it is to
// get, nothing is removed where content is missing, and the run ends with the
// error; the next one, with room again, completes.
func TestADiskThatFillsUp(t *testing.T) {
	for _, op := range []memory.Op{memory.OpDeliver, memory.OpCommit, memory.OpCreateFolder} {
		w := newWorld(t, "imap-maildir")
		for range 4 {
			w.far.Add("INBOX", w.message())
			w.far.Add("Other", w.message())
		}
		w.sync()
		gone := w.far.Snapshot()["Other"][1].Key
		w.far.Remove("Other", gone)
		w.near.SetFlags("Other", w.near.Snapshot()["Other"][0].Key, mail.NewFlags(`\Flagged`))
		w.near.Add("Other", w.message())
		for range 6 {
			w.far.Add("INBOX", w.message())
		}
		w.far.Add("New", w.message())
		room := 2
		w.near.SetHook(oneByOne(func(_ context.Context, c memory.Call) error {
			if c.Op != op || c.Done || op == memory.OpCommit && c.Folder != "INBOX" {
				return nil
			}
			if room--; room >= 0 && op == memory.OpDeliver {
				return nil
			}
			return noSpace
		}))
		r, err := w.run()
		require.ErrorIs(t, err, fault.DiskFull, op)
		require.Equal(t, 1, r.Pushed, "the other side has room")
		require.Equal(t, 1, r.FlagsFar)
		if op == memory.OpDeliver {
			require.Equal(t, 2, r.Pulled, "what had room is there")
		}
		require.Zero(t, r.RemovedNear)
		w.near.SetHook(nil)
		w.sync()
		w.same()
		require.Equal(t, 10, count(w.near, "INBOX"))
		w.still()
	}
}

// stateWithout is a state whose disk is full after so many commits.
type stateWithout struct {
	state.Store
	room atomic.Int64
}

func (s *stateWithout) Commit(ctx context.Context, folder string, c *state.Change) error {
	if s.room.Add(-1) < 0 {
		return fault.New(fault.DiskFull, "record", "database or disk is full")
	}
	return s.Store.Commit(ctx, folder, c)
}

// Where the state has no room, the run ends, wherever that happens; the next one
// loses and doubles nothing.
func TestAStateThatFillsUp(t *testing.T) {
	for kind := range kinds {
		for room := 0; ; room++ {
			w := busyWorld(t, kind)
			kept := w.state
			little := &stateWithout{Store: kept.Store}
			little.room.Store(int64(room))
			w.state = &brittle{Store: little}
			_, err := w.run()
			w.state = kept
			if err == nil {
				require.Greater(t, room, 5)
				break
			}
			require.ErrorIs(t, err, fault.DiskFull)
			w.sync()
			w.same()
			require.Equal(t, 10, count(w.far, "INBOX"), "%s, with room for %d commits", kind, room)
			require.Equal(t, 10, count(w.far, "Other"), "%s, with room for %d commits", kind, room)
			w.still()
		}
	}
}

// A connection that never lasts long gets a little further each time.
func TestAConnectionThatNeverLasts(t *testing.T) {
	for _, side := range []string{"source", "target"} {
		w := newWorld(t, "imap-maildir")
		for range 20 {
			w.far.Add("INBOX", w.message())
		}
		n := 0
		hook := oneByOne(func(_ context.Context, c memory.Call) error {
			if (c.Op == memory.OpBody || c.Op == memory.OpStore) && !c.Done {
				if n++; n%4 == 0 {
					return cut()
				}
			}
			return nil
		})
		if side == "source" {
			w.far.SetHook(hook)
		} else {
			w.near.SetHook(hook)
		}
		before := 0
		for range 3 {
			_, _ = w.run()
			now := count(w.near, "INBOX")
			require.GreaterOrEqual(t, now, min(20, before+6), side)
			before = now
		}
		require.Equal(t, 20, before)
		w.far.SetHook(nil)
		w.near.SetHook(nil)
		w.sync()
		w.same()
	}
}

// Where nothing more finds room, the rest is not sent to be refused, and that is
// told once; the next run tries again.
func TestAFullMailboxIsToldOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.batch = 500 // of fewer than three messages nothing is concluded
		p := &picky{word: "Message-ID", err: fault.New(fault.Quota, "append", "over quota")}
		w.far.Refuse(p.refuse)
		for range 3000 {
			w.near.Add("INBOX", w.message())
		}
		w.near.Add("Other", w.message())
		r, err := w.run()
		require.NoError(t, err)
		require.Len(t, r.Failures, 2, "one for each folder")
		require.ErrorContains(t, r.Err(), "failed")
		require.Less(t, p.given, 2000)
		require.Empty(t, r.Refused)
		w.far.Refuse(nil)
		w.sync()
		w.same()
		w.still()
	})
}
