package imap

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestNamesGoBothWays(t *testing.T) {
	for name, one := range map[string]struct {
		opts          Options
		prefix, delim string
		others        []string
		raw, name     string
	}{
		"slashes":           {delim: "/", raw: "Work/2024", name: "Work/2024"},
		"dots":              {delim: ".", raw: "Work.2024", name: "Work/2024"},
		"modified UTF-7":    {delim: "/", raw: "Entw&APw-rfe", name: "Entwürfe"},
		"ampersand":         {delim: "/", raw: "a&-b", name: "a&b"},
		"prefix":            {prefix: "INBOX.", delim: ".", raw: "INBOX.Sent.Old", name: "Sent/Old"},
		"prefix, any case":  {prefix: "INBOX.", delim: ".", raw: "Inbox.Sent", name: "Sent"},
		"shared":            {prefix: "INBOX.", delim: ".", others: []string{"shared."}, raw: "shared.all", name: "shared/all"},
		"prefix given":      {opts: Options{Namespace: "INBOX"}, delim: ".", raw: "INBOX.Sent", name: "Sent"},
		"path":              {opts: Options{Path: "Mail"}, delim: "/", raw: "Mail/a/b", name: "a/b"},
		"path and dots":     {opts: Options{Path: "Mail/x"}, delim: ".", raw: "Mail.x.a.b", name: "a/b"},
		"path and prefix":   {opts: Options{Path: "M"}, prefix: "INBOX.", delim: ".", raw: "INBOX.M.a", name: "a"},
		"separator given":   {opts: Options{Separator: "\\"}, delim: "/", raw: `a\b`, name: "a/b"},
		"inbox":             {prefix: "INBOX.", delim: ".", raw: "inbox", name: "INBOX"},
		"inbox with a path": {opts: Options{Path: "Mail"}, delim: "/", raw: "INBOX", name: "INBOX"},
		"flat":              {delim: "", raw: "a.b", name: "a.b"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNames(one.opts)
			n.learn(one.prefix, one.delim, one.others, false)
			box, complaint, ok := n.fromServer(one.raw, one.delim, false)
			require.True(t, ok)
			require.Empty(t, complaint)
			require.Equal(t, one.name, box.name)
			require.Equal(t, one.raw, box.raw)

			back, err := n.forServer(one.name)
			require.NoError(t, err)
			if one.raw != "Inbox.Sent" && one.raw != "inbox" {
				require.Equal(t, box.server, back.server)
			}
			n.known(map[string]mailbox{box.name: box})
			back, err = n.forServer(one.name)
			require.NoError(t, err)
			if box.name != mail.Inbox {
				require.Equal(t, box, back)
			}
		})
	}
}

func TestNamesThatCannotBeKept(t *testing.T) {
	n := newNames(Options{})
	n.learn("INBOX.", ".", nil, false)
	for raw, want := range map[string]string{
		"INBOX.inbox": "of the inbox",
	} {
		_, complaint, ok := n.fromServer(raw, ".", false)
		require.True(t, ok, raw)
		require.Contains(t, complaint, want, raw)
	}
	_, _, ok := n.fromServer("INBOX.", ".", false)
	require.False(t, ok, "the prefix itself is no folder")

	box, complaint, ok := n.fromServer("INBOX.Q&A für alle", ".", true)
	require.True(t, ok)
	require.Empty(t, complaint)
	require.Equal(t, "Q&A für alle", box.name)

	p := newNames(Options{Path: "Mail"})
	p.learn("", "/", nil, false)
	for _, outside := range []string{"Other", "Mail", "Mailbox"} {
		_, _, ok := p.fromServer(outside, "/", false)
		require.False(t, ok, outside)
	}
}

// What is not encoded as it should be, or holds what a level cannot, has a name
// all the same, which leads back to it, also where nothing was listed. No folder
// is created under such a name.
func TestOddNamesGoBothWays(t *testing.T) {
	for raw, one := range map[string]struct {
		name string
		odd  bool
	}{
		"INBOX.AC/DC":     {"AC%2FDC", false},
		"INBOX.a.b/c.d":   {"a/b%2Fc/d", false},
		"INBOX.100%2F":    {"100%252F", false},
		"INBOX.100%":      {"100%", false},
		"INBOX.Q&A":       {"Q%26A", true},
		"INBOX.x&AGE-yy":  {"x%26AGE-yy", true},
		"INBOX.lat\xe9in": {"lat%E9in", true},
		"INBOX.a&AAk-b":   {"a%26AAk-b", true},
		"INBOX.a&AAAALg-": {"a%26AAAALg-", true},
	} {
		n := newNames(Options{})
		n.learn("INBOX.", ".", nil, false)
		box, complaint, ok := n.fromServer(raw, ".", false)
		require.True(t, ok)
		require.Empty(t, complaint)
		require.Equal(t, one.name, box.name)
		back, err := n.forServer(one.name)
		require.NoError(t, err)
		require.Equal(t, one.odd, back.odd, raw)
		if back.raw == "" {
			back.raw = back.server
		}
		require.Equal(t, raw, back.raw)
	}
	n := newNames(Options{})
	n.learn("", "/", nil, false)
	box, _, _ := n.fromServer("Inbox/a", "/", false)
	require.Equal(t, "INBOX/a", box.name)
	n.known(map[string]mailbox{box.name: box})
	for _, name := range []string{"INBOX/a", "inbox/a"} {
		box, err := n.forServer(name)
		require.NoError(t, err)
		require.Equal(t, "Inbox/a", box.raw)
	}
	_, err := n.forServer("a%26-b")
	require.ErrorIs(t, err, fault.BadName, "no name of the server reads like that")
}

func TestNamesAServerCannotHold(t *testing.T) {
	for _, one := range []struct{ delim, name string }{
		{".", "v1.0"}, {"", "a/b"}, {"/", ""}, {"/", "/a"}, {"/", "a/"}, {"/", "a//b"}, {"/", "a\rb"}, {"/", "a\x00b"},
	} {
		n := newNames(Options{})
		n.learn("", one.delim, nil, false)
		_, err := n.forServer(one.name)
		require.ErrorIs(t, err, fault.BadName, "%q", one.name)
	}
}
