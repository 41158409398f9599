package engine

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// drawMeta draws the usual messages, and odd ones.
func drawMeta(t *rapid.T) mail.Meta {
	return mail.Meta{
		Key: rapid.OneOf(rapid.Custom(func(t *rapid.T) mail.Key { return mail.UIDKey(rapid.Uint32Range(1, 12).Draw(t, "uid")) }),
			rapid.SampledFrom([]mail.Key{"1.a", "1.b", "0", "4294967296", "000000001"})).Draw(t, "key"),
		Flags: mail.NewFlags(rapid.SliceOfN(rapid.SampledFrom([]string{`\Seen`, `\Flagged`, `\Deleted`, "Later", "$Junk"}), 0, 3).Draw(t, "flags")...),
		Size:  rapid.SampledFrom([]int64{-1, 0, 1, 4000, 1<<32 - 2, 1<<32 - 1, 1 << 40}).Draw(t, "size"),
		Date: rapid.SampledFrom([]time.Time{{}, time.Unix(0, 0).UTC(), time.Unix(1, 0).UTC(), time.Unix(1764000000, 0).UTC(),
			time.Unix(1764000000, 5).UTC(), time.Unix(-7, 0).UTC(), time.Unix(1<<32-1, 0).UTC(), time.Unix(1<<33, 0).UTC()}).Draw(t, "date"),
		Hidden: rapid.Bool().Draw(t, "hidden"), Excluded: rapid.Bool().Draw(t, "excluded"),
	}
}

// TestMetas: a packed list is the list, whatever is done to it.
func TestMetas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list Metas
		var want []mail.Meta
		var copies []Metas // of when it was frozen
		var were [][]mail.Meta
		if rapid.Bool().Draw(t, "long") { // longer than a piece
			for i := range pieceLen + 3 {
				want = append(want, mail.Meta{Key: mail.UIDKey(uint32(100 + i))})
			}
			list = NewMetas(want...)
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			at := 0
			if len(want) > 0 {
				at = rapid.IntRange(0, len(want)-1).Draw(t, "at")
			}
			if rapid.IntRange(0, 5).Draw(t, "freeze") == 0 {
				list.Freeze()
				copies, were = append(copies, list), append(were, slices.Clone(want))
			}
			switch m := drawMeta(t); rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				list.Add(m)
				want = append(want, m)
			case 1:
				if len(want) > 0 {
					list.Set(at, m)
					want[at] = m
				}
			case 2:
				if len(want) > 0 {
					list.remove(at)
					want = slices.Delete(want, at, at+1)
				}
			case 3:
				list = list.Without(func(one mail.Meta) bool { return one.Key == m.Key })
				want = slices.DeleteFunc(want, func(one mail.Meta) bool { return one.Key == m.Key })
			}
			sought := drawMeta(t).Key
			require.Equal(t, slices.IndexFunc(want, func(m mail.Meta) bool { return m.Key == sought }), list.first(sought))
		}
		require.Equal(t, len(want), list.Len())
		for i := range copies {
			require.Equal(t, listed(were[i]), listed(copies[i].Slice(0, copies[i].Len())))
		}
		require.Equal(t, listed(want), listed(list.Slice(0, list.Len())))
		require.Equal(t, listed(want), listed(slices.Collect(list.All())))
	})
}

// TestItems: what belongs to a message stays with it.
func TestItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []item
		for i := range rapid.IntRange(0, 8).Draw(t, "n") {
			it := item{meta: drawMeta(t)}
			if rapid.Bool().Draw(t, "row") {
				it.row = &state.Row{ID: int64(i)}
			}
			if rapid.Bool().Draw(t, "more") {
				it.more = &extra{note: "x"}
			}
			want = append(want, it)
		}
		list := itemsOf(want...)
		before := list
		chunked := slices.Concat(slices.Collect(list.chunks(3))...)
		odd := func(it item) bool { return it.meta.Size > 1 }
		dropped := list.drop(odd)
		left := slices.DeleteFunc(slices.Clone(want), odd)
		require.Equal(t, len(want)-len(left), dropped)
		require.Equal(t, listed(left), listed(list.slice(0, list.len())))
		require.Equal(t, listed(want), listed(before.slice(0, before.len())), "a list that was handed on")
		require.Equal(t, listed(want), listed(chunked))
		if len(left) > 0 {
			also := extra{again: true}
			list.setMore(len(left)-1, &also)
			left[len(left)-1].more = &also
		}
		list.sort()
		slices.SortStableFunc(left, func(a, b item) int { return cmp.Compare(a.meta.Key, b.meta.Key) })
		require.Equal(t, listed(left), listed(list.slice(0, list.len())))
	})
}

// listed makes no difference between nothing and none.
func listed[T any](list []T) []T { return append([]T{}, list...) }
