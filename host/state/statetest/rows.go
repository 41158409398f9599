package statetest

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

func testRows(t *testing.T, s state.Store) {
	c := &state.Change{Put: rows(1, 6)}
	commit(t, s, "INBOX", c)
	for _, r := range c.Put {
		require.NotZero(t, r.ID, "the caller learns the IDs")
	}
	reopen(t, s)
	require.Equal(t, c.Put, load(t, s, "INBOX", state.Far))

	changed := c.Put[2]
	changed.Flags = mail.NewFlags(`\Flagged`, "work", "$Forwarded")
	changed.Near, changed.Size, changed.Date = "", -1, time.Time{}
	second := &state.Change{Put: []state.Row{row(9), changed}, Drop: []int64{c.Put[0].ID, 99999}}
	commit(t, s, "INBOX", second)
	want := []state.Row{c.Put[1], changed, c.Put[3], c.Put[4], second.Put[0]}
	reopen(t, s)
	require.Equal(t, want, load(t, s, "INBOX", state.Far))

	// A row that is dropped in the change that replaces it is dropped.
	commit(t, s, "INBOX", &state.Change{Put: []state.Row{changed}, Drop: []int64{changed.ID}})
	require.Equal(t, slices.Delete(want, 1, 2), load(t, s, "INBOX", state.Far))

	// What is finer than a second, and where the clock stands, is not kept.
	odd := row(20)
	odd.Date = time.Unix(1_700_000_000, 999).In(time.FixedZone("somewhere", 3600))
	commit(t, s, "Work", &state.Change{Put: []state.Row{odd}})
	require.Equal(t, time.Unix(1_700_000_000, 0).UTC(), load(t, s, "Work", state.Far)[0].Date)
}

func testOrder(t *testing.T, s state.Store) {
	put := rows(0, 50)
	for i := range put {
		switch i % 5 {
		case 3:
			put[i].Near = ""
		case 4:
			put[i].Far = ""
		}
	}
	slices.Reverse(put[10:30])
	c := &state.Change{Put: put}
	commit(t, s, "INBOX", c)
	for _, by := range []state.Side{state.Far, state.Near} {
		want := slices.Clone(c.Put)
		slices.SortFunc(want, func(a, b state.Row) int {
			return cmp.Or(cmp.Compare(a.Key(by), b.Key(by)), cmp.Compare(a.ID, b.ID))
		})
		require.Equal(t, want, load(t, s, "INBOX", by), "by %s", by)
		require.Empty(t, want[9].Key(by), "rows without a key come first")
		require.NotEmpty(t, want[10].Key(by))
	}
}

func testBatches(t *testing.T, s state.Store) {
	commit(t, s, "INBOX", &state.Change{Put: rows(0, 2100)})
	var kept [][]state.Row
	require.NoError(t, s.Load(t.Context(), "INBOX", state.Far, func(batch []state.Row) error {
		require.LessOrEqual(t, len(batch), 1000, "memory must not grow with the folder")
		kept = append(kept, batch)
		return nil
	}))
	require.Greater(t, len(kept), 2)
	all := slices.Concat(kept...)
	require.Len(t, all, 2100)
	for i, r := range all {
		require.Equal(t, row(i).Far, r.Far, "a batch that was kept has changed")
	}
}

func testReaderGivesUp(t *testing.T, s state.Store) {
	commit(t, s, "INBOX", &state.Change{Put: rows(0, 1500)})
	enough := errors.New("enough")
	calls := 0
	err := s.Load(t.Context(), "INBOX", state.Near, func([]state.Row) error {
		calls++
		return enough
	})
	require.Same(t, enough, err, "the reader's own error comes back as it is")
	require.Equal(t, 1, calls)
	require.Len(t, load(t, s, "INBOX", state.Near), 1500)
	err = s.Known(t.Context(), "INBOX", state.Near, func([]state.Known) error { return enough })
	require.Same(t, enough, err)
	require.Len(t, load(t, s, "INBOX", state.Near), 1500)
	commit(t, s, "INBOX", &state.Change{Put: rows(1500, 1501)})
	require.Len(t, load(t, s, "INBOX", state.Near), 1501)
}

func testCommitWhileLoading(t *testing.T, s state.Store) {
	c := &state.Change{Put: rows(0, 1500)}
	commit(t, s, "INBOX", c)
	seen := 0
	require.NoError(t, s.Load(t.Context(), "INBOX", state.Far, func(batch []state.Row) error {
		if seen == 0 {
			commit(t, s, "INBOX", &state.Change{
				Put: append(rows(5000, 5100), state.Row{ID: c.Put[1400].ID, Far: "moved"}), Drop: []int64{c.Put[1499].ID},
			})
		}
		seen += len(batch)
		return nil
	}))
	require.Equal(t, 1500, seen, "rows as they were when the load began")
	require.Len(t, load(t, s, "INBOX", state.Far), 1599)
}

func testLoadWhileLoading(t *testing.T, s state.Store) {
	commit(t, s, "INBOX", &state.Change{Put: rows(0, 1100)})
	var nest func(depth int) int
	nest = func(depth int) int {
		total := 0
		require.NoError(t, s.Load(t.Context(), "INBOX", state.Far, func(batch []state.Row) error {
			total += len(batch)
			if depth > 0 && total == len(batch) {
				total += nest(depth - 1)
			}
			return nil
		}))
		return total
	}
	require.Equal(t, 6*1100, nest(5))
}

func testBytes(t *testing.T, s state.Store) {
	odd := "caf\xe9 \x00 \xff\n'\"; --"
	r := state.Row{Far: mail.Key(odd), Near: mail.Key(odd + "near"), Flags: mail.NewFlags("caf\xe9"), Size: 1 << 40, Ident: odd}
	c := &state.Change{
		Folder: &state.Folder{Far: odd, Near: odd, FarEpoch: odd, NearEpoch: odd, FarCursor: mail.Cursor(odd), NearCursor: mail.Cursor(odd), Policy: odd},
		Put:    []state.Row{r},
		Intend: []state.Intent{{To: state.Near, Source: mail.Key(odd), Target: mail.Key(odd), Next: mail.Key(odd), Epoch: odd, Ident: odd}},
	}
	commit(t, s, odd, c)
	reopen(t, s)
	want := *c.Folder
	want.Open, want.Messages = 1, 1
	require.Equal(t, []state.Folder{want}, folders(t, s))
	require.Equal(t, c.Put, load(t, s, odd, state.Far))
	require.Equal(t, c.Intend, intents(t, s, odd))
}

func testPairedOnce(t *testing.T, s state.Store) {
	c := &state.Change{Put: rows(0, 3)}
	commit(t, s, "INBOX", c)
	before := load(t, s, "INBOX", state.Far)

	far, near := row(10), row(11)
	far.Far, near.Near = c.Put[1].Far, c.Put[1].Near
	onto := c.Put[0]
	onto.Near = c.Put[2].Near
	for name, put := range map[string][]state.Row{
		"far": {far}, "near": {near}, "both new": {row(20), row(20)}, "replaced": {onto},
		"after others": {row(30), row(31), far},
	} {
		requireCode(t, fault.Exists, s.Commit(t.Context(), "INBOX", &state.Change{Put: put}))
		require.Equal(t, before, load(t, s, "INBOX", state.Far), name)
	}
	commit(t, s, "Work", &state.Change{Put: []state.Row{row(1)}}) // keys are of one folder

	// The row that goes makes room for the one that comes.
	commit(t, s, "INBOX", &state.Change{Put: []state.Row{far}, Drop: []int64{c.Put[1].ID}})
	// And rows without keys never meet.
	commit(t, s, "INBOX", &state.Change{Put: []state.Row{{Far: "a"}, {Far: "b"}, {Near: "a"}, {Near: "b"}}})
	require.Len(t, load(t, s, "INBOX", state.Near), 7)
}

func testExchange(t *testing.T, s state.Store) {
	c := &state.Change{Put: rows(0, 4)}
	commit(t, s, "INBOX", c)
	want := slices.Clone(c.Put)
	// A ring of three on one side, a chain to a new row on the other.
	want[0].Far, want[1].Far, want[2].Far = want[1].Far, want[2].Far, want[0].Far
	fresh := row(50)
	fresh.Near, want[3].Near = want[3].Near, ""
	second := &state.Change{Put: append([]state.Row{fresh}, want...)}
	commit(t, s, "INBOX", second)
	got := load(t, s, "INBOX", state.Far)
	require.ElementsMatch(t, second.Put, got)
}
