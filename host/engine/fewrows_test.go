package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// loads counts how often all the rows of a folder are loaded.
type loads struct {
	state.Store
	n int
}

func (l *loads) Load(ctx context.Context, folder string, by state.Side, fn func([]state.Row) error) error {
	l.n++
	return l.Store.Load(ctx, folder, by, fn)
}

// Where a side tells what changed, the rows of other messages are not loaded, and
// what a run did itself is no change to the next one; on a Maildir neither.
func TestRowsOfWhatChangedAreLoaded(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "maildir-maildir"} {
		t.Run(kind, func(t *testing.T) {
			w := filled(t, kind, 20)
			w.sync() // a folder that was made on a server is read once more
			counted := &loads{Store: w.state.Store}
			w.state.Store = counted
			for i := range 3 {
				list := w.far.Snapshot()["INBOX"]
				w.far.SetFlags("INBOX", list[i].Key, mail.NewFlags(`\Flagged`))
				w.far.Remove("INBOX", list[i+5].Key)
				w.far.Add("INBOX", w.message())
				w.sync()
				w.same()
			}
			if kind != "maildir-maildir" { // whose far side has no history
				require.Zero(t, counted.n)
			}
			counted.n = 0
			w.still()
			require.Zero(t, counted.n)
			list := w.near.Snapshot()["INBOX"]
			w.near.SetFlags("INBOX", list[0].Key, mail.NewFlags(`\Answered`))
			w.near.Remove("INBOX", list[1].Key)
			w.sync()
			w.same()
			w.still()
		})
	}
}

// A folder that comes back to the names it had while its rows moved on did change:
// what a killed run recorded and the user has removed since is removed.
func TestNamesThatCameAndWent(t *testing.T) {
	removed := 0
	for n := 0; ; n++ {
		w := filled(t, "imap-maildir", 3)
		w.sync()
		w.far.Add("INBOX", w.message())
		mend, breaker := w.killAt(n)
		_, _ = w.run()
		mend()
		if breaker.Seen() < n {
			break
		}
		list := w.near.Snapshot()["INBOX"]
		if len(list) < 4 {
			continue
		}
		w.near.Remove("INBOX", list[3].Key)
		w.sync()
		w.same() // gone on both sides; or back on both, when it was not recorded yet
		if count(w.far, "INBOX") == 3 {
			removed++
		}
	}
	require.Positive(t, removed)
}
