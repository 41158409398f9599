package engine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/state"
)

// subject selects messages by a word of their subject, keyword by a keyword.
func subject(word string) *predicate.Expr {
	return predicate.OnText(predicate.Subject, "", predicate.Match{Substring: word})
}

func keyword(word string) *predicate.Expr { return predicate.OnName(predicate.Keyword, word) }

// keysOf returns the keys of the messages of a folder that have one of the
// numbers, numbersOf the numbers of all of them, in the order of keys.
func keysOf(s *memory.Store, folder string, numbers ...int) []mail.Key {
	var keys []mail.Key
	for _, m := range s.Snapshot()[folder] {
		if slices.Contains(numbers, number(m)) {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

func numbersOf(s *memory.Store, folder string) []int {
	out := []int{}
	for _, m := range s.Snapshot()[folder] {
		out = append(out, number(m))
	}
	return out
}

// rowsOf returns what the state knows of a folder.
func (w *world) rowsOf(folder string) []state.Row {
	var out []state.Row
	err := w.state.Load(context.Background(), folder, state.Far, func(rows []state.Row) error {
		out = append(out, rows...)
		return nil
	})
	require.NoError(w.t, err)
	return out
}

func TestOnlyWhatIsKeptNearIsPulled(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.keep = keyword("keep")
		w.far.Add("INBOX", w.message(`\Seen`))
		w.far.Add("INBOX", w.message("keep"))
		w.far.Add("INBOX", w.message()) // new, unread, and not kept all the same
		w.near.Add("INBOX", w.message())
		require.Equal(t, 1, w.sync().Pulled)
		require.Equal(t, 4, count(w.far, "INBOX"), "what is new near goes far, whatever the predicate says")
		require.Len(t, w.rowsOf("INBOX"), 2, "there is no row for what was never near")
		w.still()

		w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][0].Key, mail.NewFlags("keep", `\Seen`))
		require.Equal(t, 1, w.sync().Pulled, "it matches now")
		w.still()
	})
}

func TestWhatStopsMatchingIsRemovedNearOnly(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for range 6 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		flagged, unread := w.far.Add("INBOX", w.message(`\Seen`, `\Flagged`)), w.far.Add("INBOX", w.message())
		w.sync()

		w.keep = subject("number 1").Or(subject("number 2"))
		r := w.sync()
		require.Equal(t, 4, r.Expired)
		require.Zero(t, r.RemovedNear+r.RemovedFar)
		require.Equal(t, []int{1, 2, 7, 8}, sorted(numbersOf(w.near, "INBOX")), "flagged and unread mail stays")
		require.Equal(t, 8, count(w.far, "INBOX"))
		w.still()

		// Their flags go, and with them what they stayed for.
		near := keysOf(w.near, "INBOX", 7, 8)
		w.far.SetFlags("INBOX", flagged, mail.NewFlags(`\Seen`))
		w.near.SetFlags("INBOX", near[1], mail.NewFlags(`\Seen`, `\Answered`))
		w.sync()
		w.sync()
		require.Equal(t, []int{1, 2}, sorted(numbersOf(w.near, "INBOX")))
		require.Equal(t, mail.NewFlags(`\Seen`, `\Answered`), flagsAt(w.far, unread), "what was changed near went far before")
		w.still()

		// Far removes one, and changes another: that concerns nobody near.
		w.far.Remove("INBOX", keysOf(w.far, "INBOX", 3)...)
		w.far.SetFlags("INBOX", keysOf(w.far, "INBOX", 4)[0], mail.NewFlags(`\Flagged`, `\Seen`))
		w.still()
		require.Len(t, w.rowsOf("INBOX"), 7, "the row of a message that is nowhere is forgotten")

		w.keep = nil
		require.Equal(t, 5, w.sync().Pulled)
		w.same()
		require.Equal(t, 7, count(w.far, "INBOX"))
		w.still()
	})
}

func flagsAt(s *memory.Store, key mail.Key) mail.Flags {
	for _, m := range s.Snapshot()["INBOX"] {
		if m.Key == key {
			return m.Flags
		}
	}
	return mail.Flags{}
}

func sorted(n []int) []int { return slices.Sorted(slices.Values(n)) }

func TestFlagsThePredicateSpeaksOfDoNotSpare(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message(`\Flagged`))
	w.far.Add("INBOX", w.message(`\Flagged`, `\Seen`))
	w.sync()
	w.keep = predicate.Leaf(predicate.Seen).And(subject("number 9"))
	w.sync()
	require.Equal(t, 2, count(w.near, "INBOX"), "flagged mail stays")
	w.keep = predicate.Leaf(predicate.Flagged).Or(predicate.Leaf(predicate.Seen)).And(subject("number 9"))
	require.Equal(t, 2, w.sync().Expired)
	w.still()
}

// A message that somebody removed near is removed far, also when it would not
// be kept there.
func TestRemovalOfWhatIsNotKept(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message())
		w.far.Add("INBOX", w.message(`\Seen`))
		w.sync()
		w.keep = subject("nothing")
		w.near.Remove("INBOX", keysOf(w.near, "INBOX", 1, 2)...)
		r := w.sync()
		require.Equal(t, 2, r.RemovedFar)
		require.Zero(t, count(w.far, "INBOX"))
		w.still()
	})
}

func TestNothingIsExpiredInTheFirstRun(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.keep = subject("number 1")
		w.policy.MaxMessages = 1
		for n := range 4 {
			m := numbered(n+1, `\Seen`)
			w.far.Add("INBOX", m)
			w.near.Add("INBOX", m)
		}
		r := w.sync()
		require.Zero(t, r.Changes())
		require.Equal(t, 4, count(w.near, "INBOX"))
		require.Equal(t, 3, w.sync().Expired, "the run after it does")
		require.Equal(t, 4, count(w.far, "INBOX"))
		w.still()
	})
}

func TestAPredicateThatFailsKeepsTheMail(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	for range 3 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.sync()
	w.far.Add("INBOX", w.message(`\Seen`))
	w.keep = predicate.OnName(predicate.Fn, "f")
	w.call = func(_ context.Context, _ string, v *predicate.View) (bool, error) {
		if uid, _ := v.Meta.Key.UID(); uid%2 == 0 {
			return false, fault.New(fault.Script, "", "a mistake")
		}
		return false, nil
	}
	r, err := w.run()
	require.NoError(t, err)
	require.ErrorIs(t, r.Err(), fault.Partial, "it is told")
	require.Len(t, r.Failures, 2)
	require.Equal(t, []int{2, 4}, numbersOf(w.near, "INBOX"))
	require.Equal(t, 4, count(w.far, "INBOX"))
}

func TestNewestAreKeptNear(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.MaxMessages = 3
		for n := range 8 {
			flags := []string{`\Seen`}
			switch n {
			case 1:
				flags = []string{`\Seen`, `\Flagged`}
			case 2:
				flags = nil
			}
			w.far.Add("INBOX", w.message(flags...))
		}
		require.Equal(t, 5, w.sync().Pulled)
		require.Equal(t, []int{2, 3, 6, 7, 8}, sorted(numbersOf(w.near, "INBOX")), "the newest, flagged and unread")
		w.still()

		w.far.Add("INBOX", w.message(`\Seen`))
		w.near.SetFlags("INBOX", keysOf(w.near, "INBOX", 3)[0], mail.NewFlags(`\Seen`)) // read
		require.Equal(t, 2, w.sync().Expired)
		require.Equal(t, []int{2, 7, 8, 9}, sorted(numbersOf(w.near, "INBOX")))
		require.Equal(t, mail.NewFlags(`\Seen`), flagsAt(w.far, keysOf(w.far, "INBOX", 3)[0]))
		w.still()

		w.far.SetFlags("INBOX", keysOf(w.far, "INBOX", 1)[0], mail.NewFlags(`\Seen`, `\Flagged`))
		require.Equal(t, 1, w.sync().Pulled, "flagged far, it comes")
		w.far.SetFlags("INBOX", keysOf(w.far, "INBOX", 6)[0], mail.Flags{})
		require.Equal(t, 1, w.sync().Pulled, "unread again, it comes back")
		w.still()

		w.policy.ExpireUnread = true
		require.Equal(t, 1, w.sync().Expired)
		require.Equal(t, []int{1, 2, 7, 8, 9}, sorted(numbersOf(w.near, "INBOX")))
		w.policy.MaxMessages = 1
		require.Equal(t, 2, w.sync().Expired)
		w.still()
		w.policy.MaxMessages = 0
		w.sync()
		w.same()
		require.Equal(t, 9, count(w.far, "INBOX"), "far nothing was ever removed")
		w.still()
	})
}

// What was removed near makes room for older messages.
func TestRoomAmongTheNewestIsFilled(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.MaxMessages = 3
		for range 6 {
			w.far.Add("INBOX", w.message(`\Seen`))
		}
		w.sync()
		w.near.Remove("INBOX", keysOf(w.near, "INBOX", 6)...)
		require.Equal(t, 1, w.sync().RemovedFar)
		w.sync()
		require.Equal(t, []int{3, 4, 5}, sorted(numbersOf(w.near, "INBOX")))
		w.still()
	})
}

// TestKilledWhileExpiring kills a run that removes near copies, and brings others
// back, at every moment: far nothing is removed, and near ends as it is to be.
func TestKilledWhileExpiring(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				w := newWorld(t, kind)
				for i := range 8 {
					m := w.message(`\Seen`)
					if i < 4 {
						m.Flags = mail.NewFlags(`\Seen`, "other")
					}
					w.far.Add("INBOX", m)
				}
				w.sync()
				w.keep = keyword("other")
				require.Equal(t, 4, w.sync().Expired)
				w.keep = keyword("other").Not()
				w.near.SetFlags("INBOX", keysOf(w.near, "INBOX", 1)[0], mail.NewFlags(`\Seen`, `\Answered`, "other"))
				mend, breaker := w.killAt(n)
				_, err := w.run()
				mend()
				if breaker.Seen() < n {
					require.NoError(t, err)
					require.Greater(t, n, 20)
					break
				}
				w.sync()
				w.sync()
				require.Equal(t, 8, count(w.far, "INBOX"), "killed at moment %d", n)
				require.Equal(t, []int{5, 6, 7, 8}, sorted(numbersOf(w.near, "INBOX")), "killed at moment %d", n)
				require.True(t, flagsAt(w.far, keysOf(w.far, "INBOX", 1)[0]).Has(mail.Answered), "killed at moment %d", n)
				w.still()
				w.keep = nil
				w.sync()
				w.same()
			}
		})
	}
}

func TestAConversionExpiresNothing(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.convert = true
	for range 3 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.sync()
	w.policy.MaxMessages = 1
	w.still()
	require.Equal(t, 3, count(w.near, "INBOX"))
}
