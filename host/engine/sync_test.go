package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestFirstRunFillsTheEmptySide(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 20 {
			w.far.Add("INBOX", w.message(`\Seen`))
			w.far.Add("Lists/gö", w.message(`\Flagged`, "$Work"))
		}
		w.far.Add("Lists", w.message())
		w.near.Add("Sent", w.message(`\Seen`))
		r := w.sync()
		require.Equal(t, 41, r.Pulled)
		require.Equal(t, 1, r.Pushed)
		w.same()
		w.still()
		w.same()
	})
}

func TestChangesOnBothSidesMeet(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 10 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
		w.far.SetFlags("INBOX", far[0].Key, mail.NewFlags(`\Seen`))
		w.near.SetFlags("INBOX", near[0].Key, mail.NewFlags(`\Flagged`))
		w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Answered`))
		w.far.Remove("INBOX", far[2].Key)
		w.near.Remove("INBOX", near[3].Key)
		w.far.Remove("INBOX", far[4].Key)
		w.near.Remove("INBOX", near[4].Key)
		w.far.Add("INBOX", w.message())
		w.near.Add("INBOX", w.message())
		r := w.sync()
		require.Equal(t, 1, r.RemovedFar)
		require.Equal(t, 1, r.RemovedNear)
		w.same()
		require.Equal(t, 9, count(w.far, "INBOX"))
		flags := flagsByBody(w.far)
		require.Equal(t, mail.NewFlags(`\Seen`, `\Flagged`), flags[string(far[0].Body)])
		require.Equal(t, mail.NewFlags(`\Answered`), flags[string(near[1].Body)])
		w.still()
	})
}

func flagsByBody(s *memory.Store) map[string]mail.Flags {
	out := map[string]mail.Flags{}
	for _, list := range s.Snapshot() {
		for _, m := range list {
			out[string(m.Body)] = m.Flags
		}
	}
	return out
}

func TestMarkedAsDeletedIsExpungedOnBothSides(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 4 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Deleted`, `\Seen`))
		w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][1].Key, mail.NewFlags(`\Deleted`))
		w.sync()
		w.same()
		require.Equal(t, 2, count(w.far, "INBOX"))
		w.still()
	})
}

func TestWithoutExpungeRemovalsOnlyMark(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Expunge = engine.NoSide
	w.far.Add("INBOX", w.message())
	w.sync()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	w.sync()
	require.True(t, w.far.Snapshot()["INBOX"][0].Flags.Has(mail.Deleted))
	require.Zero(t, count(w.near, "INBOX"))
	w.still()
	require.Zero(t, count(w.near, "INBOX"), "a removed message came back")
}

func TestOperationsThatAreNotAllowedAreCaughtUpLater(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.Push = engine.OpsNone
		w.far.Add("INBOX", w.message())
		w.far.Add("INBOX", w.message())
		w.sync()
		near := w.near.Snapshot()["INBOX"]
		w.near.Add("INBOX", w.message())
		w.near.SetFlags("INBOX", near[0].Key, mail.NewFlags(`\Flagged`))
		w.near.Remove("INBOX", near[1].Key)
		w.still()
		w.still()
		require.Equal(t, 2, count(w.far, "INBOX"))
		require.Equal(t, 2, count(w.near, "INBOX"), "a message removed near must not come back")
		w.policy.Push = engine.OpsAll
		r := w.sync()
		require.Equal(t, 1, r.Pushed)
		require.Equal(t, 1, r.RemovedFar)
		require.Equal(t, 1, r.FlagsFar)
		w.same()
		w.still()
	})
}

func TestConflictOfRemovalAndFlags(t *testing.T) {
	for conflict, left := range map[engine.Conflict]int{
		engine.ConflictRemove: 0, engine.ConflictKeep: 1, engine.ConflictFar: 0, engine.ConflictNear: 1,
	} {
		t.Run(string(conflict), func(t *testing.T) {
			w := newWorld(t, "imap-maildir")
			w.policy.Conflict = conflict
			w.far.Add("INBOX", w.message())
			w.sync()
			w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
			w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Flagged`))
			w.sync()
			require.Equal(t, left, count(w.far, "INBOX"))
			w.same()
			w.still()
		})
	}
}

func TestTwoFilledSidesArePairedByIdentity(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		empty := memory.Message{Date: time.Unix(1_700_000_000, 0)}
		for n := range 10 {
			m := numbered(100 + n)
			w.far.Add("INBOX", m)
			if n != 3 {
				m.Flags = mail.NewFlags(`\Seen`)
				w.near.Add("INBOX", m)
			}
		}
		// Equal in all, twice here and three times there; equal headers, other bodies.
		for range 2 {
			w.far.Add("INBOX", empty)
		}
		for range 3 {
			w.near.Add("INBOX", empty)
		}
		draft := numbered(500)
		w.far.Add("INBOX", draft)
		other := draft
		other.Body = append([]byte(nil), draft.Body...)
		other.Body[len(other.Body)-2] = 'X'
		w.near.Add("INBOX", other)
		w.near.Add("INBOX", draft)
		r := w.sync()
		require.Equal(t, 1, r.Pulled, "only what near lacked")
		require.Equal(t, 2, r.Pushed, "the third empty message and the other draft")
		require.Zero(t, r.RemovedFar+r.RemovedNear)
		w.same()
		w.still()
	})
}

func TestLostStateDoublesNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 10 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		w.sync()
		other := newWorld(t, "imap-maildir")
		w.state = other.state
		w.still()
		require.Equal(t, 10, count(w.far, "INBOX"))
		w.same()
	})
}

func TestRenumberedFolderIsPairedAnew(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	for range 10 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
	w.far.Renumber("INBOX")
	r := w.sync()
	require.Zero(t, r.RemovedNear, "nothing is removed when keys cannot be trusted")
	require.Equal(t, 1, r.Pushed)
	require.NotEmpty(t, r.Notes)
	w.same()
	w.still()
}

func TestServerRestoredFromABackup(t *testing.T) {
	for _, again := range []int{0, 3, 10, 30} { // UIDs given a second time: fewer, as many, more
		w := newWorld(t, "imap-maildir")
		for range 20 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		backup := w.far.Backup()
		for range 10 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		w.far.Restore(backup)
		for range again {
			w.far.Add("INBOX", w.message())
		}
		r := w.sync()
		require.Zero(t, r.RemovedNear)
		require.Zero(t, r.RemovedFar)
		require.NotEmpty(t, r.Notes, "the user is told")
		require.Equal(t, 30+again, count(w.near, "INBOX"))
		w.same()
		w.still()
	}
}

func TestMaildirRestoredFromABackup(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	for range 20 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	backup := w.near.Backup()
	for range 10 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	w.near.Restore(backup)
	r := w.sync()
	require.Zero(t, r.RemovedFar, "mail missing from a backup was taken for removed")
	require.NotEmpty(t, r.Notes)
	require.Equal(t, 30, count(w.near, "INBOX"))
	w.same()
	w.still()
	w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
	require.Equal(t, 1, w.sync().RemovedNear, "the run after that trusts again")
}

func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.dry = true
	w.far.Add("INBOX", w.message())
	w.far.Add("Other", w.message())
	before := w.near.Snapshot()
	w.sync()
	require.Empty(t, before.Diff(w.near.Snapshot()))
	folders, err := w.state.Folders(context.Background())
	require.NoError(t, err)
	require.Empty(t, folders)
}

func TestFailedMessagesAreReportedAndTriedAgain(t *testing.T) {
	refused := fault.New(fault.Refused, "", "the server said no")
	for _, tc := range []struct {
		name string
		hook func(w *world)
	}{
		{"fetch", func(w *world) { w.far.SetHook(failNext(memory.OpBody, 3, refused)) }},
		{"append", func(w *world) { w.far.SetHook(failNext(memory.OpStore, 2, refused)) }},
		{"store", func(w *world) { w.far.SetHook(failNext(memory.OpApply, 1, refused)) }},
		{"select", func(w *world) { w.far.SetHook(failNext(memory.OpChanges, 1, refused)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "eager-maildir")
			for range 3 {
				w.far.Add("INBOX", w.message())
			}
			w.sync()
			for range 5 {
				w.far.Add("INBOX", w.message())
				w.near.Add("INBOX", w.message())
				w.far.Add("Other", w.message())
			}
			for _, m := range w.near.Snapshot()["INBOX"][:2] {
				w.near.SetFlags("INBOX", m.Key, mail.NewFlags(`\Seen`))
			}
			tc.hook(w)
			r, err := w.run()
			require.NoError(t, err)
			require.ErrorIs(t, r.Err(), fault.Partial)
			require.Len(t, r.Failures, 1)
			require.NotZero(t, r.Pulled, "the rest is done")
			w.far.SetHook(nil)
			w.sync()
			w.same()
			w.still()
		})
	}
}

// failNext fails the nth time of op from now on.
func failNext(op memory.Op, n int, err error) memory.Hook {
	var mu sync.Mutex
	return func(_ context.Context, c memory.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Op != op || c.Done {
			return nil
		}
		if n--; n == 0 {
			return err
		}
		return nil
	}
}

func TestHooksDecide(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	var asked []string
	w.hooks = engine.Hooks{
		OnFolder: func(_ context.Context, f engine.FolderPair) (bool, string, error) {
			return f.Name != "Junk", "junk", nil
		},
		OnMessage: func(ctx context.Context, b *engine.Batch) error {
			ds, err := b.Describe(ctx)
			require.NoError(t, err)
			require.Len(t, ds, len(b.Metas))
			asked = append(asked, b.Folder)
			b.Skip(b.Metas[0].Key, "because")
			return nil
		},
	}
	for range 3 {
		w.far.Add("INBOX", w.message())
		w.far.Add("Junk", w.message())
	}
	r := w.sync()
	require.Equal(t, []string{"INBOX"}, asked)
	require.Equal(t, 2, r.Pulled)

	w.hooks = engine.Hooks{OnPlan: func(_ context.Context, p *engine.Plan) error {
		require.Equal(t, 3, p.Total(engine.OpPull))
		return fault.New(fault.Guard, "", "no")
	}}
	_, err := w.run()
	require.ErrorIs(t, err, fault.Guard)
	require.Zero(t, count(w.near, "Junk"))

	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		for _, s := range p.Steps(engine.OpPull, "Junk", 0) {
			var one mail.KeySet
			for k := range s.Keys().All() {
				one.Add(k)
				break
			}
			require.Equal(t, 1, p.Drop(s.ID, &one, "later"))
		}
		return nil
	}
	w.sync()
	require.Equal(t, 2, count(w.near, "Junk"))
	w.hooks = engine.Hooks{}
	w.sync()
	require.Equal(t, 3, count(w.near, "Junk"), "what a script dropped is looked at again")
}

func TestConvertWantsAnEmptySide(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.convert = true
	w.far.Add("INBOX", w.message())
	w.near.Add("INBOX", w.message())
	_, err := w.run()
	require.ErrorIs(t, err, fault.Guard)

	w = newWorld(t, "imap-maildir")
	w.convert = true
	for range 5 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	require.Equal(t, 5, w.sync().Pulled)
	w.same()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	w.sync()
	require.Equal(t, 5, count(w.far, "INBOX"), "a conversion never writes to its source")
	w.near.Add("INBOX", w.message())
	w.far.Add("INBOX", w.message())
	require.Equal(t, 1, w.sync().Pulled, "what was added on the other side afterwards is left alone")
	require.Equal(t, 6, count(w.far, "INBOX"))
}

func TestDrainingStopsBetweenBatches(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	for range 4000 {
		w.far.Add("INBOX", w.message())
	}
	draining := make(chan struct{})
	e := engine.New(engine.Config{Far: w.far, Near: w.near, State: w.state, Policy: w.policy, Draining: draining,
		Emit: func(name string, data any) {
			if m := data.(map[string]any); name == "progress" && m["done"].(int64) == 500 {
				close(draining)
			}
		}})
	_, err := e.Run(context.Background())
	require.ErrorIs(t, err, fault.Stopped)
	require.Less(t, count(w.near, "INBOX"), 4000)
	folders, err := w.state.Folders(t.Context())
	require.NoError(t, err)
	require.Zero(t, folders[0].Open, "what was announced and not begun is called off")
	w.sync()
	w.same()
}

func TestEveryErrorOfAStoreSurfaces(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.near.SetHook(memory.Fail(memory.OpCommit, 0, fault.New(fault.DiskFull, "commit", "no space")))
	_, err := w.run()
	require.ErrorIs(t, err, fault.DiskFull)
	w.near.SetHook(nil)
	w.state.breaker = memory.NewBreaker(0)
	_, err = w.run()
	require.True(t, errors.Is(err, errKilled))
	w.state.breaker = nil
	w.sync()
	w.same()
}

// A script is asked about every message, however many of them it leaves out.
func TestEveryMessageIsAskedAbout(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	asked := map[mail.Key]int{}
	w.hooks.OnMessage = func(_ context.Context, b *engine.Batch) error {
		for _, m := range b.Metas {
			asked[m.Key]++
			if len(asked) <= 700 {
				b.Skip(m.Key, "one of the first")
			}
		}
		return nil
	}
	for range 2300 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	require.Equal(t, 2300, len(asked))
	for key, n := range asked {
		require.Equal(t, 1, n, key)
	}
	require.Equal(t, 1600, count(w.near, "INBOX"))
}
