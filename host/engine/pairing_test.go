package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// bodies counts the messages that either side hands out in full.
func (w *world) bodies() *int {
	n := new(int)
	hook := func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpBody && !c.Done {
			*n++
		}
		return nil
	}
	w.far.SetHook(hook)
	w.near.SetHook(hook)
	return n
}

// forget takes the state away.
func (w *world) forget() {
	w.state = &brittle{Store: state.NewMemory()}
	require.NoError(w.t, w.state.Open(context.Background()))
}

// content is a message that arrived at a second of its own.
func content(n int, text string, flags ...string) memory.Message {
	return memory.Message{Flags: mail.NewFlags(flags...), Date: time.Unix(1_700_000_000+int64(n), 0), Body: []byte(text)}
}

// What is unique by its Message-ID, by a header with a date, or by a header and
// the second of its arrival, is paired without being read.
func TestPairingReadsNoBodyOfWhatIsUnique(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for n := range 300 {
			text := fmt.Sprintf("Message-ID: <%d@example>\nSubject: a\n\nbody\n", n)
			switch n % 3 {
			case 1:
				text = fmt.Sprintf("Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: %d\n\nbody\n", n)
			case 2:
				text = fmt.Sprintf("Subject: %d\n\nbody\n", n)
			}
			w.far.Add("INBOX", content(n, text, `\Seen`))
			m := content(n, text, `\Flagged`)
			if n%3 != 2 {
				m.Date = m.Date.Add(time.Hour)
			}
			w.near.Add("INBOX", m)
		}
		read := w.bodies()
		r := w.sync()
		require.Zero(t, *read)
		require.Zero(t, r.Pulled+r.Pushed+r.RemovedFar+r.RemovedNear)
		for body, flags := range flagsByBody(w.near) {
			require.Equal(t, mail.NewFlags(`\Flagged`, `\Seen`), flags, body)
		}
		w.still()
	})
}

// mbsync adds a header line to every message that it copies.
func TestPairingSeesThroughWhatToolsAdd(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for n := range 20 {
			text := fmt.Sprintf("Message-ID: <%d@example>\nSubject: a\n\nbody %d\n", n, n)
			twice := 1 + n/19
			for range twice {
				w.far.Add("INBOX", content(n, text))
				w.near.Add("INBOX", content(n, fmt.Sprintf("Message-ID: <%d@example>\nSubject: a\nX-TUID: JnWRH1GoaB%02d\n\nbody %d\n", n, n, n)))
			}
		}
		read := w.bodies()
		r := w.sync()
		require.Zero(t, r.Changes())
		require.Equal(t, 4, *read, "the message that is there twice, twice here and twice there")
		w.still()
	})
}

// ambiguousWorld has a draft that was edited on one side, and a message that a
// server rewrote: without a state nobody can say what is what.
func ambiguousWorld(t *testing.T, kind string) *world {
	w := newWorld(t, kind)
	for range 3 {
		m := w.message()
		w.far.Add("INBOX", m)
		w.near.Add("INBOX", m)
	}
	w.far.Add("INBOX", content(50, "Message-ID: <draft@example>\nSubject: d\n\none\n"))
	w.near.Add("INBOX", content(51, "Message-ID: <draft@example>\nSubject: d\n\ntwo and more\n"))
	w.far.Add("INBOX", content(52, "Message-ID: <sent@example>\nX-Server: was here\n\nsent\n"))
	w.near.Add("INBOX", content(53, "Message-ID: <sent@example>\n\nsent\n"))
	return w
}

func requireAmbiguous(t *testing.T, w *world, n int) {
	t.Helper()
	r, err := w.run()
	require.NoError(t, err)
	require.Zero(t, r.Changes())
	require.ErrorIs(t, r.Err(), fault.Partial)
	require.Len(t, r.Failures, 1)
	require.ErrorContains(t, r.Failures[0], fmt.Sprintf(`"INBOX": %d messages may or may not be each other's copies`, n))
	require.ErrorContains(t, r.Failures[0], "imapfw state pair")
}

func TestAmbiguousMessagesAreLeftAloneAndTold(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			w := ambiguousWorld(t, kind)
			requireAmbiguous(t, w, 4)
			read := w.bodies()
			requireAmbiguous(t, w, 4)
			require.Zero(t, *read, "they are not read again in every run")
			w.far.SetHook(nil)
			w.near.SetHook(nil)

			w.far.Add("INBOX", w.message())
			r, err := w.run()
			require.NoError(t, err)
			require.Equal(t, 1, r.Pulled, "the rest goes on")
			require.Equal(t, 1, r.Changes())
			w.forget()
			requireAmbiguous(t, w, 4)
		})
	}
}

// With one of them gone, the other is a message like any other.
func TestAmbiguousMessageThatIsAloneIsCopied(t *testing.T) {
	eachKind(t, func(t *testing.T, _ *world) {
		for _, removed := range []state.Side{state.Far, state.Near} {
			w := ambiguousWorld(t, "imap-maildir")
			requireAmbiguous(t, w, 4)
			store := map[state.Side]*memory.Store{state.Far: w.far, state.Near: w.near}[removed]
			for _, m := range store.Snapshot()["INBOX"] {
				if bytes.Contains(m.Body, []byte("<draft@")) {
					store.Remove("INBOX", m.Key)
				}
			}
			r, err := w.run()
			require.NoError(t, err)
			require.Equal(t, 1, r.Pulled+r.Pushed)
			require.Equal(t, 1, r.Changes())
			requireAmbiguous(t, w, 2)
			require.Equal(t, 5, count(w.far, "INBOX"))
			require.Equal(t, 5, count(w.near, "INBOX"))
		}
	})
}

func TestNewOnBothSidesMergesFlags(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message())
		w.sync()
		both := w.message(`\Seen`)
		w.far.Add("INBOX", both)
		w.far.Add("INBOX", w.message())
		both.Flags = mail.NewFlags(`\Flagged`)
		w.near.Add("INBOX", both)
		w.near.Add("INBOX", w.message())
		r := w.sync()
		require.Equal(t, 1, r.Pulled)
		require.Equal(t, 1, r.Pushed)
		require.Equal(t, mail.NewFlags(`\Flagged`, `\Seen`), flagsByBody(w.far)[string(both.Body)])
		w.same()
		w.still()
	})
}

// A folder that got another UIDVALIDITY is paired anew: nothing is read, copied
// or removed, and no flag is lost.
func TestRenumberedFolderReadsNoBody(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "eager-maildir", "imap-imap"} {
		w := newWorld(t, kind)
		for n := range 2000 {
			w.far.Add("INBOX", w.message([][]string{{}, {`\Seen`}, {`\Flagged`, `\Seen`}, {`\Answered`, "work"}}[n%4]...))
		}
		w.sync()
		before := flagsByBody(w.near)
		require.Len(t, before, 2000)
		w.far.Renumber("INBOX")
		read := w.bodies()
		r := w.sync()
		require.Zero(t, *read)
		require.Zero(t, r.Changes())
		require.Equal(t, before, flagsByBody(w.near))
		w.same()
		w.still()
	}
}

// Copies that differ are known to be copies by the state. The keys of the side
// that was not renumbered still tell.
func TestRenumberedFolderOfAServerThatAlters(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := &odd{Store: w.far, alter: func(b []byte) []byte { return append([]byte("X-Server: was here\n"), b...) }}
	for range 5 {
		w.near.Add("INBOX", w.message())
	}
	w.well(w.between(far, w.near))
	w.well(w.between(far, w.near))
	w.far.Renumber("INBOX")
	r := w.well(w.between(far, w.near))
	require.Zero(t, r.Changes())
	require.Equal(t, 5, count(w.far, "INBOX"))
	require.Equal(t, 5, count(w.near, "INBOX"))
	require.Zero(t, w.well(w.between(far, w.near)).Changes())
}

// Mail that was removed near and is to stay far does not come back because the
// server renumbered its folder.
func TestRenumberedFolderKeepsWhatIsOnOneSideOnly(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap"} {
		w := newWorld(t, kind)
		w.policy.Push = engine.OpNew | engine.OpFlags
		for range 10 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		for _, m := range w.near.Snapshot()["INBOX"][:4] {
			w.near.Remove("INBOX", m.Key)
		}
		w.still()
		w.far.Renumber("INBOX")
		w.still()
		require.Equal(t, 6, count(w.near, "INBOX"))
		require.Equal(t, 10, count(w.far, "INBOX"))
		w.still()
		// Also with nothing left near.
		for _, m := range w.near.Snapshot()["INBOX"] {
			w.near.Remove("INBOX", m.Key)
		}
		w.still()
		w.far.Renumber("INBOX")
		w.still()
		require.Equal(t, 10, count(w.far, "INBOX"))
		require.Zero(t, count(w.near, "INBOX"))
	}
}

// What was marked as deleted before two sides were ever in step is nobody's
// decision of today, and of no later day: it stays as it is until somebody marks
// it again.
func TestMarkWithoutABaseStaysWhereItIs(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		m := w.message(`\Deleted`)
		key := w.near.Add("INBOX", m)
		m.Flags = mail.Flags{}
		w.far.Add("INBOX", m)
		w.still()
		require.Equal(t, 1, count(w.far, "INBOX"))
		w.near.SetFlags("INBOX", key, mail.NewFlags(`\Deleted`, `\Seen`))
		r := w.sync()
		require.Equal(t, 1, r.FlagsFar, "other flags are carried")
		require.Zero(t, r.RemovedFar+r.RemovedNear)
		require.Equal(t, mail.NewFlags(`\Seen`), flagsByBody(w.far)[string(m.Body)])
		require.Equal(t, mail.NewFlags(`\Deleted`, `\Seen`), flagsByBody(w.near)[string(m.Body)])
		w.policy.Conflict = engine.ConflictKeep // other options: the folder is read in full
		w.still()
		w.near.SetFlags("INBOX", key, mail.NewFlags(`\Seen`))
		w.still()
		w.near.SetFlags("INBOX", key, mail.NewFlags(`\Deleted`, `\Seen`))
		r = w.sync()
		require.Equal(t, 1, r.RemovedFar)
		require.Zero(t, count(w.far, "INBOX")+count(w.near, "INBOX"))
	})
}

// A message that was ambiguous and is no more is copied as a new one; also when the
// run is killed between the end of its row and its copy.
func TestNoLongerAmbiguousAndKilled(t *testing.T) {
	for n := 0; ; n++ {
		w := newWorld(t, "imap-maildir")
		other := w.message()
		w.far.Add("INBOX", other)
		w.near.Add("INBOX", other)
		far, near := w.message(), w.message()
		near.Body = append(slices.Clone(far.Body), "edited\n"...)
		w.far.Add("INBOX", far)
		key := w.near.Add("INBOX", near)
		_, err := w.run()
		require.NoError(t, err)
		w.near.Remove("INBOX", key)
		mend, breaker := w.killAt(n)
		_, err = w.run()
		mend()
		w.sync()
		require.Equal(t, 2, count(w.near, "INBOX"), "killed at moment %d", n)
		if breaker.Seen() < n {
			require.NoError(t, err)
			require.Greater(t, n, 10, "the test killed nothing")
			break
		}
	}
}
