package state_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// BenchmarkLoad reads a folder of 100,000 messages.
func BenchmarkLoad(b *testing.B) {
	db := open(b, options(b.TempDir()))
	for n := 0; n < 100_000; n += 1000 {
		fill(b, db, "INBOX", n, n+1000)
	}
	for _, by := range []state.Side{state.Far, state.Near} {
		b.Run("by "+by.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.Equal(b, 100_000, countBy(b, db, by))
			}
		})
	}
}

// BenchmarkKnown reads of a folder of 100,000 messages what a reading is compared with.
func BenchmarkKnown(b *testing.B) {
	db := open(b, options(b.TempDir()))
	for n := 0; n < 100_000; n += 1000 {
		fill(b, db, "INBOX", n, n+1000)
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		b.Run(side.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				require.NoError(b, db.Known(b.Context(), "INBOX", side, func(known []state.Known) error { n += len(known); return nil }))
				require.Equal(b, 100_000, n)
			}
		})
	}
}

func countBy(b *testing.B, s state.Store, by state.Side) (n int) {
	require.NoError(b, s.Load(b.Context(), "INBOX", by, func(rows []state.Row) error { n += len(rows); return nil }))
	return n
}

// BenchmarkCommit is what a batch of 1,000 messages costs: intents, then pairs,
// and a change of flags for messages here and there.
func BenchmarkCommit(b *testing.B) {
	b.Run("pairs", func(b *testing.B) {
		db := open(b, options(b.TempDir()))
		n := 0
		for b.Loop() {
			fill(b, db, "INBOX", n, n+1000)
			n += 1000
		}
	})
	b.Run("intents", func(b *testing.B) {
		db := open(b, options(b.TempDir()))
		for b.Loop() {
			c := &state.Change{Intend: make([]state.Intent, 1000)}
			for i := range c.Intend {
				c.Intend[i] = state.Intent{To: state.Near, Source: mail.UIDKey(uint32(i)), Target: mail.Key(fmt.Sprint("1700000000.", i)), Size: -1}
			}
			require.NoError(b, db.Commit(b.Context(), "INBOX", c))
			settle := &state.Change{}
			for _, in := range c.Intend {
				settle.Settle = append(settle.Settle, in.ID)
			}
			require.NoError(b, db.Commit(b.Context(), "INBOX", settle))
		}
	})
	b.Run("flags", func(b *testing.B) {
		db := open(b, options(b.TempDir()))
		fill(b, db, "INBOX", 0, 50_000)
		var all []state.Row
		require.NoError(b, db.Load(b.Context(), "INBOX", state.Far, func(rows []state.Row) error { all = append(all, rows...); return nil }))
		at := 0
		for b.Loop() {
			c := &state.Change{}
			for range 1000 {
				at = (at + 7919) % len(all)
				all[at].Flags.System ^= mail.Flagged
				c.Put = append(c.Put, all[at])
			}
			require.NoError(b, db.Commit(b.Context(), "INBOX", c))
		}
	})
	b.Run("one", func(b *testing.B) {
		db := open(b, options(b.TempDir()))
		n := 0
		for b.Loop() {
			fill(b, db, "INBOX", n, n+1)
			n++
		}
	})
}
