package engine_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/state"
)

// TestKeptWhateverHappens changes what is kept near between runs, at random, while
// things happen on both sides and runs are killed: the far side loses nothing that
// nobody removed, no message is doubled, no placeholder gets there; and when
// everything is to be kept again, it is.
func TestKeptWhateverHappens(t *testing.T) {
	kindNames := []string{"imap-maildir", "eager-maildir", "no-uidplus", "imap-imap", "maildir-maildir", "imap-imap-uidless"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom(kindNames).Draw(t, "kind"))
		rnd := randOf(t)
		expected := map[int]bool{}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for range rnd.IntN(10) {
				w.befall(rnd, expected)
			}
			w.keepOther(rnd)
			if rnd.IntN(2) == 0 {
				mend, _ := w.killAt(rnd.IntN(80))
				_, _ = w.run()
				mend()
			}
			if rnd.IntN(3) > 0 {
				w.tidy()
				w.nothingIsLost(expected)
				if rnd.IntN(3) == 0 {
					w.state = newWorld(t, "imap-maildir").state
					w.sync()
					w.nothingIsLost(expected)
				}
			}
		}
		w.policy.MaxSize, w.policy.MaxMessages, w.keep = 0, 0, nil
		w.tidy()
		w.sync()
		w.same()
		w.nothingIsLost(expected)
		w.still()
	})
}

// tidy syncs. A placeholder may be left that nothing can be made of: its message
// was removed far while the run that put it here was killed before it could note
// that. It is told, and removed as a user would.
func (w *world) tidy() {
	r, err := w.run()
	require.NoError(w.t, err)
	if r.Err() == nil {
		return
	}
	require.Len(w.t, r.Failures, 1)
	require.ErrorContains(w.t, r.Err(), "placeholders are not where they were put")
	for _, m := range w.near.Snapshot()["INBOX"] {
		if _, known := w.nearRow(m.Key); !known {
			w.near.Remove("INBOX", m.Key)
		}
	}
	w.sync()
}

func (w *world) nearRow(key mail.Key) (state.Row, bool) {
	for _, row := range w.rowsOf("INBOX") {
		if row.Near == key {
			return row, true
		}
	}
	return state.Row{}, false
}

// keepOther keeps other messages near than before.
func (w *world) keepOther(rnd *rand.Rand) {
	w.policy.MaxSize = []int64{0, 1000, 1000, 5000}[rnd.IntN(4)]
	w.policy.MaxMessages = []int{0, 0, 1, 3}[rnd.IntN(4)]
	w.policy.ExpireUnread = rnd.IntN(2) == 0
	w.keep = []*predicate.Expr{nil, keyword("work"), keyword("work").Not(), predicate.Leaf(predicate.Seen)}[rnd.IntN(4)]
}

// befall does one random thing on one side.
func (w *world) befall(rnd *rand.Rand, expected map[int]bool) {
	side := w.far
	if rnd.IntN(2) == 0 {
		side = w.near
	}
	list := side.Snapshot()["INBOX"]
	flags := []mail.Flags{{}, mail.NewFlags(`\Seen`), mail.NewFlags(`\Flagged`, "work"), mail.NewFlags(`\Seen`, "work")}[rnd.IntN(4)]
	switch pick := rnd.IntN(10); {
	case pick < 4 || len(list) == 0:
		m := w.message(flags.Strings()...)
		if rnd.IntN(2) == 0 {
			m.Body = append(m.Body, strings.Repeat("large\n", 300)...)
		}
		side.Add("INBOX", m)
		expected[w.serial] = true
	case pick < 8:
		side.SetFlags("INBOX", list[rnd.IntN(len(list))].Key, flags)
	default:
		m := list[rnd.IntN(len(list))]
		side.Remove("INBOX", m.Key)
		delete(expected, number(m))
	}
}

// nothingIsLost checks the far side.
func (w *world) nothingIsLost(expected map[int]bool) {
	require.Zero(w.t, placeholders(w.far, "INBOX"), "a placeholder was sent")
	have := map[int]int{}
	for _, m := range w.far.Snapshot()["INBOX"] {
		have[number(m)]++
	}
	for n := range expected {
		require.Equal(w.t, 1, have[n], "message %d, which nobody removed", n)
	}
	for n, times := range have {
		require.Equal(w.t, 1, times, "message %d is doubled", n)
	}
}

// number is the number in the Message-ID.
func number(m memory.Message) int {
	_, rest, _ := strings.Cut(string(m.Body), "Message-ID: <")
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
