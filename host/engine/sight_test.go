package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

func TestHiddenMessagesWhenAFolderIsPairedAnew(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	hide := map[mail.Key]bool{}
	far := &odd{Store: w.far, hides: func(m mail.Meta) bool { return hide[m.Key] }}
	for range 4 {
		w.far.Add("INBOX", w.message())
	}
	w.well(w.between(far, w.near))
	w.far.Renumber("INBOX")
	hide[w.far.Snapshot()["INBOX"][1].Key] = true
	scoped := func(c *engine.Config) { c.Scope = "filter" }
	w.well(w.between(far, w.near, scoped))
	require.Equal(t, 4, count(w.far, "INBOX"), "a message that a filter hides was copied over itself")
	require.Equal(t, 4, count(w.near, "INBOX"))
	clear(hide)
	require.Zero(t, w.well(w.between(far, w.near)).Changes())
	require.Equal(t, 4, count(w.far, "INBOX"))
	require.Equal(t, 4, count(w.near, "INBOX"))

	// And when two filled sides meet for the first time.
	w = newWorld(t, "imap-maildir")
	far.Store = w.far
	m := w.message()
	hide[w.far.Add("INBOX", m)] = true
	w.near.Add("INBOX", m)
	w.well(w.between(far, w.near))
	clear(hide)
	w.well(w.between(far, w.near, scoped))
	require.Equal(t, 1, count(w.far, "INBOX"))
	require.Equal(t, 1, count(w.near, "INBOX"))
}

// A message that a filter hides is not removed with its counterpart, also when
// the side that hides it has nothing new to tell.
func TestHiddenMessageOutlivesItsCounterpart(t *testing.T) {
	for _, news := range []bool{false, true} {
		w := newWorld(t, "imap-maildir")
		hide := map[mail.Key]bool{}
		far := &odd{Store: w.far, hides: func(m mail.Meta) bool { return hide[m.Key] }}
		for range 3 {
			w.far.Add("INBOX", w.message())
		}
		w.well(w.between(far, w.near))
		hide[w.far.Snapshot()["INBOX"][0].Key] = true
		scoped := func(c *engine.Config) { c.Scope = "filter" }
		w.well(w.between(far, w.near, scoped))
		w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
		w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
		if news {
			w.far.Add("INBOX", w.message())
		}
		r := w.well(w.between(far, w.near, scoped))
		require.Equal(t, 1, r.RemovedFar, "only the one that is in sight")
		require.Zero(t, w.well(w.between(far, w.near, scoped)).Changes())
		want := 2
		if news {
			want = 3
		}
		require.Equal(t, want, count(w.far, "INBOX"))
	}
}

// What vanished while its counterpart was out of sight does not hold up the
// folder. The counterpart is left to itself: in sight again, it is new.
func TestRemovedWhileItsCounterpartIsHidden(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	hide := map[mail.Key]bool{}
	near := &odd{Store: w.near, hides: func(m mail.Meta) bool { return hide[m.Key] }}
	key := w.far.Add("INBOX", w.message())
	w.well(w.between(w.far, near))
	hidden := w.near.Snapshot()["INBOX"][0].Key
	hide[hidden] = true
	w.far.Remove("INBOX", key)
	w.near.Add("INBOX", w.message())
	w.well(w.between(w.far, near))
	require.Equal(t, 2, count(w.near, "INBOX"))
	clear(hide)
	w.near.SetFlags("INBOX", hidden, mail.NewFlags(`\Seen`))
	w.well(w.between(w.far, near))
	require.Equal(t, 2, count(w.near, "INBOX"))
	w.same()
	require.Zero(t, w.well(w.between(w.far, near)).Changes())
}

// What is new on both sides is one message, also where a side is read again since a
// filter may hide what the plan would change.
func TestMetInAFolderThatIsReadAgain(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := &odd{Store: w.far, hides: func(mail.Meta) bool { return false }}
	for range 3 {
		w.far.Add("INBOX", w.message())
	}
	w.well(w.between(far, w.near))
	w.well(w.between(far, w.near))
	both := w.message()
	w.far.Add("INBOX", both)
	w.near.Add("INBOX", both)
	w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Flagged`))
	r := w.well(w.between(far, w.near))
	require.Zero(t, r.Pulled+r.Pushed)
	require.Equal(t, 4, count(w.far, "INBOX"))
	require.Equal(t, 4, count(w.near, "INBOX"))
	w.same()
	require.Zero(t, w.well(w.between(far, w.near)).Changes())
}
