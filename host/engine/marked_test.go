package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// A message that is marked \Deleted before it was ever copied is expunged where it
// is, and nowhere else.
func TestMarkedBeforeItWasCopied(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message())
		w.sync()
		w.far.Add("INBOX", w.message(`\Deleted`, `\Seen`))
		w.near.Add("INBOX", w.message(`\Deleted`))
		w.near.Add("INBOX", w.message())
		r := w.sync()
		require.Equal(t, []int{1, 1, 1}, []int{r.RemovedFar, r.RemovedNear, r.Pushed})
		require.Zero(t, r.Pulled)
		require.Equal(t, []int{1, 4}, sorted(numbersOf(w.far, "INBOX")))
		w.same()
		w.still()
	})
}

func TestMarkedBeforeItWasCopiedWithoutExpunge(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Expunge = engine.NearSide
	w.far.Add("INBOX", w.message())
	w.sync()
	w.far.Add("INBOX", w.message(`\Deleted`))
	w.near.Add("INBOX", w.message(`\Deleted`))
	r := w.sync()
	require.Equal(t, 1, r.Pulled, "where nothing is expunged it is a message like others")
	require.Equal(t, 1, r.RemovedNear)
	w.same()
	w.still()
	w.same()
}

// The first run removes and expunges nothing, whatever is marked. What it copies
// is not marked.
func TestTheFirstRunExpungesNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		both := w.message(`\Deleted`)
		w.far.Add("INBOX", both)
		w.near.Add("INBOX", both)
		far := w.far.Add("INBOX", w.message(`\Deleted`, `\Seen`))
		near := w.near.Add("INBOX", w.message(`\Deleted`))
		r := w.sync()
		require.Zero(t, r.RemovedFar+r.RemovedNear+r.Expired)
		require.Equal(t, 3, count(w.far, "INBOX"))
		require.Equal(t, 3, count(w.near, "INBOX"))
		require.True(t, flagsAt(w.far, far).Has(mail.Deleted), "the mark stays where it was")
		require.True(t, flagsAt(w.near, near).Has(mail.Deleted))
		require.False(t, flagsAt(w.near, keysOf(w.near, "INBOX", 2)[0]).Has(mail.Deleted))
		require.False(t, flagsAt(w.far, keysOf(w.far, "INBOX", 3)[0]).Has(mail.Deleted))
	})
}

// Whatever the two sides hold and whatever the options are: a first run removes
// nothing.
func TestNoFirstRunRemoves(t *testing.T) {
	kindNames := []string{"imap-maildir", "eager-maildir", "no-uidplus", "imap-imap", "maildir-maildir"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom(kindNames).Draw(t, "kind"))
		rnd := randOf(t)
		flags := [][]string{nil, {`\Seen`}, {`\Deleted`}, {`\Seen`, `\Flagged`}, {`\Seen`, `\Deleted`, "work"}}
		for range rnd.IntN(12) {
			m := w.message(flags[rnd.IntN(len(flags))]...)
			where := rnd.IntN(3)
			if where != 0 {
				w.far.Add("INBOX", m)
			}
			if where != 1 {
				m.Flags = mail.NewFlags(flags[rnd.IntN(len(flags))]...)
				w.near.Add("INBOX", m)
			}
		}
		w.keepOther(rnd)
		w.policy.Expunge = engine.Sides(rnd.IntN(4))
		w.policy.Conflict = []engine.Conflict{engine.ConflictRemove, engine.ConflictKeep}[rnd.IntN(2)]
		w.policy.Pull, w.policy.Push = engine.Ops(rnd.IntN(16)), engine.Ops(rnd.IntN(16))
		far, near := numbersOf(w.far, "INBOX"), numbersOf(w.near, "INBOX")
		w.sync()
		require.Subset(t, numbersOf(w.far, "INBOX"), far)
		require.Subset(t, numbersOf(w.near, "INBOX"), near)
	})
}

// push = {"new", "flags"} never removes anything far, nor marks it to be removed,
// whatever happens near.
func TestPushWithoutDelete(t *testing.T) {
	kindNames := []string{"imap-maildir", "eager-maildir", "no-uidplus", "imap-imap", "maildir-maildir"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom(kindNames).Draw(t, "kind"))
		w.policy.Push = engine.OpNew | engine.OpFlags
		rnd := randOf(t)
		for range 5 {
			w.far.Add("INBOX", w.message())
			w.far.Add("A", w.message())
		}
		w.sync()
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			for range rnd.IntN(8) {
				w.befallNear(rnd.IntN(6), rnd.IntN(100))
			}
			if rnd.IntN(3) == 0 {
				w.keepOther(rnd)
				w.policy.MaxSize = 0
			}
			before := append(numbersOf(w.far, "INBOX"), numbersOf(w.far, "A")...)
			if rnd.IntN(2) == 0 {
				mend, _ := w.killAt(rnd.IntN(60))
				_, _ = w.run()
				mend()
			}
			w.sync()
			require.Subset(t, append(numbersOf(w.far, "INBOX"), numbersOf(w.far, "A")...), before)
			for _, list := range w.far.Snapshot() {
				for _, m := range list {
					require.False(t, m.Flags.Has(mail.Deleted), "marked far")
				}
			}
		}
	})
}

// befallNear does one thing near, to a message or a folder.
func (w *world) befallNear(what, which int) {
	folder := []string{"INBOX", "A"}[which%2]
	list := w.near.Snapshot()[folder]
	if what == 0 || len(list) == 0 {
		w.near.Add(folder, w.message([]string{`\Seen`, `\Deleted`}[which%2]))
		return
	}
	m := list[which%len(list)]
	switch what {
	case 1:
		w.near.SetFlags(folder, m.Key, mail.NewFlags(`\Deleted`))
	case 2:
		w.near.SetFlags(folder, m.Key, mail.NewFlags(`\Seen`, `\Flagged`))
	case 3:
		w.near.Move(folder, m.Key, "A")
	case 4:
		w.near.Add("A", memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
	default:
		w.near.Remove(folder, m.Key)
	}
}
