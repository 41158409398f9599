package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

func TestMerge(t *testing.T) {
	// One flag: in the base, far, near, and then in the result by each rule.
	for _, tc := range []struct {
		base, far, near                int
		byMerge, byFar, byNear, union_ int
		what                           string
	}{
		{0, 0, 0, 0, 0, 0, 0, "nobody has it"},
		{0, 0, 1, 1, 0, 1, 1, "set near"},
		{0, 1, 0, 1, 1, 0, 1, "set far"},
		{0, 1, 1, 1, 1, 1, 1, "set on both"},
		{1, 0, 0, 0, 0, 0, 0, "taken off on both"},
		{1, 0, 1, 0, 0, 1, 1, "taken off far"},
		{1, 1, 0, 0, 1, 0, 1, "taken off near"},
		{1, 1, 1, 1, 1, 1, 1, "as it was"},
	} {
		for _, name := range []string{`\Seen`, "Work"} {
			set := func(n int) mail.Flags {
				if n == 0 {
					return mail.Flags{}
				}
				return mail.NewFlags(name)
			}
			for rule, want := range map[FlagRule]int{FlagMerge: tc.byMerge, FlagFar: tc.byFar, FlagNear: tc.byNear, FlagUnion: tc.union_} {
				// The rest is decided as if it were alone.
				rest := mail.NewFlags(`\Flagged`, "other")
				got := merge(set(tc.base), set(tc.far).Union(rest), set(tc.near), ruledBy(map[string]FlagRule{name: rule}))
				require.True(t, set(want).Union(rest).Equal(got), "%s, rule %s: %s", tc.what, rule, got)
			}
		}
	}
}

func TestRulesAreForKeywordsInAnyCase(t *testing.T) {
	rules := ruledBy(map[string]FlagRule{"work": FlagFar, `\SEEN`: FlagNear, `\Recent`: FlagFar})
	got := merge(mail.Flags{}, mail.NewFlags(`\Seen`), mail.NewFlags("WORK"), rules)
	require.True(t, got.Empty(), got)
	got = merge(mail.Flags{}, mail.NewFlags("Work"), mail.Flags{}, rules)
	require.Equal(t, []string{"Work"}, got.Strings(), "written as the message has it")
}

func drawFlags(t *rapid.T, label string) mail.Flags {
	names := []string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, "a", "B", "b", "$Forwarded", "c"}
	return mail.NewFlags(rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, label)...)
}

func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, far, near := drawFlags(t, "base"), drawFlags(t, "far"), drawFlags(t, "near")
		rules := ruledBy(rapid.MapOf(
			rapid.SampledFrom([]string{`\Seen`, `\Flagged`, "A", "b", "$forwarded"}),
			rapid.SampledFrom([]FlagRule{FlagMerge, FlagFar, FlagNear, FlagUnion})).Draw(t, "rules"))
		got := merge(base, far, near, rules)

		require.True(t, got.Minus(far.Union(near)).Empty(), "a flag that nobody has was made up")
		require.True(t, far.Intersect(near).Minus(got).Empty(), "a flag that both have was lost")
		require.True(t, got.Equal(merge(got, got, got, rules)), "what is merged stays")
		require.True(t, got.Equal(merge(base, got, got, rules)), "also when the merge was not recorded")
		require.True(t, base.Equal(merge(base, base, base, rules)), "nothing changed, nothing changes")

		swapped := ruled{far: rules.near, near: rules.far, union: rules.union}
		require.True(t, got.Equal(merge(base, near, far, swapped)), "the sides are alike but for the rules that name them")

		// One copy was changed, then the run was killed before it told the state.
		require.True(t, got.Equal(merge(base, got, near, rules)), "carried halfway, it comes to the same")
		require.True(t, got.Equal(merge(base, far, got, rules)), "carried halfway, it comes to the same")
	})
}
