package naming_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "INBOX", true},
		{"*", "a/b/c", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"%", "INBOX", true},
		{"a/%", "a/b", true},
		{"a/%", "a/b/c", false},
		{"a/*", "a/b/c", true},
		{"a/*", "a", false},
		{"a*", "a", true},
		{"%/%", "a/b", true},
		{"*b", "a/b/b", true},
		{"*a%c", "xaxac", true},
		{"*a%c", "xa/ac", true},
		{"*a%c", "xa/c", false},
		{"inbox", "INBOX", true},
		{"Inbox/*", "INBOX/Sub", true},
		{"INBOX/*", "inbox/Sub", true},
		{"inboxes", "INBOXES", false},
		{"Sent", "sent", false},
		{"", "", true},
		{"", "a", false},
		{"Entwürfe", "Entwürfe", true},
		{"Entw%rfe", "Entwürfe", true},
	} {
		require.Equal(t, c.want, naming.Match(c.pattern, c.name), "%q on %q", c.pattern, c.name)
	}
}

// A pattern says the same as the regular expression one would write for it.
func TestMatchIsTheObviousRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab/*%]{0,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab/]{0,10}`).Draw(t, "name")
		re := strings.NewReplacer("*", ".*", "%", "[^/]*").Replace(pattern)
		require.Equal(t, regexp.MustCompile("^"+re+"$").MatchString(name), naming.Match(pattern, name))
	})
}

func TestPatterns(t *testing.T) {
	gmail := []mail.Folder{
		{Name: "INBOX"}, {Name: "Lists/go"}, {Name: "[Gmail]/All Mail", Attrs: []string{`\HasNoChildren`, `\All`}},
		{Name: "[Gmail]/Important"}, {Name: "[Gmail]/Spam", Attrs: []string{`\Junk`}}, {Name: "[Gmail]/Sent Mail", Attrs: []string{`\Sent`}},
	}
	for name, c := range map[string]struct{ patterns, want []string }{
		"nothing said":     {nil, []string{"INBOX", "Lists/go", "[Gmail]/All Mail", "[Gmail]/Important", "[Gmail]/Spam", "[Gmail]/Sent Mail"}},
		"everything but":   {[]string{"*", `!\All`, `!\junk`, "![Gmail]/Important"}, []string{"INBOX", "Lists/go", "[Gmail]/Sent Mail"}},
		"last match wins":  {[]string{"*", "![Gmail]/*", `\Sent`}, []string{"INBOX", "Lists/go", "[Gmail]/Sent Mail"}},
		"first is undone":  {[]string{"INBOX", "!*", "Lists/%"}, []string{"Lists/go"}},
		"one level":        {[]string{"%"}, []string{"INBOX"}},
		"by use":           {[]string{`\Sent`, "inbox"}, []string{"INBOX", "[Gmail]/Sent Mail"}},
		"excluded at last": {[]string{"Lists/*", "!Lists/go"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := naming.ParsePatterns(c.patterns)
			require.NoError(t, err)
			var got []string
			for _, f := range gmail {
				if p.Selects(f) {
					got = append(got, f.Name)
				}
			}
			require.Equal(t, c.want, got)
			require.Equal(t, len(c.patterns), len(p.Strings()))
		})
	}
}

func TestBadPatterns(t *testing.T) {
	for _, list := range [][]string{{""}, {"!"}, {"a\nb"}, {"!Junk"}, {"!Junk", `!\All`}} {
		_, err := naming.ParsePatterns(list)
		require.ErrorIs(t, err, fault.Config, "%q", list)
	}
}
