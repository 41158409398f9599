package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// steps prints a plan in one line for each step.
func steps(p *FolderPlan) string {
	var out []string
	for _, s := range p.Steps {
		var keys []string
		for _, it := range s.items.all() {
			keys = append(keys, string(it.meta.Key))
		}
		line := fmt.Sprintf("%s %s %s", s.Op, s.Side, strings.Join(keys, ","))
		if !s.Add.Empty() {
			line += " +" + s.Add.String()
		}
		if !s.Remove.Empty() {
			line += " -" + s.Remove.String()
		}
		if s.Expiry {
			line += " expiry"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func rule(flag string, r FlagRule) func(*Policy) {
	return func(p *Policy) { p.Flags = map[string]FlagRule{flag: r} }
}

func TestDiff(t *testing.T) {
	seen, flagged, deleted := mail.NewFlags(`\Seen`), mail.NewFlags(`\Flagged`), mail.NewFlags(`\Deleted`)
	row := state.Row{ID: 1, Far: "f", Near: "n", Flags: seen}
	for _, tc := range []struct {
		name      string
		far, near Delta
		change    func(*Policy)
		row       *state.Row
		want      string
		put, drop int
	}{
		{name: "nothing"},
		{name: "new far", far: Delta{New: NewMetas(mail.Meta{Key: "x"})}, want: "pull near x"},
		{name: "new near", near: Delta{New: NewMetas(mail.Meta{Key: "x"})}, want: "push far x"},
		{name: "hidden new", far: Delta{New: NewMetas(mail.Meta{Key: "x", Hidden: true})}},
		{name: "new, not allowed", far: Delta{New: NewMetas(mail.Meta{Key: "x"})}, change: func(p *Policy) { p.Pull = OpFlags }},
		{name: "flag added far", far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(flagged)}}, want: `flags near n +\Flagged`},
		{name: "flag removed near", near: Delta{Flags: map[int64]mail.Flags{1: {}}}, want: `flags far f -\Seen`},
		{name: "both ways at once", far: Delta{Flags: map[int64]mail.Flags{1: {}}}, near: Delta{Flags: map[int64]mail.Flags{1: seen.Union(flagged)}},
			want: "flags far f +\\Flagged\nflags near n -\\Seen"},
		{name: "alike on both", far: Delta{Flags: map[int64]mail.Flags{1: flagged}}, near: Delta{Flags: map[int64]mail.Flags{1: flagged}}, put: 1},
		{name: "flags not allowed", far: Delta{Flags: map[int64]mail.Flags{1: flagged}}, change: func(p *Policy) { p.Pull = OpNew }},
		{name: "far decides, near changed", near: Delta{Flags: map[int64]mail.Flags{1: {}}}, change: rule(`\Seen`, FlagFar), want: `flags near n +\Seen`},
		{name: "far decides, far changed", far: Delta{Flags: map[int64]mail.Flags{1: {}}}, change: rule(`\Seen`, FlagFar), want: `flags near n -\Seen`},
		{name: "near decides, far changed", far: Delta{Flags: map[int64]mail.Flags{1: {}}}, change: rule(`\Seen`, FlagNear), want: `flags far f +\Seen`},
		{name: "far decides, nothing may be carried there", near: Delta{Flags: map[int64]mail.Flags{1: {}}},
			change: func(p *Policy) { rule(`\Seen`, FlagFar)(p); p.Pull = OpNew }},
		{name: "union, taken off far", far: Delta{Flags: map[int64]mail.Flags{1: {}}}, change: rule(`\Seen`, FlagUnion), want: `flags far f +\Seen`},
		{name: "union, taken off on both", far: Delta{Flags: map[int64]mail.Flags{1: {}}}, near: Delta{Flags: map[int64]mail.Flags{1: {}}},
			change: rule(`\Seen`, FlagUnion), put: 1},
		{name: "another flag decides for itself", near: Delta{Flags: map[int64]mail.Flags{1: flagged}}, change: rule(`\Seen`, FlagFar),
			want: "flags far f +\\Flagged\nflags near n +\\Seen"},
		{name: "gone far", far: Delta{Gone: map[int64]bool{1: true}}, want: "delete near n"},
		{name: "gone both", far: Delta{Gone: map[int64]bool{1: true}}, near: Delta{Gone: map[int64]bool{1: true}}, drop: 1},
		{name: "gone far, hidden near", far: Delta{Gone: map[int64]bool{1: true}}, near: Delta{Hidden: map[int64]bool{1: true}}, drop: 1},
		{name: "gone far, not carried", far: Delta{Gone: map[int64]bool{1: true}}, change: func(p *Policy) { p.Pull = OpNew }, put: 1},
		{name: "gone far, only marked", far: Delta{Gone: map[int64]bool{1: true}}, change: func(p *Policy) { p.Expunge = FarSide },
			want: `flags near n +\Deleted`},
		{name: "known as gone far", row: &state.Row{ID: 1, Near: "n"}, change: func(p *Policy) { p.Pull = OpNew }},
		{name: "known as gone far, now allowed", row: &state.Row{ID: 1, Near: "n"}, want: "delete near n"},
		{name: "marked far", far: Delta{Flags: map[int64]mail.Flags{1: deleted}}, want: "delete far f\ndelete near n"},
		{name: "marked far, delete not carried", far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			change: func(p *Policy) { p.Pull = OpFlags }, want: "delete far f"},
		{name: "marked far, not expunged", far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			change: func(p *Policy) { p.Expunge = NoSide }, want: `flags near n +\Deleted`},
		{name: "marked far, expunged near", far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			change: func(p *Policy) { p.Expunge = NearSide }, want: "delete near n"},
		{name: "marked and flagged near, delete not carried", near: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted).Union(flagged)}},
			change: func(p *Policy) { p.Push = OpNew | OpFlags }, want: "flags far f +\\Flagged\ndelete near n"},
		{name: "marked near, flagged far", near: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(flagged)}}, want: "delete far f\ndelete near n"},
		{name: "marked near, flagged far, kept", near: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(flagged)}}, change: func(p *Policy) { p.Conflict = ConflictKeep },
			want: "flags near n +\\Flagged -\\Deleted"},
		{name: "marked near, flagged far, near wins", near: Delta{Flags: map[int64]mail.Flags{1: seen.Union(deleted)}},
			far: Delta{Flags: map[int64]mail.Flags{1: seen.Union(flagged)}}, change: func(p *Policy) { p.Conflict = ConflictNear },
			want: "delete far f\ndelete near n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			policy := DefaultPolicy()
			if tc.change != nil {
				tc.change(&policy)
			}
			r := row
			if tc.row != nil {
				r = *tc.row
			}
			plan := Diff(Input{Folder: "F", Rows: []state.Row{r}, Far: tc.far, Near: tc.near, Policy: policy})
			require.Equal(t, tc.want, steps(plan))
			require.Len(t, plan.put, tc.put, "rows recorded without work")
			require.Len(t, plan.drop, tc.drop, "rows forgotten")
		})
	}
}

func TestComparerBelievesARemovalOnlyFromACompleteReading(t *testing.T) {
	rows := []state.Row{{ID: 1, Far: "a"}, {ID: 2, Far: "b"}, {ID: 3, Far: "c"}}
	read := func(res mail.Result) Delta {
		c := newComparer(rows, state.Far)
		require.NoError(t, c.add([]mail.Meta{{Key: "b"}, {Key: "new"}}))
		return c.finish(res)
	}
	require.Empty(t, read(mail.Result{}).Gone)
	require.Equal(t, map[int64]bool{3: true}, read(mail.Result{Gone: mail.NewKeySet("c")}).Gone)
	require.Equal(t, map[int64]bool{1: true, 3: true}, read(mail.Result{Complete: true}).Gone)
	require.Equal(t, map[int64]bool{3: true}, read(mail.Result{Complete: true, Present: mail.NewKeySet("a")}).Gone)
	require.Empty(t, read(mail.Result{Complete: true, Unsure: true}).Gone)
	require.Equal(t, []mail.Key{"new"}, newKeys(read(mail.Result{})))
	require.Empty(t, newKeys(read(mail.Result{Gone: mail.NewKeySet("new")})), "came and went")
}

func newKeys(d Delta) (keys []mail.Key) {
	for m := range d.New.All() {
		keys = append(keys, m.Key)
	}
	return keys
}
