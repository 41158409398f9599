package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// reading are the commands that change nothing in an account.
var reading = map[string]bool{
	"CAPABILITY": true, "LOGIN": true, "AUTHENTICATE": true, "ENABLE": true, "ID": true, "NAMESPACE": true, "COMPRESS": true,
	"LIST": true, "LSUB": true, "STATUS": true, "EXAMINE": true, "FETCH": true, "SEARCH": true, "NOOP": true, "UNSELECT": true, "LOGOUT": true,
}

// A side toward which an account allows nothing is only ever read: no command
// that writes is sent, and folders are opened with EXAMINE, whatever happens on
// either side.
func TestSparedSideIsOnlyRead(t *testing.T) {
	srv := dovecot.Start(t)
	const user = "spared"
	fill(t, srv, user, oddCorpus(5, 60))
	proxy := &imaptest.Proxy{Target: srv.Addr()}
	require.NoError(t, proxy.Start(context.Background()))
	defer func() { require.NoError(t, proxy.Close()) }()
	home := t.TempDir()
	near := filepath.Join(home, "Mail")
	file := write(t, home, "spared.lua", account1(imapStore(proxy.Addr(), user, dovecot.Password, ""), maildirStore(near),
		"  push = \"none\", trash = { far = \"Trash\", near = \"Trash\" }, remove = \"both\", guard = false,\n"))
	client := dialRaw(t, srv.Addr(), user, dovecot.Password)
	defer client.close()
	check := func(what string) {
		server := client.trace()
		ok(t, home, "sync", file)
		require.Equal(t, server, client.trace(), what)
		for _, line := range proxy.Commands() {
			word, _, _ := strings.Cut(strings.TrimPrefix(strings.ToUpper(line), "UID "), " ")
			require.True(t, reading[word], "%s: %s was sent", what, line)
			require.NotContains(t, strings.ReplaceAll(strings.ToUpper(line), "BODY.PEEK[", ""), "BODY[", what)
		}
	}
	check("the first run")

	// Near everything happens that would be carried.
	list, err := os.ReadDir(filepath.Join(near, "Archive", "cur"))
	require.NoError(t, err)
	at := func(n int) string { return filepath.Join(near, "Archive", "cur", list[n].Name()) }
	require.NoError(t, os.Remove(at(0)))
	base, _, _ := cutInfo(at(1))
	require.NoError(t, os.Rename(at(1), base+":2,FST"))
	require.NoError(t, os.Rename(at(2), filepath.Join(near, "Lists", "cur", list[2].Name())))
	makeMaildir(t, filepath.Join(near, "Mine"))
	store(t, filepath.Join(near, "Mine"), "1.M1.h", "", []byte("Subject: mine\n\nmine\n"), time.Unix(1_700_000_000, 0))
	require.NoError(t, os.RemoveAll(filepath.Join(near, "100%")))
	check("changes near")

	// And far, what somebody else marked as deleted is not expunged.
	client.cmd("SELECT INBOX")
	client.cmd(`UID STORE 1 +FLAGS (\Deleted)`)
	client.cmd(`UID STORE 2 +FLAGS (\Flagged)`)
	client.cmd("UNSELECT")
	client.append("INBOX", "", "", []byte("Subject: far\r\n\r\nfar\r\n"))
	check("changes far")
	check("nothing")
	ok(t, home, "sync", "--dry-run", file)
	ok(t, home, "sync", "--allow-removals", "10", file)
	check("after all that")
}

// The near side can be the one that is only read: its Maildir stays exactly as it
// is.
func TestSparedMaildirIsOnlyRead(t *testing.T) {
	srv, far := embedded(t, imaptest.Options{}, 3)
	home := t.TempDir()
	near := filepath.Join(home, "Mail")
	makeMaildir(t, filepath.Join(near, "INBOX"))
	store(t, filepath.Join(near, "INBOX"), "1.M1.h", "S", []byte("Subject: mine\n\nmine\n"), time.Unix(1_700_000_000, 0))
	store(t, filepath.Join(near, "INBOX"), "2.M1.h", "", []byte("Subject: yours\n\nyours\n"), time.Unix(1_700_000_001, 0))
	file := write(t, home, "spared.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), "  pull = \"none\",\n"))
	before := trace(t, near)
	r := ok(t, home, "sync", file)
	require.Contains(t, r.out, "2 pushed")
	require.Equal(t, before, trace(t, near))
	list, err := far.List("INBOX")
	require.NoError(t, err)
	require.NoError(t, far.Expunge("INBOX", list[0].UID))
	r = ok(t, home, "sync", file)
	require.Contains(t, r.out, "nothing to do")
	require.Equal(t, before, trace(t, near))
	require.NoError(t, os.Remove(filepath.Join(near, "INBOX", "cur", "2.M1.h:2,")))
	before = trace(t, near)
	r = ok(t, home, "sync", file)
	require.Contains(t, r.out, "1 removed there")
	require.Equal(t, before, trace(t, near))
}
