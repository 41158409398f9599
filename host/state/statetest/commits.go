package statetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

func intent(n int) state.Intent {
	return state.Intent{
		To: state.Far + state.Side(n%2), Source: mail.Key(fmt.Sprintf("source %d", n)), Target: mail.Key(fmt.Sprintf("target %d", n)),
		Next: mail.UIDKey(uint32(n)), Epoch: "17", Flags: mail.NewFlags(`\Draft`, "kept"), Size: int64(n),
		Date: time.Unix(1_600_000_000, 0).UTC(), Ident: "ident",
	}
}

func testIntents(t *testing.T, s state.Store) {
	c := &state.Change{Intend: []state.Intent{intent(1), intent(2), intent(3)}}
	c.Intend[1].Size, c.Intend[1].Date = -1, time.Time{}
	commit(t, s, "INBOX", c)
	commit(t, s, "Work", &state.Change{Intend: []state.Intent{intent(9)}})
	reopen(t, s)
	require.Equal(t, c.Intend, intents(t, s, "INBOX"))
	require.Equal(t, 3, folders(t, s)[0].Open)

	// The pair is recorded in the transaction that settles the intent.
	work := intents(t, s, "Work")[0].ID
	commit(t, s, "INBOX", &state.Change{Settle: []int64{c.Intend[0].ID, c.Intend[2].ID, work, 12345}, Put: rows(1, 3)})
	reopen(t, s)
	require.Equal(t, c.Intend[1:2], intents(t, s, "INBOX"))
	require.Len(t, intents(t, s, "Work"), 1, "the intent of another folder was settled")
	require.Len(t, load(t, s, "INBOX", state.Far), 2)
	require.Equal(t, 1, folders(t, s)[0].Open)
}

func testAllOrNothing(t *testing.T, s state.Store) {
	c := &state.Change{Folder: record("INBOX"), Put: rows(0, 5), Intend: []state.Intent{intent(1)}}
	commit(t, s, "INBOX", c)
	before := load(t, s, "INBOX", state.Far)
	other := &state.Change{Put: rows(0, 1)}
	commit(t, s, "Work", other)

	for name, last := range map[string]state.Row{
		"a row that is not there":   {ID: 1 << 50, Far: "x"},
		"a row of another folder":   {ID: other.Put[0].ID, Far: "x"},
		"a key that is taken twice": row(1),
	} {
		bad := &state.Change{
			Forget: name == "a row that is not there", Folder: record("INBOX"),
			Intend: []state.Intent{intent(5)}, Settle: []int64{c.Intend[0].ID},
			Drop: []int64{c.Put[4].ID}, Put: []state.Row{row(100), last},
		}
		bad.Folder.Policy = "changed"
		err := s.Commit(t.Context(), "INBOX", bad)
		require.Error(t, err, name)
		if last.ID != 0 {
			requireCode(t, fault.NotFound, err)
		}
		require.Zero(t, bad.Put[0].ID, "a change that failed gives no IDs")
		require.Zero(t, bad.Intend[0].ID)
		reopen(t, s)
		require.Equal(t, before, load(t, s, "INBOX", state.Far), name)
		require.Equal(t, c.Intend, intents(t, s, "INBOX"), name)
		require.Equal(t, "policy", folders(t, s)[0].Policy, name)
	}
	require.Equal(t, other.Put, load(t, s, "Work", state.Far))
}

func testIDs(t *testing.T, s state.Store) {
	seen := map[int64]bool{}
	for i := range 6 {
		c := &state.Change{Put: rows(0, 3), Intend: []state.Intent{intent(1)}}
		commit(t, s, "INBOX", c)
		ids := []int64{c.Intend[0].ID}
		for _, r := range c.Put {
			ids = append(ids, r.ID)
		}
		for _, id := range ids {
			require.NotZero(t, id)
			require.False(t, seen[id], "ID %d was given twice", id)
			seen[id] = true
		}
		if i%2 == 0 {
			commit(t, s, "INBOX", &state.Change{Forget: true})
		} else {
			commit(t, s, "INBOX", &state.Change{Drop: ids[1:], Settle: ids[:1]})
		}
		reopen(t, s)
	}
}

func testBigCommit(t *testing.T, s state.Store) {
	c := &state.Change{Put: rows(0, 2200)}
	for n := range 1100 {
		c.Intend = append(c.Intend, intent(n))
	}
	commit(t, s, "INBOX", c)
	require.Equal(t, c.Put, load(t, s, "INBOX", state.Far))
	require.Equal(t, c.Intend, intents(t, s, "INBOX"))
	for _, r := range c.Put[:1100] {
		c.Drop = append(c.Drop, r.ID)
	}
	for _, in := range c.Intend {
		c.Settle = append(c.Settle, in.ID)
	}
	commit(t, s, "INBOX", &state.Change{Settle: c.Settle, Drop: c.Drop})
	require.Equal(t, c.Put[1100:], load(t, s, "INBOX", state.Far))
	require.Empty(t, intents(t, s, "INBOX"))
}

func testConcurrent(t *testing.T, s state.Store) {
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for n := range 6 {
		folder := fmt.Sprintf("folder %d", n)
		wg.Go(func() {
			for i := range 10 {
				if err := s.Commit(t.Context(), folder, &state.Change{Put: rows(i*10, i*10+10)}); err != nil {
					errs <- err
					return
				}
				count := 0
				err := s.Load(t.Context(), folder, state.Near, func(rows []state.Row) error {
					count += len(rows)
					return nil
				})
				if err == nil && count != (i+1)*10 {
					err = fmt.Errorf("%d rows after %d commits of 10", count, i+1)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, folders(t, s), 6)
}
