package engine_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// large makes a message of about 2,000 octets.
func (w *world) large(flags ...string) memory.Message {
	m := w.message(flags...)
	m.Body = append(m.Body, bytes.Repeat([]byte("large\n"), 330)...)
	return m
}

// placeholders returns how many messages of a folder are placeholders.
func placeholders(s *memory.Store, folder string) int {
	n := 0
	for _, m := range s.Snapshot()[folder] {
		if strings.Contains(string(m.Body), "X-Imapfw-Placeholder: ") {
			n++
		}
	}
	return n
}

// limited is a world in which large messages are placeholders.
func limited(t *testing.T, fn func(t *testing.T, w *world)) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.MaxSize = 1000
		fn(t, w)
	})
}

func TestLargeMessagesArePlaceholders(t *testing.T) {
	limited(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.message(`\Seen`))
		w.far.Add("INBOX", w.large(`\Seen`, "work"))
		w.far.Add("INBOX", w.large(`\Flagged`))
		w.near.Add("INBOX", w.large())
		var mu sync.Mutex
		read := 0
		w.far.SetHook(func(_ context.Context, c memory.Call) error {
			mu.Lock()
			defer mu.Unlock()
			if c.Op == memory.OpBody && !c.Done {
				read++
			}
			return nil
		})
		r := w.sync()
		require.Equal(t, 3, r.Pulled)
		require.Equal(t, 1, r.Pushed, "what is large near goes far as it is")
		require.Equal(t, 2, read, "a message is not read for its placeholder")
		require.Equal(t, 1, placeholders(w.near, "INBOX"), "a flagged message comes as it is")
		require.Zero(t, placeholders(w.far, "INBOX"))
		w.far.SetHook(nil)
		w.still()

		text := bodyOf(t, w.near, "INBOX", 2)
		require.Contains(t, text, "Message-ID: <2@example>\nSubject: [placeholder] number 2\n")
		require.NotContains(t, text, "large\n")
		for _, row := range w.rowsOf("INBOX") {
			if row.Status == state.StatusPlaceholder {
				require.Greater(t, row.Size, int64(2000), "the size is that of the message")
			}
		}

		// Flags are those of the message.
		far, near := keysOf(w.far, "INBOX", 2)[0], keysOf(w.near, "INBOX", 2)[0]
		require.Equal(t, mail.NewFlags(`\Seen`, "work"), flagsAt(w.near, near))
		w.near.SetFlags("INBOX", near, mail.NewFlags(`\Seen`, `\Answered`, "work"))
		w.far.SetFlags("INBOX", far, mail.NewFlags(`\Seen`))
		w.sync()
		require.Equal(t, mail.NewFlags(`\Seen`, `\Answered`), flagsAt(w.near, near))
		require.Equal(t, mail.NewFlags(`\Seen`, `\Answered`), flagsAt(w.far, far))
		require.Equal(t, 1, placeholders(w.near, "INBOX"))
		w.still()

		// Removed on one side, it is removed on the other.
		w.near.Remove("INBOX", near)
		require.Equal(t, 1, w.sync().RemovedFar)
		w.same()
	})
}

func bodyOf(t *testing.T, s *memory.Store, folder string, n int) string {
	for _, m := range s.Snapshot()[folder] {
		if number(m) == n {
			return strings.ReplaceAll(string(m.Body), "\r\n", "\n")
		}
	}
	t.Fatalf("message %d is not there", n)
	return ""
}

func TestPlaceholderOfARemovedMessageGoes(t *testing.T) {
	for _, conflict := range []engine.Conflict{engine.ConflictRemove, engine.ConflictKeep} {
		w := newWorld(t, "imap-maildir")
		w.policy.MaxSize, w.policy.Conflict = 1000, conflict
		key := w.far.Add("INBOX", w.large())
		w.sync()
		w.far.Remove("INBOX", key)
		w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Seen`))
		require.Equal(t, 1, w.sync().RemovedNear, "there is nothing that could be brought back")
		w.same()
		w.still()
	}
}

func TestFlaggedPlaceholderBecomesTheMessage(t *testing.T) {
	for _, side := range []state.Side{state.Far, state.Near} {
		limited(t, func(t *testing.T, w *world) {
			w.policy.Pull &^= engine.OpUpgrade
			for range 2 {
				w.far.Add("INBOX", w.large(`\Seen`, "work"))
			}
			w.sync()
			s, key := w.far, mail.Key("")
			if side == state.Near {
				s = w.near
				w.far.SetFlags("INBOX", keysOf(w.far, "INBOX", 1)[0], mail.NewFlags(`\Seen`, `\Answered`))
			}
			key = keysOf(s, "INBOX", 1)[0]
			s.SetFlags("INBOX", key, mail.NewFlags(`\Flagged`, "work"))
			w.sync()
			require.Equal(t, 2, placeholders(w.near, "INBOX"), "without upgrade it stays one")
			w.still()

			w.policy.Pull = engine.OpsAll
			require.Equal(t, 1, w.sync().Pulled)
			require.Equal(t, 1, placeholders(w.near, "INBOX"))
			require.Equal(t, 2, count(w.near, "INBOX"))
			want := mail.NewFlags(`\Flagged`, "work")
			if side == state.Near {
				want = mail.NewFlags(`\Flagged`, `\Answered`)
			}
			near := keysOf(w.near, "INBOX", 1)[0]
			require.Equal(t, want.Strings(), flagsAt(w.near, near).Strings())
			require.Equal(t, want.Strings(), flagsAt(w.far, keysOf(w.far, "INBOX", 1)[0]).Strings())
			w.still()

			w.policy.MaxSize = 5000
			require.Equal(t, 1, w.sync().Pulled, "the other one fits now")
			w.same()
			w.still()
			w.policy.MaxSize = 1000
			w.still()
			w.same()
		})
	}
}

// Flags that are changed on both sides in the run that delivers the message.
func TestUpgradeKeepsFlags(t *testing.T) {
	limited(t, func(t *testing.T, w *world) {
		far := w.far.Add("INBOX", w.large(`\Seen`, "a", "b"))
		w.sync()
		near := w.near.Snapshot()["INBOX"][0].Key
		w.far.SetFlags("INBOX", far, mail.NewFlags(`\Seen`, "b", "c"))
		w.near.SetFlags("INBOX", near, mail.NewFlags(`\Flagged`, "a", "b", "d"))
		w.sync()
		require.Equal(t, []string{`\Flagged`, "b", "c", "d"}, flagsAt(w.far, far).Strings())
		w.same()
		w.still()
	})
}

func TestLostStateWithPlaceholders(t *testing.T) {
	limited(t, func(t *testing.T, w *world) {
		twin := w.large(`\Seen`)
		w.far.Add("INBOX", twin)
		w.far.Add("INBOX", twin)
		for range 3 {
			w.far.Add("INBOX", w.large(`\Seen`))
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		require.Equal(t, 5, placeholders(w.near, "INBOX"))
		before := w.near.Snapshot()
		w.state = newWorld(t, "imap-maildir").state
		w.still()
		require.Empty(t, before.Diff(w.near.Snapshot()))
		require.Equal(t, 8, count(w.far, "INBOX"))
		w.still()
		w.policy.MaxSize = 0
		require.Equal(t, 5, w.sync().Pulled)
		w.same()
	})
}

func TestRenumberedFolderWithPlaceholders(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.MaxSize = 1000
	for range 3 {
		w.far.Add("INBOX", w.large(`\Seen`))
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	w.far.Renumber("INBOX")
	require.Zero(t, w.sync().Changes())
	require.Equal(t, 3, placeholders(w.near, "INBOX"))
	w.still()
	w.policy.MaxSize = 0
	require.Equal(t, 3, w.sync().Pulled)
	w.same()
}

// Whatever becomes of a placeholder near, it is not sent, and its message stays.
func TestAPlaceholderIsNeverPushed(t *testing.T) {
	limited(t, func(t *testing.T, w *world) {
		w.policy.Push = engine.OpFlags | engine.OpDelete | engine.OpNew
		w.far.Add("INBOX", w.large())
		w.far.Add("Other", w.message())
		w.sync()
		placeholder := w.near.Snapshot()["INBOX"][0]
		placeholder.Key = ""
		w.near.Add("Other", placeholder) // a copy
		for range 2 {
			r, err := w.run()
			require.NoError(t, err)
			require.ErrorIs(t, r.Err(), fault.Partial, "it is told in every run")
			require.Zero(t, r.Changes())
		}
		require.Equal(t, 1, count(w.far, "Other"))
		w.near.Remove("Other", w.near.Snapshot()["Other"][1].Key)
		w.still()

		// Nothing is known any more, not even of a limit.
		w.near.Add("New", placeholder)
		w.state = newWorld(t, "imap-maildir").state
		w.policy = engine.DefaultPolicy()
		w.policy.Pull &^= engine.OpUpgrade
		_, err := w.run()
		require.NoError(t, err)
		_, err = w.run()
		require.NoError(t, err)
		require.Zero(t, placeholders(w.far, "INBOX")+placeholders(w.far, "Other")+placeholders(w.far, "New"))
		require.Equal(t, 2, count(w.far, "INBOX")+count(w.far, "Other")+count(w.far, "New"))
	})
}

// Somebody may send a message that looks like a placeholder.
func TestMessagesThatLookLikePlaceholders(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.MaxSize = 1000
		w.far.Add("INBOX", w.large())
		w.sync()
		forged := w.near.Snapshot()["INBOX"][0]
		forged.Key = ""
		forged.Body = bytes.Replace(forged.Body, []byte("To have it here"), []byte("To loose it"), 1)
		w.far.Add("INBOX", forged)
		w.sync()
		require.Equal(t, 2, count(w.near, "INBOX"))
		w.still()
		w.state = newWorld(t, "imap-maildir").state
		w.still()
		require.Equal(t, 2, count(w.far, "INBOX"))
		w.policy.MaxSize = 0
		w.sync()
		w.same()
		w.still()
	})
}

// TestKilledWhileUpgrading kills a run that delivers messages in the place of
// their placeholders, and others as placeholders, at every moment.
func TestKilledWhileUpgrading(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				w := newWorld(t, kind)
				w.policy.MaxSize = 1000
				twin := w.large()
				for range 2 {
					w.far.Add("INBOX", w.large(`\Seen`))
					w.far.Add("INBOX", twin)
					w.far.Add("INBOX", w.message())
				}
				w.sync()
				w.still() // from here on both sides are read for what changed
				flag := mail.NewFlags(`\Flagged`, "mine")
				if n%2 == 0 { // nothing is new near, which is not read in full then
					for _, m := range w.far.Snapshot()["INBOX"] {
						if len(m.Body) > 1000 {
							w.far.SetFlags("INBOX", m.Key, m.Flags.Union(flag))
						}
					}
				}
				for _, m := range w.near.Snapshot()["INBOX"] {
					if n%2 == 1 && strings.Contains(string(m.Body), "X-Imapfw-Placeholder") {
						w.near.SetFlags("INBOX", m.Key, m.Flags.Union(flag))
					}
				}
				w.far.Add("INBOX", twin)
				w.far.Add("INBOX", w.large(`\Seen`))
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
				require.Equal(t, 8, count(w.near, "INBOX"), "killed at moment %d", n)
				require.Equal(t, 2, placeholders(w.near, "INBOX"), "killed at moment %d", n)
				w.still()
				w.policy.MaxSize = 0
				w.sync()
				w.same()
				mine := 0
				for _, m := range w.far.Snapshot()["INBOX"] {
					if !m.Flags.Intersect(mail.NewFlags("mine")).Empty() {
						mine++
					}
				}
				require.Equal(t, 4, mine, "killed at moment %d", n)
				w.still()
			}
		})
	}
}

// A flag that is changed on a placeholder while its message is delivered is not
// lost with it.
func TestFlagsOfAPlaceholderAboutToGo(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.MaxSize = 1000
	key := w.far.Add("INBOX", w.large())
	w.sync()
	w.far.SetFlags("INBOX", key, mail.NewFlags(`\Flagged`))
	near := w.near.Snapshot()["INBOX"][0].Key
	var once sync.Once
	w.far.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpBody {
			once.Do(func() { w.near.SetFlags("INBOX", near, mail.NewFlags(`\Seen`)) })
		}
		return nil
	})
	w.sync()
	w.far.SetHook(nil)
	require.True(t, w.near.Snapshot()["INBOX"][0].Flags.Has(mail.Seen))
	w.sync()
	w.same()
	require.True(t, flagsAt(w.far, key).Has(mail.Seen|mail.Flagged))
}

// A placeholder that is moved after the folders were listed is gone from where it
// was, and where it went is not looked into: its message is not removed far.
func TestPlaceholderIsMovedWhileARunReads(t *testing.T) {
	limited(t, func(t *testing.T, w *world) {
		w.far.Add("INBOX", w.large())
		w.far.Add("Archive", w.message())
		w.sync()
		w.still() // from now on Archive is as it was
		require.Equal(t, 1, placeholders(w.near, "INBOX"))
		key := w.near.Snapshot()["INBOX"][0].Key
		w.near.Add("INBOX", w.message())
		var once sync.Once
		w.near.SetHook(func(_ context.Context, c memory.Call) error {
			if c.Op == memory.OpFolders && c.Done {
				once.Do(func() { w.near.Move("INBOX", key, "Archive") })
			}
			return nil
		})
		w.sync()
		w.near.SetHook(nil)
		w.sync()
		require.Equal(t, 2, count(w.far, "Archive"), "the message of the placeholder")
		require.Equal(t, 1, placeholders(w.near, "Archive"))
		require.Equal(t, 1, count(w.far, "INBOX"))
		w.still()
	})
}
