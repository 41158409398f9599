package statetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// knows checks what is known of the messages of a folder.
func knows(t *testing.T, s state.Store, folder string, rows []state.Row) {
	for _, side := range []state.Side{state.Far, state.Near} {
		want := map[mail.Key]state.Known{}
		for _, r := range rows {
			if k := r.Key(side); k != "" {
				want[k] = state.Known{Key: k, Flags: r.Flags, Odd: r.Odd()}
			}
		}
		require.NoError(t, s.Known(t.Context(), folder, side, func(known []state.Known) error {
			for _, k := range known {
				require.Equal(t, want[k.Key], k)
				delete(want, k.Key)
			}
			return nil
		}))
		require.Empty(t, want)
	}
}

// find returns what Find does, in the order of Load.
func find(t testing.TB, s state.Store, folder string, wanted state.Wanted) state.Found {
	t.Helper()
	found, err := s.Find(t.Context(), folder, wanted)
	require.NoError(t, err)
	slices.SortFunc(found.Rows, func(a, b state.Row) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// testFind looks for rows by the keys of either side. Those that are odd come too.
func testFind(t *testing.T, s state.Store) {
	require.Empty(t, find(t, s, "INBOX", state.Wanted{Last: 3}))
	var plain, odd []state.Row
	for _, r := range rows(1, 60) {
		if r.Odd() {
			odd = append(odd, r)
		} else {
			plain = append(plain, r)
		}
	}
	far, near := row(3), row(6)
	far.Near, near.Far = "", ""
	plain = slices.DeleteFunc(plain, func(r state.Row) bool { return r.Far == far.Far || r.Near == near.Near })
	odd = append(odd, far, near)
	all := &state.Change{Put: slices.Concat(plain, odd)}
	commit(t, s, "INBOX", all)
	commit(t, s, "Other", &state.Change{Put: rows(1, 9)})
	plain, odd = all.Put[:len(plain)], all.Put[len(plain):]

	found := find(t, s, "INBOX", state.Wanted{})
	require.Equal(t, state.Found{Rows: odd, Messages: len(all.Put)}, found)
	found = find(t, s, "INBOX", state.Wanted{
		Far: mail.NewKeySet(plain[2].Far, odd[0].Far, "nowhere"), Near: mail.NewKeySet(plain[5].Near, plain[2].Near)})
	require.Equal(t, slices.Concat([]state.Row{plain[2], plain[5]}, odd), found.Rows)
	require.Equal(t, len(all.Put), find(t, s, "INBOX", state.Wanted{Last: 1000}).Messages)
	require.Len(t, find(t, s, "INBOX", state.Wanted{Last: 1000}).Rows, len(all.Put))
	last := find(t, s, "INBOX", state.Wanted{Last: 2}).Rows
	require.Contains(t, last, plain[len(plain)-1], "the highest far key")
	require.Contains(t, last, plain[0], "the highest near key")
	require.Less(t, len(last), len(odd)+5)

	long := rows(80, 81)
	long[0].Near, long[0].Flags = mail.Key(strings.Repeat("long", 1000)), mail.NewFlags(strings.Repeat("flag", 1000))
	commit(t, s, "Other", &state.Change{Put: long})
	knows(t, s, "INBOX", all.Put)
	knows(t, s, "Other", append(rows(1, 9), long...))
	require.NoError(t, s.Known(t.Context(), "nowhere", state.Far, func([]state.Known) error { panic("there is none") }))

	commit(t, s, "INBOX", &state.Change{Drop: []int64{plain[0].ID, odd[0].ID, 1 << 40}, Put: rows(70, 72)})
	require.Equal(t, len(all.Put), find(t, s, "INBOX", state.Wanted{}).Messages)
	require.Equal(t, len(all.Put), folders(t, s)[0].Messages)
}
