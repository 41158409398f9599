package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// A folder of 2,000 messages gets another UIDVALIDITY: the next run pairs all of
// them anew, transfers no body and loses no flag.
func TestRenumberedDovecotFolder(t *testing.T) {
	const messages = 2000
	srv := dovecot.Start(t)
	srv.AddUser(t, "renumbered")
	root := filepath.Join(srv.HomeDir("renumbered"), "mail")
	makeMaildir(t, root)
	for i := range messages {
		id := fmt.Sprintf("Message-ID: <%d@renumbered.example>\n", i)
		if i%4 == 1 {
			id = fmt.Sprintf("Date: Mon, 1 Jan 2024 00:%02d:%02d +0000\n", i/60, i%60)
		}
		body := fmt.Sprintf("From: a@example.org\n%sSubject: number %d\n\n%s", id, i, strings.Repeat("a line\n", i%20))
		store(t, root, fmt.Sprintf("16%08d.M%dP1.host", i, i), flagMix[i%len(flagMix)], []byte(body), time.Unix(1_600_000_000+int64(i)*61, 0))
	}
	srv.Own(t, srv.HomeDir("renumbered"))
	client := dialRaw(t, srv.Addr(), "renumbered", dovecot.Password)
	defer client.close()
	proxy, far := watched(t, srv, "renumbered")
	home := t.TempDir()
	file := write(t, home, "init.lua", account1(far, `api.maildir { path = "~/Mail" }`, ""))
	near := filepath.Join(home, "Mail")
	ok(t, home, "sync", file)
	before := client.snapshot()
	require.Equal(t, messages, before.messages())
	require.Equal(t, before, readMaildir(t, near))

	old := client.stable()
	// Without its list of UIDs and its index, Dovecot numbers the folder anew.
	client.close()
	srv.Stop()
	lost, err := filepath.Glob(filepath.Join(root, "dovecot*"))
	require.NoError(t, err)
	for _, path := range lost {
		require.NoError(t, os.RemoveAll(path))
	}
	quiet() // UIDVALIDITY is the time, in seconds
	srv.Restart(t)
	client = dialRaw(t, srv.Addr(), "renumbered", dovecot.Password)
	status := client.stable()
	require.NotEqual(t, old, status, "Dovecot did not number the folder anew")
	local := files(t, near)
	proxy.Trace()

	r := ok(t, home, "sync", file)
	require.Contains(t, r.err, "INBOX")
	require.Contains(t, r.out, "nothing to do")
	require.Zero(t, bodyBytes(proxy))
	require.Equal(t, before, client.snapshot())
	require.Equal(t, before, readMaildir(t, near))
	require.Equal(t, local, files(t, near))
	require.Equal(t, status, client.stable())
	r = ok(t, home, "sync", file)
	require.Contains(t, r.out, "nothing to do")
	require.Zero(t, bodyBytes(proxy))

	// What is paired is paired right: a removal here is that of the same message.
	gone, err := filepath.Glob(filepath.Join(near, "INBOX", "cur", "*"))
	require.NoError(t, err)
	for _, path := range gone[:40] {
		require.NoError(t, os.Remove(path))
	}
	ok(t, home, "sync", file)
	require.Equal(t, readMaildir(t, near), client.snapshot())
	require.Equal(t, messages-40, client.snapshot().messages())
}

// The accident that doubles mail elsewhere: the state is gone, three messages are
// on each side.
func TestLostStateAgainstDovecot(t *testing.T) {
	srv := dovecot.Start(t)
	client := adoptable(t, srv, "lost")
	proxy, far := watched(t, srv, "lost")
	home := t.TempDir()
	file := write(t, home, "init.lua", account1(far, `api.maildir { path = "~/Mail" }`, ""))
	near := filepath.Join(home, "Mail")
	ok(t, home, "sync", file)
	before, status := client.snapshot(), client.stable()
	require.NoError(t, os.RemoveAll(filepath.Join(home, ".state")))
	local := files(t, near)
	proxy.Trace()
	r := ok(t, home, "sync", file)
	require.Contains(t, r.out, "nothing to do")
	require.Zero(t, bodyBytes(proxy))
	require.Equal(t, status, client.stable())
	require.Equal(t, local, files(t, near))
	require.Equal(t, before, readMaildir(t, near))
	ok(t, home, "state", "check", file)
}
