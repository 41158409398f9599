package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/foreign"
)

func farMeta(uid uint32, flags ...string) mail.Meta {
	return mail.Meta{Key: mail.UIDKey(uid), Flags: mail.NewFlags(flags...), Size: 100, Date: time.Unix(int64(uid), 0)}
}

func nearMeta(uid uint32, flags ...string) mail.Meta {
	return mail.Meta{Key: nearKey(uid), Flags: mail.NewFlags(flags...), Size: -1}
}

func nearKey(uid uint32) mail.Key { return mail.Key(fmt.Sprintf("file,U=%d", uid)) }

// What a tool knows of one message, what is there, and the row that it makes; the
// zero row is none. The row of a message that is there is never one that makes
// the next sync remove or expunge something, unless that was asked for.
func TestAdoptionOfOneMessage(t *testing.T) {
	pair := func(far, near uint32, kind foreign.Kind, flags ...string) foreign.Pair {
		return foreign.Pair{Far: far, Near: near, Kind: kind, Flags: mail.NewFlags(flags...)}
	}
	row := func(far, near uint32, status state.Status, flags ...string) state.Row {
		r := state.Row{Flags: mail.NewFlags(flags...), Size: -1, Status: status}
		if far != 0 {
			r.Far = mail.UIDKey(far)
		}
		if near != 0 {
			r.Near = nearKey(near)
		}
		return r
	}
	marked := mail.NewFlags(`\Deleted`)
	noDelete := DefaultPolicy()
	noDelete.Push &^= OpDelete
	noExpunge := DefaultPolicy()
	noExpunge.Expunge = NoSide
	tests := map[string]struct {
		known     []foreign.Pair
		expiredTo uint32
		far, near []mail.Meta
		policy    *Policy
		removals  bool
		want      state.Row
		removed   int
	}{
		"a pair": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary, `\Seen`)},
			far: []mail.Meta{farMeta(1, `\Seen`)}, near: []mail.Meta{nearMeta(2, `\Seen`)}, want: row(1, 2, "", `\Seen`)},
		"flags changed since": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary, `\Seen`)},
			far: []mail.Meta{farMeta(1, `\Seen`, `\Flagged`)}, near: []mail.Meta{nearMeta(2)}, want: row(1, 2, "", `\Seen`)},
		"marked near since": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)},
			far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2, `\Deleted`)},
			want: func() state.Row { r := row(1, 2, ""); r.NearOnly = marked; return r }()},
		"marked near since, to be carried": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)}, removals: true,
			far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2, `\Deleted`)}, want: row(1, 2, "")},
		"marked on both sides": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)},
			far: []mail.Meta{farMeta(1, `\Deleted`)}, near: []mail.Meta{nearMeta(2, `\Deleted`)}, want: row(1, 2, "", `\Deleted`)},
		"removed near": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)}, far: []mail.Meta{farMeta(1)}, removed: 1},
		"removed near, to be carried": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)}, far: []mail.Meta{farMeta(1)}, removals: true,
			want: func() state.Row { r := row(1, 0, ""); r.Size = 100; return r }()},
		"removed near, and far is never removed": {known: []foreign.Pair{pair(1, 0, foreign.Ordinary)}, far: []mail.Meta{farMeta(1)}, policy: &noDelete,
			want: func() state.Row { r := row(1, 0, ""); r.Size = 100; return r }()},
		"removed near, marked far, and nothing is expunged": {known: []foreign.Pair{pair(1, 0, foreign.Ordinary, `\Deleted`)},
			far: []mail.Meta{farMeta(1, `\Deleted`)}, policy: &noExpunge,
			want: func() state.Row { r := row(1, 0, "", `\Deleted`); r.Size = 100; return r }()},
		"removed near, marked far, and expunged": {known: []foreign.Pair{pair(1, 0, foreign.Ordinary, `\Deleted`)},
			far: []mail.Meta{farMeta(1, `\Deleted`)}, removed: 1},
		"removed far":           {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)}, near: []mail.Meta{nearMeta(2)}, removed: 1},
		"removed on both sides": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)}},
		"expired": {known: []foreign.Pair{pair(1, 2, foreign.Expired, `\Seen`)}, far: []mail.Meta{farMeta(1, `\Seen`)},
			want: func() state.Row {
				r := row(1, 0, state.StatusExpired, `\Seen`)
				r.Size, r.Note = 100, noteLimit
				return r
			}()},
		"about to expire": {known: []foreign.Pair{pair(1, 2, foreign.Expired)}, removals: true,
			far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2, `\Deleted`)},
			want: func() state.Row { r := row(1, 2, ""); r.NearOnly = marked; return r }()},
		"never pulled for its age": {expiredTo: 3, far: []mail.Meta{farMeta(3)},
			want: func() state.Row { r := row(3, 0, state.StatusExpired); r.Size, r.Note = 100, noteLimit; return r }()},
		"new":     {expiredTo: 3, far: []mail.Meta{farMeta(4)}},
		"skipped": {known: []foreign.Pair{pair(1, 0, foreign.Skipped)}, far: []mail.Meta{farMeta(1)}},
		"a placeholder": {known: []foreign.Pair{pair(1, 2, foreign.NearPlaceholder)}, far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2)},
			want: row(1, 2, state.StatusPlaceholder)},
		"a placeholder that was read": {known: []foreign.Pair{pair(1, 2, foreign.NearPlaceholder)},
			far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2, `\Seen`)},
			want: func() state.Row {
				r := row(1, 2, state.StatusPlaceholder)
				r.NearOnly = mail.NewFlags(`\Seen`)
				return r
			}()},
		"a placeholder far": {known: []foreign.Pair{pair(1, 2, foreign.FarPlaceholder)}, far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2)},
			want: row(1, 2, "")},
		"a number twice": {known: []foreign.Pair{pair(1, 2, foreign.Ordinary)},
			far: []mail.Meta{farMeta(1)}, near: []mail.Meta{nearMeta(2), {Key: "copied,U=2"}}, removed: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := adoption{state: &foreign.State{Pairs: test.known, ExpiredTo: test.expiredTo}, policy: DefaultPolicy(), removals: test.removals}
			if test.policy != nil {
				a.policy = *test.policy
			}
			a.match(test.far, test.near)
			a.settle(nil)
			rows := a.rows()
			if test.want == (state.Row{}) {
				require.Empty(t, rows)
			} else {
				require.Len(t, rows, 1)
				rows[0].Date = time.Time{}
				require.Equal(t, test.want, rows[0])
			}
			require.Equal(t, test.removed, a.removed)
		})
	}
}

// Whatever a tool remembers and whatever is there: each message is in one row or
// left, and a sync after it removes and expunges nothing.
func TestAdoptionRemovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flags := rapid.SampledFrom([]string{``, `\Seen`, `\Deleted`, `\Seen \Deleted`, `\Flagged`})
		draw := func(name string, uid uint32, meta func(uint32, ...string) mail.Meta) mail.Meta {
			m := meta(uid)
			m.Flags = flagsOf(flags.Draw(t, name))
			return m
		}
		var known []foreign.Pair
		var far, near []mail.Meta
		for uid := uint32(1); uid <= 8; uid++ {
			if rapid.Bool().Draw(t, "far") {
				far = append(far, draw("far flags", uid, farMeta))
			}
			if rapid.Bool().Draw(t, "near") {
				near = append(near, draw("near flags", uid, nearMeta))
			}
			if rapid.Bool().Draw(t, "known") {
				p := foreign.Pair{Far: uid, Near: uid, Flags: flagsOf(flags.Draw(t, "known flags")), Kind: foreign.Kind(rapid.IntRange(0, 4).Draw(t, "kind"))}
				if rapid.IntRange(0, 4).Draw(t, "one side") == 0 {
					p.Near = 0
				}
				known = append(known, p)
			}
		}
		policy := DefaultPolicy()
		policy.Expunge = Sides(rapid.IntRange(0, 3).Draw(t, "expunge"))
		policy.Push = Ops(rapid.IntRange(0, int(OpsAll)).Draw(t, "push"))
		a := adoption{state: &foreign.State{Pairs: known, ExpiredTo: uint32(rapid.IntRange(0, 8).Draw(t, "expired to"))}, policy: policy}
		a.match(far, near)
		a.settle(nil)
		rows := a.rows()
		for side, list := range map[state.Side][]mail.Meta{state.Far: far, state.Near: near} {
			seen := map[mail.Key]int{}
			for _, r := range rows {
				if key := r.Key(side); key != "" {
					seen[key]++
				}
			}
			for _, m := range a.left(side) {
				seen[m.Key]++
			}
			for _, m := range list {
				require.Equal(t, 1, seen[m.Key], "%s %s", side, m.Key)
			}
		}
		// The next sync reads both sides in full.
		in := Input{Folder: "INBOX", Policy: policy, Pairing: true}
		for i := range rows {
			rows[i].ID = int64(i + 1)
		}
		in.Rows = rows
		for side, list := range map[state.Side][]mail.Meta{state.Far: far, state.Near: near} {
			c := newComparer(rows, side)
			require.NoError(t, c.add(list))
			delta := c.finish(mail.Result{Complete: true})
			if side == state.Far {
				in.Far = delta
			} else {
				in.Near = delta
			}
		}
		for _, s := range Diff(in).Steps {
			require.NotEqual(t, OpRemove, s.Op, "%s %s", s.Reason, s.Keys().Names())
			require.False(t, s.Op == OpFlag && s.Add.Has(mail.Deleted), "%s", s.Reason)
		}
	})
}

func flagsOf(text string) mail.Flags { return mail.NewFlags(strings.Fields(text)...) }

func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]int, rapid.IntRange(0, 200).Draw(t, "n"))
		for i := range all {
			all[i] = i
		}
		n := rapid.IntRange(2, 40).Draw(t, "sample")
		taken, rest := spread(all, n)
		require.Equal(t, min(n, len(all)), len(taken))
		require.Equal(t, len(all), len(taken)+len(rest))
		if len(all) > 0 {
			require.Equal(t, 0, taken[0])
			require.Equal(t, len(all)-1, taken[len(taken)-1])
		}
	})
}
