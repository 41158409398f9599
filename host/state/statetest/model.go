package statetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// testModel applies any sequence of changes to the store and to a Memory, which
// has to answer alike at every step, failures included.
func testModel(t *testing.T, newStore New) {
	rapid.Check(t, func(r *rapid.T) {
		s, model := newStore(t), state.NewMemory()
		require.NoError(r, s.Open(t.Context()))
		defer s.Close()
		require.NoError(r, model.Open(t.Context()))
		names := []string{"INBOX", "Work", "Old"}
		for range rapid.IntRange(1, 12).Draw(r, "changes") {
			folder := rapid.SampledFrom(names).Draw(r, "folder")
			c := drawChange(r, names)
			twin := c
			twin.Put, twin.Intend = append([]state.Row(nil), c.Put...), append([]state.Intent(nil), c.Intend...)
			got, want := s.Commit(t.Context(), folder, &c), model.Commit(t.Context(), folder, &twin)
			if want != nil {
				require.Error(r, got, "%v", want)
				require.Equal(r, fault.CodeOf(want), fault.CodeOf(got), "%v", got)
			} else {
				require.NoError(r, got)
			}
			require.Equal(r, ids(twin), ids(c))
			same(r, t, s, model, names)
		}
	})
}

func drawChange(r *rapid.T, names []string) state.Change {
	c := state.Change{
		Forget: rapid.IntRange(0, 9).Draw(r, "forget") == 0,
		Settle: rapid.SliceOfN(rapid.Int64Range(1, 20), 0, 3).Draw(r, "settle"),
		Drop:   rapid.SliceOfN(rapid.Int64Range(1, 20), 0, 3).Draw(r, "drop"),
	}
	if rapid.IntRange(0, 3).Draw(r, "with record") == 0 {
		c.Folder = record(rapid.SampledFrom(names).Draw(r, "record"))
	}
	key := rapid.Custom(func(r *rapid.T) mail.Key {
		n := rapid.IntRange(0, 12).Draw(r, "key")
		if n == 0 {
			return ""
		}
		return mail.Key(fmt.Sprint(n))
	})
	for range rapid.IntRange(0, 3).Draw(r, "rows") {
		next := state.Row{Far: key.Draw(r, "far"), Near: key.Draw(r, "near"), Size: rapid.Int64Range(-1, 5).Draw(r, "size")}
		if rapid.Bool().Draw(r, "replace") {
			next.ID = rapid.Int64Range(1, 15).Draw(r, "id")
		}
		c.Put = append(c.Put, next)
	}
	for range rapid.IntRange(0, 2).Draw(r, "intents") {
		c.Intend = append(c.Intend, intent(rapid.IntRange(0, 3).Draw(r, "intent")))
	}
	return c
}

func ids(c state.Change) (out []int64) {
	for _, r := range c.Put {
		out = append(out, r.ID)
	}
	for _, in := range c.Intend {
		out = append(out, in.ID)
	}
	return out
}

func same(r *rapid.T, t testing.TB, got, want state.Store, names []string) {
	require.Equal(r, folders(t, want), folders(t, got))
	for _, name := range names {
		for _, by := range []state.Side{state.Far, state.Near} {
			require.Equal(r, load(t, want, name, by), load(t, got, name, by))
		}
		require.Equal(r, intents(t, want, name), intents(t, got, name))
	}
}
