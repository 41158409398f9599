package imap_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
)

// setFlags adds flags to messages, and returns the outcomes.
func setFlags(t *testing.T, p *imaptest.Proxy, add mail.Flags, uids ...uint32) []mail.Outcome {
	t.Helper()
	var cs []mail.Change
	for _, uid := range uids {
		cs = append(cs, mail.Change{Key: mail.UIDKey(uid), Op: mail.ChangeFlags, Add: add})
	}
	out, err := open(t, options(p.Addr(), "user", "secret")).Change(t.Context(), inbox, cs)
	require.NoError(t, err)
	return out
}

func stores(p *imaptest.Proxy) string {
	var out []string
	for _, line := range p.Commands() {
		if strings.Contains(line, "STORE") || strings.Contains(line, "APPEND") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// A server that makes no new keywords is not asked to.
func TestFolderWithFewFlags(t *testing.T) {
	permanent := regexp.MustCompile(`\[PERMANENTFLAGS \([^)]*\)\]`)
	p := &imaptest.Proxy{Server: func(line string) []string {
		return []string{permanent.ReplaceAllString(line, `[PERMANENTFLAGS (\Seen \Flagged \Deleted Known)]`)}
	}}
	a := proxied(t, imaptest.Options{}, p)
	fill(t, a, 3)
	m := imaptest.SampleMessage(9, 100)
	m.Flags = mail.NewFlags(`\Seen`, `\Draft`, "known", "other")
	placed, err := deliver(t, open(t, options(p.Addr(), "user", "secret")), inbox, m)
	require.NoError(t, err)
	require.NoError(t, placed[0].Err)
	require.True(t, mail.NewFlags(`\Seen`, "known").Equal(placed[0].Flags), placed[0].Flags)
	require.True(t, mail.NewFlags(`\Draft`, "other").Equal(placed[0].Dropped), placed[0].Dropped)

	for _, o := range setFlags(t, p, mail.NewFlags(`\Flagged`, "OTHER", "KNOWN"), 1, 2) {
		require.NoError(t, o.Err)
		require.True(t, mail.NewFlags(`\Flagged`, "known").Equal(o.Flags), o.Flags)
		require.True(t, mail.NewFlags("other").Equal(o.Dropped), o.Dropped)
	}
	require.NotContains(t, strings.ToLower(stores(p)), "other")
}

// A keyword that the protocol cannot write is not sent.
func TestKeywordsThatAreNoAtoms(t *testing.T) {
	p := &imaptest.Proxy{}
	fill(t, proxied(t, imaptest.Options{}, p), 1)
	odd := mail.NewFlags("a]b", "caf\u00e9", "per%cent", "(x)", `quo"te`, "100*")
	out := setFlags(t, p, odd.Union(mail.NewFlags(`\Seen`, "fine", "$Forwarded")), 1)
	require.NoError(t, out[0].Err)
	require.True(t, mail.NewFlags(`\Seen`, "fine", "$Forwarded").Equal(out[0].Flags), out[0].Flags)
	require.True(t, odd.Equal(out[0].Dropped), out[0].Dropped)
}

// What a server makes of keywords, beside system flags that it takes.
func TestKeywordsThatAServerDoesNotTake(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		dropped      bool // else the messages failed
	}{
		{"refused", "NO too many keywords", true},
		{"refused with a code", "NO [LIMIT] too many keywords", true},
		{"not understood", "BAD invalid flag", true},
		{"dropped without a word", "OK done", true},
		{"not now", "NO [INUSE] try again", false},
		{"not allowed", "NO [NOPERM] no", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &imaptest.Proxy{Client: func(line string) string {
				tag, rest, _ := strings.Cut(line, " ")
				if strings.Contains(rest, "STORE") && strings.Contains(rest, "work") {
					return tag + " " + c.answer
				}
				return ""
			}}
			a := proxied(t, imaptest.Options{}, p)
			fill(t, a, 3)
			for _, o := range setFlags(t, p, mail.NewFlags(`\Seen`, "work"), 1, 2) {
				if !c.dropped {
					require.Error(t, o.Err)
					require.True(t, o.Dropped.Empty(), "it may take it another time")
					continue
				}
				require.NoError(t, o.Err)
				require.True(t, mail.NewFlags("work").Equal(o.Dropped), o.Dropped)
				if c.answer != "OK done" { // that one took nothing at all
					require.True(t, mail.NewFlags(`\Seen`).Equal(o.Flags), o.Flags)
				}
			}
			if c.answer != "OK done" {
				require.True(t, list(t, a, mail.Inbox)[0].Flags.Has(mail.Seen), "the keyword does not hold up the rest")
			}
		})
	}
}
