package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// TestSieve: what passes a sieve, compared with the rows of that only, gives what all
// messages give that are compared with all rows.
func TestSieve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		flags := rapid.SampledFrom([]mail.Flags{{}, mail.NewFlags(`\Seen`), mail.NewFlags("$Label", `\Seen`), mail.NewFlags(`\Deleted`)})
		key := rapid.Map(rapid.IntRange(1, 12), func(n int) mail.Key { return mail.UIDKey(uint32(n)) })
		s := state.NewMemory()
		require.NoError(t, s.Open(ctx))
		var change state.Change
		for i, k := range rapid.SliceOfNDistinct(key, 0, 10, rapid.ID).Draw(t, "rows") {
			row := state.Row{Far: mail.UIDKey(uint32(100 + i)), Near: k, Flags: flags.Draw(t, "flags"), Ident: "x"}
			if rapid.IntRange(0, 3).Draw(t, "odd") == 0 {
				row.Note, row.NearOnly = rapid.SampledFrom([]string{"", "note"}).Draw(t, "note"), flags.Draw(t, "only")
			}
			change.Put = append(change.Put, row)
		}
		require.NoError(t, s.Commit(ctx, "INBOX", &change))
		metas := rapid.SliceOf(rapid.Custom(func(t *rapid.T) mail.Meta {
			kind := rapid.IntRange(0, 9).Draw(t, "kind")
			return mail.Meta{Key: key.Draw(t, "key"), Flags: flags.Draw(t, "flags"), Hidden: kind == 0, Excluded: kind == 1}
		})).Draw(t, "metas")
		keys := func(name string) mail.KeySet { return mail.NewKeySet(rapid.SliceOfN(key, 0, 3).Draw(t, name)...) }
		res := mail.Result{Complete: rapid.Bool().Draw(t, "complete"), Unsure: rapid.Bool().Draw(t, "unsure"),
			Present: keys("present"), Gone: keys("gone")}

		all := newComparer(change.Put, state.Near)
		require.NoError(t, all.add(metas))
		want := all.finish(res)

		v, err := newSieve(ctx, s, "INBOX", state.Near, 0)
		require.NoError(t, err)
		var passed []mail.Meta
		var wanted state.Wanted
		for _, m := range metas {
			if moreTo(v, m) {
				passed = append(passed, m)
				wanted.Near.Add(m.Key)
			}
		}
		told := v.partial(res)
		require.False(t, told.Complete)
		wanted.Near.AddSet(told.Gone)
		found, err := s.Find(ctx, "INBOX", wanted)
		require.NoError(t, err)
		few := newComparer(found.Rows, state.Near)
		few.beyond = found.Messages - len(found.Rows)
		require.NoError(t, few.add(passed))
		got := few.finish(told)
		require.Equal(t, listed(slices.Collect(want.New.All())), listed(slices.Collect(got.New.All())))
		want.New, got.New = Metas{}, Metas{}
		require.Equal(t, want, got)
	})
}

// shuffled is a state that knows messages in the order it is given.
type shuffled struct {
	state.Store
	known []state.Known
}

func (s shuffled) Known(_ context.Context, _ string, _ state.Side, fn func([]state.Known) error) error {
	return fn(s.known)
}

// TestSieveOfAnyOrder: a state may know messages in any order, and more sets of flags
// than the sieve counts: of those it looks at the row.
func TestSieveOfAnyOrder(t *testing.T) {
	var known []state.Known
	for i := range 40_000 {
		key := mail.UIDKey(uint32(i*7919%40_000 + 1))
		known = append(known, state.Known{Key: key, Flags: mail.NewFlags(string(key))})
	}
	v, err := newSieve(t.Context(), shuffled{known: known}, "INBOX", state.Near, 10)
	require.NoError(t, err)
	passed := 0
	for _, k := range known {
		if moreTo(v, mail.Meta{Key: k.Key, Flags: k.Flags}) {
			passed++
		}
	}
	require.Less(t, passed, 10_000)
	require.True(t, v.partial(mail.Result{Complete: true}).Gone.Empty())
	require.True(t, moreTo(v, mail.Meta{Key: mail.UIDKey(50_000)}))

	v, err = newSieve(t.Context(), shuffled{known: known}, "INBOX", state.Near, 10)
	require.NoError(t, err)
	for _, k := range known {
		require.True(t, moreTo(v, mail.Meta{Key: k.Key, Flags: mail.NewFlags("other")}))
	}
}

func moreTo(v *sieve, m mail.Meta) bool {
	_, more := v.look(m)
	return more
}
