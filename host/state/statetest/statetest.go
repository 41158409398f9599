// Package statetest is the test suite that everything calling itself a
// state.Store passes.
package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// New makes an empty Store that is not open. It belongs to the test.
type New func(t testing.TB) state.Store

// Run runs the suite. A Store that is closed and opened again holds what it
// held.
func Run(t *testing.T, newStore New) {
	tests := []struct {
		name string
		run  func(t *testing.T, s state.Store)
	}{
		{"a new state is empty", testEmpty},
		{"account", testInfo},
		{"folder records", testFolders},
		{"refused rows are counted", testRefused},
		{"journal", testJournal},
		{"a change of rows takes marks away", testMarks},
		{"rename a folder", testRename},
		{"forget a folder", testForget},
		{"rows", testRows},
		{"rows come ordered by either side", testOrder},
		{"rows come in batches", testBatches},
		{"some rows", testFind},
		{"a reader gives up", testReaderGivesUp},
		{"commit while loading", testCommitWhileLoading},
		{"load while loading", testLoadWhileLoading},
		{"any bytes", testBytes},
		{"intents", testIntents},
		{"all or nothing", testAllOrNothing},
		{"a message is in one row", testPairedOnce},
		{"rows exchange keys", testExchange},
		{"ids are given once", testIDs},
		{"a big commit", testBigCommit},
		{"many at once", testConcurrent},
		{"a context that ended", testCancelled},
		{"any sequence of commits", testModel},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t)
			require.NoError(t, s.Open(t.Context()))
			defer func() { require.NoError(t, s.Close()) }()
			test.run(t, s)
		})
	}
}

func reopen(t testing.TB, s state.Store) {
	t.Helper()
	require.NoError(t, s.Close())
	require.NoError(t, s.Open(t.Context()))
}

func commit(t testing.TB, s state.Store, folder string, c *state.Change) {
	t.Helper()
	require.NoError(t, s.Commit(t.Context(), folder, c))
}

// load returns all the rows of a folder.
func load(t testing.TB, s state.Store, folder string, by state.Side) []state.Row {
	t.Helper()
	var out []state.Row
	require.NoError(t, s.Load(t.Context(), folder, by, func(rows []state.Row) error {
		require.NotEmpty(t, rows, "an empty batch says nothing")
		out = append(out, rows...)
		return nil
	}))
	return out
}

func intents(t testing.TB, s state.Store, folder string) []state.Intent {
	t.Helper()
	out, err := s.Intents(t.Context(), folder)
	require.NoError(t, err)
	return out
}

func folders(t testing.TB, s state.Store) []state.Folder {
	t.Helper()
	out, err := s.Folders(t.Context())
	require.NoError(t, err)
	return out
}

// row returns a row whose every field depends on n.
func row(n int) state.Row {
	r := state.Row{
		Far:   mail.UIDKey(uint32(n)),
		Near:  mail.Key(fmt.Sprintf("1700000000.M%dP1.host", 1_000_000-n)),
		Flags: mail.NewFlags(`\Seen`, fmt.Sprintf("k%d", n%7)),
		Size:  int64(n * 100),
		Date:  time.Unix(1_700_000_000+int64(n), 0).UTC(),
		Ident: fmt.Sprintf("%064x", n),
	}
	if n%5 == 4 {
		r.Status, r.Note = state.StatusPlaceholder, "a note on it"
		r.FarOnly, r.NearOnly = mail.NewFlags("only", fmt.Sprintf("far%d", n)), mail.NewFlags(`\Draft`)
	}
	return r
}

func rows(from, to int) []state.Row {
	out := make([]state.Row, 0, to-from)
	for n := from; n < to; n++ {
		out = append(out, row(n))
	}
	return out
}

func testEmpty(t *testing.T, s state.Store) {
	require.Empty(t, folders(t, s))
	require.Empty(t, load(t, s, "INBOX", state.Far))
	require.Empty(t, intents(t, s, "INBOX"))
	commit(t, s, "INBOX", &state.Change{})
	commit(t, s, "INBOX", &state.Change{Forget: true, Settle: []int64{7}, Drop: []int64{8}})
	require.Empty(t, folders(t, s), "a change that leaves nothing makes no folder")
}

func testInfo(t *testing.T, s state.Store) {
	first, err := s.Info(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, first.Account)
	require.Zero(t, first.Run)
	require.Zero(t, first.Pending)

	first.Run, first.Pending, first.FarMark, first.NearMark = 1<<40, 1<<40+1, 1<<39, 1<<40
	require.NoError(t, s.SetInfo(t.Context(), first))
	reopen(t, s)
	again, err := s.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, again)
}

func testCancelled(t *testing.T, s state.Store) {
	commit(t, s, "INBOX", &state.Change{Put: rows(0, 1200)})
	ended, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user had enough")
	cancel(why)
	for name, call := range map[string]func() error{
		"info":     func() error { _, err := s.Info(ended); return err },
		"set info": func() error { return s.SetInfo(ended, state.Info{Account: "x"}) },
		"folders":  func() error { _, err := s.Folders(ended); return err },
		"intents":  func() error { _, err := s.Intents(ended, "INBOX"); return err },
		"known":    func() error { return s.Known(ended, "INBOX", state.Far, func([]state.Known) error { return nil }) },
		"load":     func() error { return s.Load(ended, "INBOX", state.Far, func([]state.Row) error { return nil }) },
		"commit":   func() error { return s.Commit(ended, "INBOX", &state.Change{Forget: true}) },
	} {
		require.ErrorIs(t, call(), why, name)
	}
	require.Len(t, load(t, s, "INBOX", state.Far), 1200)

	// In the middle of a load.
	running, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	batches := 0
	err := s.Load(running, "INBOX", state.Far, func([]state.Row) error {
		batches++
		stop(why)
		return nil
	})
	require.ErrorIs(t, err, why)
	require.Equal(t, 1, batches)
}

func requireCode(t testing.TB, want fault.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, fault.CodeOf(err), "%v", err)
}
