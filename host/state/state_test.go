package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/statetest"
)

func TestMemory(t *testing.T) {
	statetest.Run(t, func(testing.TB) state.Store { return state.NewMemory() })
}

func TestDB(t *testing.T) {
	statetest.Run(t, func(t testing.TB) state.Store { return state.New(options(t.TempDir())) })
}

func options(dir string) state.Options {
	return state.Options{Dir: dir, Identity: state.Identity{
		Account: "home",
		Far:     state.Place{Host: "imap.example.org", User: "me"},
		Near:    state.Place{Path: "/home/me/Mail"},
	}}
}

// open opens a state and closes it with the test.
func open(t testing.TB, opts state.Options) *state.DB {
	t.Helper()
	db := state.New(opts)
	require.NoError(t, db.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// fill commits n rows to a folder.
func fill(t testing.TB, s state.Store, folder string, from, to int) {
	t.Helper()
	require.NoError(t, s.Commit(t.Context(), folder, &state.Change{Put: someRows(from, to)}))
}

func someRows(from, to int) []state.Row {
	var out []state.Row
	for n := from; n < to; n++ {
		out = append(out, state.Row{
			Far:   mail.UIDKey(uint32(n + 1)),
			Near:  mail.Key(fmt.Sprintf("17%08d.M%06dP%d.host", n/100, n*7919%1_000_000, n)),
			Flags: mail.NewFlags(`\Seen`),
			Size:  int64(n),
			Date:  time.Unix(1_700_000_000+int64(n), 0).UTC(),
			Ident: fmt.Sprintf("%064x", n),
		})
	}
	return out
}

func count(t testing.TB, s state.Store, folder string) int {
	t.Helper()
	n := 0
	require.NoError(t, s.Load(t.Context(), folder, state.Far, func(rows []state.Row) error { n += len(rows); return nil }))
	return n
}

func requireCode(t testing.TB, want fault.Code, err error) *fault.Error {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, fault.CodeOf(err), "%v", err)
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	return e
}
