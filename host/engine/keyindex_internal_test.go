package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// TestKeyIndex: it is a map from keys to rows, however it is asked.
func TestKeyIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Map(rapid.IntRange(0, 30), func(n int) mail.Key {
			if n == 0 {
				return ""
			}
			return mail.UIDKey(uint32(n))
		})
		var rows []state.Row
		want := map[mail.Key]int{}
		for i, k := range rapid.SliceOfN(key, 0, 40).Draw(t, "rows") {
			rows = append(rows, state.Row{Near: k})
			if k != "" {
				want[k] = i
			}
		}
		x := newKeyIndex(rows, state.Near)
		for _, k := range rapid.SliceOf(key).Draw(t, "asked") {
			i, ok := x.find(k)
			at, there := want[k]
			require.Equal(t, there, ok, k)
			require.Equal(t, at, i, k)
		}
	})
}

// TestComparerTellsTwice: a message that is told twice counts as last told,
// whatever the order.
func TestComparerTellsTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newComparer(nil, state.Far)
		want := map[mail.Key]mail.System{}
		for _, n := range rapid.SliceOf(rapid.IntRange(1, 12)).Draw(t, "told") {
			m := mail.Meta{Key: mail.UIDKey(uint32(n)), Flags: mail.Flags{System: mail.System(len(want)) & mail.Seen}}
			want[m.Key] = m.Flags.System
			require.NoError(t, c.add([]mail.Meta{m}))
		}
		got := map[mail.Key]mail.System{}
		delta := c.finish(mail.Result{Complete: true})
		for m := range delta.New.All() {
			_, twice := got[m.Key]
			require.False(t, twice)
			got[m.Key] = m.Flags.System
		}
		require.Equal(t, want, got)
	})
}
