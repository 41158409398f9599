package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What Diff makes of each combination of what is kept near and what happened. The
// table is the one in docs/guide.md, and more.
func TestDiffExpiry(t *testing.T) {
	seen, flagged := mail.NewFlags(`\Seen`), mail.NewFlags(`\Seen`, `\Flagged`)
	pair := state.Row{ID: 1, Far: "f", Near: "n", Flags: seen}
	with := func(change func(r *state.Row)) *state.Row {
		r := pair
		change(&r)
		return &r
	}
	expired := func(note string) *state.Row {
		return with(func(r *state.Row) { r.Near, r.Status, r.Note = "", state.StatusExpired, note })
	}
	halfway := with(func(r *state.Row) { r.Status, r.Note = state.StatusExpired, noteMessages })
	out := func(d Delta) Delta { d.Excluded = map[int64]bool{1: true, -1: true}; return d }
	in := func(d Delta) Delta { d.Kept = map[int64]bool{1: true}; return d }
	gone := Delta{Gone: map[int64]bool{1: true}}
	flags := func(f mail.Flags) Delta { return Delta{Flags: map[int64]mail.Flags{1: f}} }
	for _, tc := range []struct {
		name      string
		far, near Delta
		change    func(*Policy)
		keep      KeepRules
		row       *state.Row
		want      string
		put, drop int
		blocked   bool
	}{
		{name: "new, excluded", far: Delta{New: NewMetas(mail.Meta{Key: "x", Excluded: true})}},
		{name: "new near, excluded means nothing", near: Delta{New: NewMetas(mail.Meta{Key: "x", Excluded: true})}, want: "push far x"},
		{name: "pair, excluded", far: out(Delta{}), want: "delete near n expiry"},
		{name: "pair, excluded before, not read now", row: with(func(r *state.Row) { r.Note = noteMessages }), want: "delete near n expiry"},
		{name: "pair, excluded, flagged far", far: out(flags(flagged)), want: `flags near n +\Flagged`, put: 1},
		{name: "pair, excluded, unread far", far: out(flags(mail.Flags{})), want: `flags near n -\Seen`, put: 1},
		{name: "pair, excluded, flagged near", far: out(Delta{}), near: flags(flagged), want: `flags far f +\Flagged`, put: 1},
		{name: "pair, excluded, flagged, predicate knows", far: out(flags(flagged)), keep: KeepRules{Flagged: true}, want: "delete near n expiry"},
		{name: "pair, excluded, unread, predicate knows", far: out(flags(mail.Flags{})), keep: KeepRules{Unread: true}, want: "delete near n expiry"},
		{name: "pair, excluded, changed near: that goes far first", far: out(Delta{}), near: flags(mail.NewFlags(`\Seen`, `\Answered`)),
			want: "flags far f +\\Answered\ndelete near n expiry"},
		{name: "pair, excluded, removed near", far: out(Delta{}), near: gone, want: "delete far f"},
		{name: "pair, excluded, removed near, not carried", far: out(Delta{}), near: gone, change: func(p *Policy) { p.Push = OpNew | OpFlags }, put: 1},
		{name: "pair, excluded, removed far", far: gone, want: "delete near n"},
		{name: "pair, excluded, nothing is pulled", far: out(Delta{}), change: func(p *Policy) { p.Pull = OpsNone }},
		{name: "pair, excluded, a conversion", far: out(Delta{}), keep: KeepRules{Never: true}},
		{name: "paired just now, excluded", far: out(Delta{}), row: with(func(r *state.Row) { r.ID = -1 }), put: 1, blocked: true},
		{name: "spared, matches again", far: in(Delta{}), row: with(func(r *state.Row) { r.Note = noteMessages }), put: 1},
		{name: "removed near without far hearing of it, excluded", far: out(Delta{}), row: with(func(r *state.Row) { r.Near = "" }), change: func(p *Policy) { p.Push = OpNew }},

		{name: "expired, nothing happened", row: expired(noteMessages)},
		{name: "expired, excluded still", row: expired(noteMessages), far: out(Delta{})},
		{name: "expired, matches again", row: expired(noteMessages), far: in(Delta{}), want: "pull near f"},
		{name: "expired, matches again, not pulled", row: expired(noteMessages), far: in(Delta{}), change: func(p *Policy) { p.Pull = OpFlags }, put: 1},
		{name: "expired, flagged far", row: expired(noteMessages), far: out(flags(flagged)), put: 1},
		{name: "expired, gone far", row: expired(noteMessages), far: gone, drop: 1},
		{name: "expired, hidden", row: expired(noteMessages), far: Delta{Hidden: map[int64]bool{1: true}}},
		{name: "expired by the limit, which is gone", row: expired(noteLimit), want: "pull near f"},
		{name: "halfway, the near copy is there", row: halfway, want: "delete near n expiry", blocked: true},
		{name: "halfway, the near copy is gone", row: halfway, near: gone, put: 1},
		{name: "halfway, both are gone", row: halfway, far: gone, near: gone, drop: 1},
		{name: "halfway, gone far", row: halfway, far: gone, want: "delete near n"},
		{name: "halfway, gone near, matches again", row: halfway, far: in(Delta{}), near: gone, want: "pull near f"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			policy := DefaultPolicy()
			if tc.change != nil {
				tc.change(&policy)
			}
			r := pair
			if tc.row != nil {
				r = *tc.row
			}
			plan := Diff(Input{Folder: "F", Rows: []state.Row{r}, Far: tc.far, Near: tc.near, Policy: policy, Keep: tc.keep})
			require.Equal(t, tc.want, steps(plan))
			require.Len(t, plan.put, tc.put, "rows recorded without work")
			require.Len(t, plan.drop, tc.drop, "rows forgotten")
			require.Equal(t, tc.blocked, plan.again != NoSide, "the next run looks again")
		})
	}
}

func TestDiffMaxMessages(t *testing.T) {
	seen, unread, flagged := mail.NewFlags(`\Seen`), mail.Flags{}, mail.NewFlags(`\Seen`, `\Flagged`)
	rows := []state.Row{
		{ID: 1, Far: "1", Near: "n1", Flags: seen}, {ID: 2, Far: "2", Near: "n2", Flags: unread},
		{ID: 3, Far: "3", Near: "n3", Flags: flagged}, {ID: 4, Far: "4", Near: "n4", Flags: seen},
		{ID: 5, Far: "5", Flags: seen, Status: state.StatusExpired, Note: noteLimit},
	}
	plan := func(limit int, unread bool, far, near Delta) string {
		policy := DefaultPolicy()
		policy.MaxMessages, policy.ExpireUnread = limit, unread
		return steps(Diff(Input{Rows: rows, Far: far, Near: near, Policy: policy}))
	}
	news := Delta{New: NewMetas(mail.Meta{Key: "6", Flags: seen}, mail.Meta{Key: "0", Flags: unread}, mail.Meta{Key: "00", Flags: seen})}
	require.Equal(t, "pull near 5", plan(5, false, Delta{}, Delta{}))
	require.Equal(t, "pull near 5\ndelete near n1 expiry", plan(2, false, Delta{}, Delta{}))
	require.Equal(t, "pull near 5\ndelete near n1,n2,n4 expiry", plan(1, true, Delta{}, Delta{}))
	require.Equal(t, "pull near 0,6\ndelete near n1,n4 expiry", plan(1, false, news, Delta{}))
	require.Equal(t, "pull near 5\npull near 0,00,6", plan(0, false, news, Delta{}))
	removed := Delta{Gone: map[int64]bool{4: true}}
	require.Equal(t, "pull near 5\ndelete near n1 expiry\ndelete far 4", plan(3, false, Delta{}, removed), "what was removed near has no place")
}
