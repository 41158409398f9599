package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// keywords are the flags of the messages of a folder, by subject, in lower case
// and sorted.
func (c *rawIMAP) keywords(folder string) map[string]string {
	out := map[string]string{}
	c.cmd("SELECT %s", quoted(folder))
	for _, r := range c.cmd("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])") {
		if m := fetchFlags.FindStringSubmatch(r.text); m != nil && len(r.literals) > 0 {
			flags := strings.Fields(strings.ToLower(m[1]))
			flags = slices.DeleteFunc(flags, func(f string) bool { return f == `\recent` })
			slices.Sort(flags)
			out[fetchSubject.FindStringSubmatch(string(r.literals[0]))[1]] = strings.Join(flags, " ")
		}
	}
	return out
}

func (c *rawIMAP) deliver(folder, flags, subject string) {
	c.append(folder, flags, "", bytes.ReplaceAll(subjectOnly(subject), []byte("\n"), []byte("\r\n")))
}

// find returns the UID of a message by its subject.
func (c *rawIMAP) find(folder, subject string) string {
	c.cmd("SELECT %s", quoted(folder))
	found := c.cmd("UID SEARCH SUBJECT %s", quoted(subject))
	require.NotEmpty(c.t, found)
	uids := strings.Fields(found[0].text)
	require.Len(c.t, uids, 3, found[0].text)
	return uids[2]
}

func (c *rawIMAP) mark(folder, subject, change string) {
	c.cmd("UID STORE %s %s", c.find(folder, subject), change)
}

// A Maildir that Dovecot serves too: it understands our letters, and we its.
func TestKeywordsOfAMaildirThatDovecotServes(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "far")
	srv.AddUser(t, "shared")
	home := t.TempDir()
	root := filepath.Join(srv.HomeDir("shared"), "mail")
	far, shared := dialRaw(t, srv.Addr(), "far", dovecot.Password), dialRaw(t, srv.Addr(), "shared", dovecot.Password)
	defer far.close()
	defer shared.close()
	near := fmt.Sprintf(`api.maildir { path = %q, subfolders = "maildir++", encoding = "utf7" }`, root)
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "far", dovecot.Password, ""), near, ""))
	agree := func(want map[string]map[string]string) {
		t.Helper()
		for range 2 { // the second has nothing to do
			ok(t, home, "sync", file)
			srv.Own(t, srv.HomeDir("shared"))
			for folder, messages := range want {
				require.Equal(t, messages, far.keywords(folder), "far, %s", folder)
				require.Equal(t, messages, shared.keywords(folder), "near, %s", folder)
			}
		}
		require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
	}

	// Dovecot was there first, with a table of its own.
	shared.cmd("CREATE Lists")
	shared.deliver("INBOX", "theirs Work", "a")
	shared.deliver("Lists", "zulu", "b")
	far.cmd("CREATE Lists")
	far.deliver("INBOX", `work later \Seen`, "c")
	far.deliver("Lists", `later theirs $MDNSent`, "d")
	want := map[string]map[string]string{
		"INBOX": {"a": "theirs work", "c": `\seen later work`},
		"Lists": {"b": "zulu", "d": "$mdnsent later theirs"},
	}
	agree(want)

	// Keywords come and go on both sides.
	shared.mark("INBOX", "a", "-FLAGS (Work)")
	shared.mark("INBOX", "c", `+FLAGS (brandnew \Flagged)`)
	shared.mark("Lists", "d", "-FLAGS (theirs)")
	far.mark("Lists", "b", "+FLAGS (theirs another)")
	far.mark("INBOX", "c", "-FLAGS (LATER)")
	want["INBOX"] = map[string]string{"a": "theirs", "c": `\flagged \seen brandnew work`}
	want["Lists"] = map[string]string{"b": "another theirs zulu", "d": "$mdnsent later"}
	agree(want)

	// Forwarded is a letter of its own in a Maildir, and a keyword here. Other
	// programs know the letter, Dovecot its own.
	far.mark("INBOX", "a", "+FLAGS ($Forwarded)")
	ok(t, home, "sync", file)
	path := fileOf(t, root, "a")
	base, info, _ := cutInfo(path)
	require.Contains(t, info, "P", path)
	require.NoError(t, os.Rename(path, base+":2,"+strings.Replace(info, "P", "", 1)))
	srv.Own(t, srv.HomeDir("shared"))
	ok(t, home, "sync", file)
	require.Equal(t, "theirs", far.keywords("INBOX")["a"])
	shared.mark("INBOX", "c", "+FLAGS ($Forwarded)")
	want["INBOX"]["c"] = `$forwarded \flagged \seen brandnew work`
	agree(want)
}

// fileOf finds a message of a Maildir folder by its subject.
func fileOf(t testing.TB, dir, subject string) string {
	for _, path := range inFolder(t, dir) {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		if fetchSubject.FindStringSubmatch(string(body))[1] == subject {
			return path
		}
	}
	require.Fail(t, "no such message", subject)
	return ""
}
