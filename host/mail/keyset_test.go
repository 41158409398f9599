package mail_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

func TestUIDKeysAreOrderedAsNumbers(t *testing.T) {
	require.Less(t, mail.UIDKey(9), mail.UIDKey(10))
	require.Less(t, mail.UIDKey(999999999), mail.UIDKey(4294967295))
	uid, ok := mail.UIDKey(4294967295).UID()
	require.True(t, ok)
	require.Equal(t, uint32(4294967295), uid)
	for _, k := range []mail.Key{"", "42", "4294967296", "1700000000.M1P2.host", "00000000x1", "-000000001"} {
		_, ok := k.UID()
		require.False(t, ok, k)
	}
}

// A KeySet behaves like a sorted set, whatever is added in whatever order.
func TestKeySetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[mail.Key]bool{}
		var s mail.KeySet
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				k := mail.Key(rapid.SampledFrom([]string{"a", "b.1", "c:", "1", "0000000005x"}).Draw(t, "name"))
				s.Add(k)
				want[k] = true
			case 1:
				first := rapid.Uint32Range(0, 40).Draw(t, "first")
				last := first + rapid.Uint32Range(0, 8).Draw(t, "more")
				s.AddUIDs(first, last)
				for uid := first; uid <= last; uid++ {
					want[mail.UIDKey(uid)] = true
				}
			default:
				k := mail.UIDKey(rapid.SampledFrom([]uint32{0, 1, 7, 8, 9, 30, 4294967294, 4294967295}).Draw(t, "uid"))
				s.Add(k)
				want[k] = true
			}
		}
		require.Equal(t, len(want), s.Len())
		all := slices.Collect(s.All())
		require.Len(t, all, len(want))
		for _, k := range all {
			require.True(t, want[k])
			require.True(t, s.Contains(k))
		}
		require.True(t, slices.IsSorted(s.Names()))
		for i, r := range s.UIDs() {
			require.LessOrEqual(t, r.First, r.Last)
			if i > 0 {
				require.Greater(t, uint64(r.First), uint64(s.UIDs()[i-1].Last)+1, "ranges that touch are one")
			}
		}
		var again mail.KeySet
		n := rapid.IntRange(1, 10).Draw(t, "chunk")
		for piece := range s.Chunks(n) {
			require.LessOrEqual(t, piece.Len(), n)
			again.AddSet(piece)
		}
		require.Equal(t, all, slices.Collect(again.All()))
	})
}

func BenchmarkKeySetAddInOrder(b *testing.B) {
	for b.Loop() {
		var s mail.KeySet
		for uid := uint32(1); uid <= 100_000; uid++ {
			if uid%7 != 0 {
				s.AddUIDs(uid, uid)
			}
		}
	}
}

func BenchmarkKeySetContains(b *testing.B) {
	var s mail.KeySet
	for uid := uint32(1); uid <= 100_000; uid += 2 {
		s.AddUIDs(uid, uid)
	}
	k := mail.UIDKey(rand.Uint32N(100_000))
	for b.Loop() {
		s.Contains(k)
	}
}
