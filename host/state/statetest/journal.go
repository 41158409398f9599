package statetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

func events(t testing.TB, s state.Store, q state.Query) []state.Event {
	t.Helper()
	var out []state.Event
	require.NoError(t, s.Events(t.Context(), q, func(batch []state.Event) error {
		out = append(out, batch...)
		return nil
	}))
	return out
}

// testJournal writes events with the rows they tell about, and finds them again.
func testJournal(t *testing.T, s state.Store) {
	run, err := s.BeginRun(t.Context(), "sync")
	require.NoError(t, err)
	at := time.Unix(1_700_000_000, 0).UTC()
	c := &state.Change{Put: rows(0, 2), Journal: []state.Event{
		{Run: run, At: at, Put: 2, Op: "pull", Side: state.Near, Far: "1", Near: "n.1", MessageID: "a@b", After: mail.NewFlags(`\Seen`, "k"), Date: at},
		{Run: run, At: at, Op: "create", Side: state.Far, Reason: "it was missing"},
	}}
	commit(t, s, "INBOX", c)
	got := events(t, s, state.Query{Rows: []int64{c.Put[1].ID}})
	require.Len(t, got, 1)
	want := c.Journal[0]
	want.ID, want.Folder, want.Row, want.Put = got[0].ID, "INBOX", c.Put[1].ID, 0
	require.Equal(t, want, got[0])
	require.Equal(t, got, events(t, s, state.Query{MessageID: "a@b"}))

	// The folder need not be known, and a row may go with its event.
	commit(t, s, "Unknown", &state.Change{Journal: []state.Event{{Run: run, Op: "remove", Side: state.Near, Other: "x", Spool: "1/2", Was: 4}}})
	commit(t, s, "INBOX", &state.Change{Drop: []int64{c.Put[1].ID},
		Journal: []state.Event{{Run: run, Row: c.Put[1].ID, Op: "delete", Side: state.Near, Before: mail.NewFlags("k")}}})
	require.Len(t, events(t, s, state.Query{Run: run}), 4)
	require.Len(t, events(t, s, state.Query{Rows: []int64{c.Put[1].ID}}), 2)

	// What is refused leaves no event.
	bad := &state.Change{Put: []state.Row{{ID: 999, Far: "9"}}, Journal: []state.Event{{Run: run, Op: "pull"}}}
	require.Error(t, s.Commit(t.Context(), "INBOX", bad))
	require.Len(t, events(t, s, state.Query{}), 4)

	require.NoError(t, s.EndRun(t.Context(), run, "done"))
	second, err := s.BeginRun(t.Context(), "undo 1")
	require.NoError(t, err)
	require.Greater(t, second, run)
	runs, err := s.Runs(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, runs, 2)
	require.Equal(t, second, runs[0].ID, "newest first")
	require.True(t, runs[0].Ended.IsZero())
	require.Equal(t, "done", runs[1].Outcome)
	require.Equal(t, []state.Count{{Op: "create", Side: state.Far, Count: 1}, {Op: "delete", Side: state.Near, Count: 1},
		{Op: "pull", Side: state.Near, Count: 1}, {Op: "remove", Side: state.Near, Count: 1}}, runs[1].Events)

	require.NoError(t, s.Prune(t.Context(), time.Now().Add(time.Hour)))
	require.Empty(t, events(t, s, state.Query{Run: run}))
	runs, err = s.Runs(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, second, runs[0].ID, "the last number is not given twice")
}
