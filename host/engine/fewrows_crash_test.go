package engine_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

// TestKilledAmongMany kills a run in a folder with many messages nothing happens to, at
// every moment: what the next one has to know of those is little, and their rows are not
// loaded. With a copy of a placeholder, of which the message may be any, they are, after
// it was found out what the killed run did.
func TestKilledAmongMany(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap"} {
		for _, copied := range []bool{false, true} {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				killed, loaded := true, 0
				for n := 0; killed; n += stride() {
					var loads int
					killed, loads = newWorld(t, kind).killedAmongMany(t, n, copied)
					require.True(t, killed || n > 20, "the test killed nothing")
					if n < 45 && !copied { // later a placeholder may be left beside its message
						loaded += loads
					}
				}
				require.Zero(t, loaded)
			})
		}
	}
}

func (w *world) killedAmongMany(t *testing.T, n int, copied bool) (killed bool, loaded int) {
	w.policy.MaxSize = 1000
	for range 60 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	for range 3 {
		w.far.Add("INBOX", w.large())
	}
	w.sync()
	w.still()
	var placeholder []byte
	for _, m := range w.near.Snapshot()["INBOX"] {
		if bytes.Contains(m.Body, []byte("X-Imapfw-Placeholder: ")) {
			placeholder = m.Body
		}
	}
	flagged := mail.NewFlags(`\Flagged`)
	for _, m := range w.far.Snapshot()["INBOX"][60:62] {
		w.far.SetFlags("INBOX", m.Key, flagged)
	}
	for range 3 {
		w.far.Add("INBOX", w.message())
	}
	extra := 0
	if copied { // the message of a placeholder that was delivered may be any, too
		w.far.Add("INBOX", w.large())
		extra = 1
	}
	mend, breaker := w.killAt(n)
	_, err := w.run()
	mend()
	if breaker.Seen() < n {
		require.NoError(t, err)
		return false, 0
	}
	if copied {
		again := w.message()
		again.Body = placeholder
		w.near.Add("INBOX", again)
	}
	counted := &loads{Store: w.state.Store}
	w.state.Store = counted
	for range 2 {
		_, err = w.run()
		require.NoError(t, err, "killed at moment %d", n)
	}
	require.Equal(t, 66+extra, count(w.far, "INBOX"), "killed at moment %d", n)
	require.Equal(t, 66+2*extra, count(w.near, "INBOX"), "killed at moment %d", n)
	require.Equal(t, 1+2*extra, placeholders(w.near, "INBOX"), "killed at moment %d", n)
	return true, counted.n
}
