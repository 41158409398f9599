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
)

func TestSomeFoldersOnly(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for _, folder := range []string{"INBOX", "Work", "Lists/go"} {
			w.far.Add(folder, w.message())
			w.near.Add(folder, w.message())
		}
		w.once.Folders = []string{"inbox", "Lists/go"}
		r := w.sync()
		require.Equal(t, 2, r.Pulled)
		require.Equal(t, 2, r.Pushed)
		require.Equal(t, 1, count(w.near, "Work"))
		w.once.Folders = nil
		r = w.sync()
		require.Equal(t, 1, r.Pulled)
		require.Equal(t, 1, r.Pushed)
		w.same()
		w.still()
	})
}

func TestFolderThatIsNotThere(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("Archive/2024", w.message())
	w.far.Add("INBOX", w.message())
	for _, typed := range []string{"Archive", "archive/2024", "2024"} {
		w.once.Folders = []string{"INBOX", typed}
		_, err := w.run()
		require.ErrorIs(t, err, fault.Config)
		require.ErrorContains(t, err, `there is no folder "`+typed+`" (there is "Archive/2024")`)
		require.Zero(t, count(w.near, "INBOX"), "the folder that is there was synced all the same")
	}
	w.once.Folders = []string{"xyz"}
	_, err := w.run()
	require.ErrorContains(t, err, "there are 2 folders")
}

func TestFarNamesOfFolders(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("Sent", w.message())
	w.far.Add("Work", w.message())
	w.farNames = func(near string) []string {
		return map[string][]string{"Sent": {"Sent Mail", "Gesendet"}, "Work": {"Work", "Gesendet"}}[near]
	}
	w.once.Folders = []string{"Sent Mail"}
	require.Equal(t, 1, w.sync().Pulled)
	require.Equal(t, 1, count(w.near, "Sent"))
	w.once.Folders = []string{"Gesendet"}
	_, err := w.run()
	require.ErrorContains(t, err, `may be any of "Sent", "Work"`)
}

// A run over some folders cannot see where a message went that is gone from one
// of them: as long as it may have been moved, its other copy stays.
func TestMovedOutOfTheFoldersOfARun(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 3 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		w.far.Add("Work", w.message())
		w.sync()
		moved := w.near.Snapshot()["INBOX"][0]
		w.near.Move("INBOX", moved.Key, "Work")
		gone := w.near.Snapshot()["INBOX"][0]
		w.near.Remove("INBOX", gone.Key)
		w.once.Folders = []string{"INBOX"}
		for range 2 {
			r := w.sync()
			require.Zero(t, r.RemovedFar, "what was moved elsewhere was removed")
			require.Contains(t, r.Notes[0].Text, "2 messages that are gone on the near side are left alone")
		}
		require.Equal(t, 3, count(w.far, "INBOX"))
		w.once.Folders = nil
		w.sync()
		w.same()
		require.Equal(t, 1, count(w.far, "INBOX"))
		require.Equal(t, 2, count(w.far, "Work"))
		require.Contains(t, flagsByBody(w.far), string(moved.Body))
		w.still()
	})
}

// Where no other folder changed, a message that is gone was removed.
func TestRemovedWhereNoOtherFolderChanged(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 3 {
			w.far.Add("INBOX", w.message())
			w.far.Add("Work", w.message())
		}
		w.sync()
		w.still() // the cursors have come to rest
		w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
		w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][2].Key, mail.NewFlags(`\Deleted`))
		w.once.Folders = []string{"INBOX"}
		r := w.sync()
		require.Equal(t, 2, r.RemovedFar)
		require.Empty(t, r.Notes)
		w.once.Folders = nil
		w.still()
		w.same()
	})
}

func TestOnlySomeOperations(t *testing.T) {
	for name, c := range map[string]struct {
		once engine.Once
		want string // what is done: letters of new, flags, removed and created, by side
	}{
		"only new":   {engine.Once{NarrowPull: true, NarrowPush: true, Pull: engine.OpNew, Push: engine.OpNew}, "pull push create"},
		"only flags": {engine.Once{NarrowPull: true, NarrowPush: true, Pull: engine.OpFlags, Push: engine.OpFlags}, "flags near flags far"},
		"pull":       {engine.Once{NarrowPush: true}, "pull flags near delete near"},
		"push":       {engine.Once{NarrowPull: true}, "push flags far delete far create"},
		"push flags": {engine.Once{NarrowPull: true, NarrowPush: true, Push: engine.OpFlags}, "flags far"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "imap-maildir")
			for range 6 {
				w.far.Add("INBOX", w.message())
			}
			w.sync()
			far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
			w.far.SetFlags("INBOX", far[0].Key, mail.NewFlags(`\Seen`))
			w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Seen`))
			w.far.Remove("INBOX", far[2].Key)
			w.near.Remove("INBOX", near[3].Key)
			w.far.SetFlags("INBOX", far[4].Key, mail.NewFlags(`\Deleted`))
			w.near.SetFlags("INBOX", near[5].Key, mail.NewFlags(`\Deleted`))
			w.far.Add("INBOX", w.message())
			w.near.Add("INBOX", w.message())
			w.near.Add("New", w.message())
			w.once = c.once
			r := w.sync()
			did := ""
			for _, one := range []struct {
				n    int
				name string
			}{{r.Pulled, "pull"}, {r.Pushed, "push"}, {r.FlagsNear, "flags near"}, {r.FlagsFar, "flags far"},
				{r.RemovedNear, "delete near"}, {r.RemovedFar, "delete far"}, {r.Created, "create"}} {
				if one.n > 0 {
					did += " " + one.name
				}
			}
			require.Equal(t, c.want, did[1:])
			w.still()
			w.once = engine.Once{}
			w.sync()
			w.same()
			w.still()
			require.Equal(t, 4, count(w.far, "INBOX"), "each removal and each new message arrived in the end")
		})
	}
}

// A side toward which nothing is allowed is never written: no folder, no mark,
// no expunge of what others marked there.
func TestSparedSideIsNeverWritten(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.Push = engine.OpsNone
		w.far.SetHook(func(_ context.Context, c memory.Call) error {
			switch c.Op {
			case memory.OpDeliver, memory.OpChange, memory.OpCreateFolder, memory.OpRemoveFolder, memory.OpSubscribe, memory.OpSetStamp:
				return errors.New("the far side was written: " + string(c.Op))
			}
			return nil
		})
		for range 4 {
			w.far.Add("INBOX", w.message())
		}
		w.near.Add("Mine", w.message())
		w.sync()
		far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
		w.far.SetFlags("INBOX", far[0].Key, mail.NewFlags(`\Deleted`))
		w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Deleted`))
		w.near.Remove("INBOX", near[2].Key)
		w.near.Add("INBOX", w.message())
		w.sync()
		w.still()
		require.Len(t, w.far.Snapshot()["INBOX"], 4)
		require.Empty(t, w.far.Snapshot()["Mine"])

		// And when it may be written again, all is caught up, without a doubt.
		w.far.SetHook(nil)
		w.policy.Push = engine.OpsAll
		require.Empty(t, w.sync().Notes)
		w.same()
		w.still()
	})
}
