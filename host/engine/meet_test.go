package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

// The same mail that is new on both sides of a folder in step is one message,
// not two: a draft that a phone and a program here have saved, a restored file.
func TestNewOnBothSidesIsPaired(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message())
		w.sync()
		for range 3 { // new far only
			w.far.Add("INBOX", w.message())
		}
		both := w.message(`\Seen`)
		w.far.Add("INBOX", both)
		both.Flags = mail.NewFlags(`\Flagged`)
		w.near.Add("INBOX", both)
		w.near.Add("INBOX", w.message()) // new near only
		r := w.sync()
		require.Equal(t, 3, r.Pulled)
		require.Equal(t, 1, r.Pushed)
		require.Equal(t, 6, count(w.far, "INBOX"))
		require.Equal(t, mail.NewFlags(`\Seen`, `\Flagged`), flagsByBody(w.far)[string(both.Body)], "each has what the other has")
		w.same()
		w.still()
	})
}

// Equal messages meet one by one; where headers do not tell them apart, their
// content does.
func TestNewOnBothSidesByContent(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message())
		w.sync()
		twin := w.message()
		for range 2 {
			w.far.Add("INBOX", twin)
		}
		for range 3 {
			w.near.Add("INBOX", twin)
		}
		draft := w.message()
		w.far.Add("INBOX", draft)
		other := draft
		other.Body = append([]byte(nil), draft.Body...)
		other.Body[len(other.Body)-2] = 'X'
		w.near.Add("INBOX", other)
		w.near.Add("INBOX", draft)
		r := w.sync()
		require.Zero(t, r.Pulled)
		require.Equal(t, 2, r.Pushed, "the third twin, and the other draft")
		w.same()
		w.still()
	})
}

// A message that cannot be described is like no other, and holds up none.
func TestNewOnBothSidesAndOneCannotBeDescribed(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.sync()
	far := &odd{Store: w.far, deaf: map[mail.Key]bool{}}
	far.deaf[w.far.Add("INBOX", w.message())] = true
	both := w.message()
	w.far.Add("INBOX", both)
	w.near.Add("INBOX", both)
	r := w.well(w.between(far, w.near))
	require.Equal(t, 1, r.Pulled)
	require.Zero(t, r.Pushed)
	w.same()
}
