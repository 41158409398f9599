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
	"github.com/imapfw/imapfw/host/mail"
)

// A server that takes its time to list its folders is not waited for to read what
// changed near.
func TestNearSideIsReadWhileTheFarOneLists(t *testing.T) {
	w := filled(t, "imap-maildir", 20)
	w.sync()
	w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Seen`, `\Flagged`))
	read := make(chan struct{})
	var once sync.Once
	readings := 0
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpChanges && c.Done {
			readings++
			once.Do(func() { close(read) })
		}
		return nil
	})
	w.far.SetHook(func(ctx context.Context, c memory.Call) error {
		if c.Op != memory.OpFolders || c.Done {
			return nil
		}
		select {
		case <-read:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("nothing is read meanwhile")
		}
	})
	r := w.sync()
	w.near.SetHook(nil)
	w.far.SetHook(nil)
	require.EqualValues(t, 1, r.FlagsFar)
	require.Equal(t, 1, readings, "it is read once")
	w.same()
	w.still()
}

// What was read too early for what the plan turns out to need is read again.
func TestNearSideThatWasReadInVain(t *testing.T) {
	for name, during := range map[string]func(w *world){
		"renamed far": func(w *world) { w.far.MoveFolder("Work", "Old") },
		"gone far":    func(w *world) { w.far.DropFolder("Work") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "imap-maildir")
			for range 20 {
				w.far.Add("Work", w.message())
			}
			w.sync()
			w.still()
			list := w.near.Snapshot()["Work"]
			w.near.Remove("Work", list[0].Key)
			w.near.SetFlags("Work", list[1].Key, mail.NewFlags(`\Flagged`))
			during(w)
			for range 2 {
				_, err := w.run()
				require.NoError(t, err)
			}
			require.Equal(t, 19, count(w.near, "Work")+count(w.near, "Old"))
			if name == "renamed far" {
				w.same()
			}
			w.still()
		})
	}
	t.Run("the reading fails", func(t *testing.T) {
		w := filled(t, "imap-maildir", 20)
		w.sync()
		w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
		failed := false
		w.near.SetHook(func(_ context.Context, c memory.Call) error {
			if c.Op == memory.OpChanges && !failed {
				failed = true
				return errors.New("the disk is tired")
			}
			return nil
		})
		require.EqualValues(t, 1, w.sync().RemovedFar)
		w.near.SetHook(nil)
		w.same()
	})
}

// A plan that fails after the reading was taken is made of a new one.
func TestNearSideIsReadAgainForTheNextTry(t *testing.T) {
	for _, op := range []memory.Op{memory.OpDescribe, memory.OpChanges} {
		for _, kind := range []string{"imap-maildir", "imap-imap", "maildir-maildir"} {
			w := filled(t, kind, 40)
			w.sync()
			near, far := w.near.Snapshot()["INBOX"], w.far.Snapshot()["INBOX"]
			w.near.SetFlags("INBOX", near[3].Key, mail.NewFlags(`\Flagged`))
			w.near.Remove("INBOX", near[4].Key)
			w.far.SetFlags("INBOX", far[20].Key, mail.NewFlags(`\Seen`, `\Answered`))
			w.far.SetHook(times(1, op, true, busy()))
			w.sync()
			w.far.SetHook(nil)
			w.same()
			w.still()
		}
	}
}

// What changed near in a folder that is not planned is no news: nobody is marked for it.
func TestFolderThatIsReadInVainIsNoNews(t *testing.T) {
	for name, out := range map[string]func(w *world){
		"gone far": func(w *world) { w.far.DropFolder("Archive") },
		"script": func(w *world) {
			w.hooks.OnFolder = func(_ context.Context, f engine.FolderPair) (bool, string, error) {
				return f.Name != "Archive", "it is left alone", nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := filled(t, "imap-maildir", 20)
			w.sync()
			out(w)
			w.still()
			before, err := w.state.Info(t.Context())
			require.NoError(t, err)
			w.near.SetFlags("Archive", w.near.Snapshot()["Archive"][0].Key, mail.NewFlags(`\Flagged`))
			for range 3 {
				w.still()
			}
			after, err := w.state.Info(t.Context())
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}
