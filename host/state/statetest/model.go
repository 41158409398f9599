package statetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// modelTime bounds the search for a sequence that goes wrong. It is long enough
// for the hundred that are tried, but for a slow border under the race detector.
const modelTime = 2 * time.Second

// testModel applies any sequence of changes to the store and to a Memory, which
// has to answer alike at every step, failures included.
func testModel(t *testing.T, s state.Store) {
	model := state.NewMemory()
	require.NoError(t, model.Open(t.Context()))
	names := []string{"INBOX", "Work", "Old"}
	var last int64 // ID given
	deadline := time.Now().Add(modelTime)
	rapid.Check(t, func(r *rapid.T) {
		if time.Now().After(deadline) {
			return
		}
		known := rapid.Int64Range(last+1, last+15)
		for range rapid.IntRange(1, 12).Draw(r, "changes") {
			folder := rapid.SampledFrom(names).Draw(r, "folder")
			c := drawChange(r, names, known)
			twin := c
			twin.Put, twin.Intend = slices.Clone(c.Put), slices.Clone(c.Intend)
			got, want := s.Commit(t.Context(), folder, &c), model.Commit(t.Context(), folder, &twin)
			if want != nil {
				require.Error(r, got, "%v", want)
				require.Equal(r, fault.CodeOf(want), fault.CodeOf(got), "%v", got)
			} else {
				require.NoError(r, got)
			}
			require.Equal(r, ids(twin), ids(c))
			last = max(last, slices.Max(append(ids(c), 0)))
			same(r, t, s, model, names)
		}
		for _, name := range names {
			commit(t, s, name, &state.Change{Forget: true})
			commit(t, model, name, &state.Change{Forget: true})
		}
	})
}

func drawChange(r *rapid.T, names []string, known *rapid.Generator[int64]) state.Change {
	c := state.Change{
		Forget: rapid.IntRange(0, 9).Draw(r, "forget") == 0,
		Settle: rapid.SliceOfN(known, 0, 3).Draw(r, "settle"),
		Drop:   rapid.SliceOfN(known, 0, 3).Draw(r, "drop"),
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
			next.ID = known.Draw(r, "id")
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
		wanted := state.Wanted{Far: mail.NewKeySet("3", "4"), Near: mail.NewKeySet("5")}
		require.Equal(r, find(t, want, name, wanted), find(t, got, name, wanted))
	}
}
