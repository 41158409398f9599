package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

func TestFlags(t *testing.T) {
	f := mail.NewFlags(`\seen`, "Work", `\Recent`, `\*`, "$Junk", "work", "bad name", "")
	require.Equal(t, []string{`\Seen`, "$Junk", "Work"}, f.Strings())
	require.True(t, f.Equal(mail.NewFlags("WORK", "$junk", `\Seen`)), "keywords are compared without case")
	require.Equal(t, []string{"$Junk"}, f.Minus(mail.NewFlags("WORK", `\Seen`)).Strings())
	require.True(t, mail.Flags{}.Empty())
	require.False(t, f.Has(mail.Seen|mail.Draft))
}

func TestFlagsAreSets(t *testing.T) {
	names := []string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, "a", "B", "b", "$x", "zé"}
	flags := rapid.Custom(func(t *rapid.T) mail.Flags {
		return mail.NewFlags(rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "names")...)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := flags.Draw(t, "a"), flags.Draw(t, "b")
		require.True(t, a.Union(b).Equal(b.Union(a)))
		require.True(t, a.Minus(b).Union(a.Intersect(b)).Equal(a))
		require.True(t, a.Minus(b).Intersect(b).Empty())
		require.True(t, a.Minus(a).Empty())
		require.True(t, mail.NewFlags(a.Strings()...).Equal(a))
	})
}
