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

// oddFolders are the folders of the corpus: near names, and where Dovecot keeps
// them in its own Maildir++.
var oddFolders = []struct{ name, disk string }{
	{"INBOX", ""}, {"Archive", ".Archive"}, {"Archive/2024", ".Archive.2024"}, {"Archive/2024/Q1", ".Archive.2024.Q1"},
	{"Réunions", ".R&AOk-unions"}, {"テス", ".&MMYwuQ-"}, {`quo"te`, `.quo"te`}, {"100%", ".100%"},
	{"Lists", ".Lists"}, {"Lists/go", ".Lists.go"}, {"Lists/a b", ".Lists.a b"}, {"Sent", ".Sent"}, {"Drafts", ".Drafts"},
	{"Trash", ".Trash"}, {"R&D", ".R&-D"},
}

var flagMix = []string{"S", "", "RS", "FS", "S", "DS", "S", ""}

// fill puts messages into a user's mail on the server's disk.
func fill(t testing.TB, srv *dovecot.Server, user string, bodies [][]byte) {
	srv.AddUser(t, user)
	root := filepath.Join(srv.HomeDir(user), "mail")
	for i, body := range bodies {
		dir := filepath.Join(root, oddFolders[i%len(oddFolders)].disk)
		makeMaildir(t, dir)
		store(t, dir, fmt.Sprintf("16%08d.M%dP1.host", i, i), flagMix[i%len(flagMix)], body, time.Unix(1_600_000_000+int64(i)*61, 0))
	}
	subscribe := ""
	for _, f := range oddFolders[1:] {
		subscribe += f.disk[1:] + "\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "subscriptions"), []byte(subscribe), 0o600))
	srv.Own(t, srv.HomeDir(user))
}

// messages counts the messages of a mailbox.
func (m mailbox) messages() int {
	n := 0
	for _, content := range m {
		for _, c := range content {
			n += c
		}
	}
	return n
}

// corpusSize is small under the race detector's default run and full in CI.
func corpusSize(t testing.TB) int {
	if testing.Short() {
		return 300
	}
	return 3000
}

func TestSimpleAppAgainstDovecot(t *testing.T) {
	srv := dovecot.Start(t)
	simple := "local api = require \"imapfw.api\"\nreturn api.account {\n  far  = %s,\n  near = api.maildir { path = \"~/Mail/me\" },\n}\n"
	for _, tls := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "tls"}[tls], func(t *testing.T) {
			user := fmt.Sprintf("simple%v", tls)
			fill(t, srv, user, oddCorpus(7, corpusSize(t)))
			home := t.TempDir()
			far := imapStore(srv.Addr(), user, dovecot.Password, "")
			if tls {
				far = fmt.Sprintf(`api.imap { host = "localhost", port = %s, tls = { mode = "implicit", ca_file = %q }, user = %q, password_command = "printf '%%s\\nsecond line' %s" }`,
					srv.TLSAddr()[strings.LastIndex(srv.TLSAddr(), ":")+1:], srv.CertFile(), user, dovecot.Password)
			}
			file := write(t, home, "simple.lua", fmt.Sprintf(simple, far))
			client := dialRaw(t, srv.Addr(), user, dovecot.Password)
			defer client.close()
			near := filepath.Join(home, "Mail/me")

			ok(t, home, "sync", file)
			far1 := client.snapshot()
			require.Equal(t, corpusSize(t), far1.messages())
			require.Equal(t, far1, readMaildir(t, near))

			before, status := files(t, near), client.stable()
			r := ok(t, home, "sync", file)
			require.Contains(t, r.out, "nothing to do")
			require.Equal(t, before, files(t, near), "a second run changed the Maildir")
			require.Equal(t, status, client.stable(), "a second run changed the server")

			meet(t, client, near)
			ok(t, home, "sync", file)
			far2 := client.snapshot()
			require.Equal(t, far2, readMaildir(t, near))
			require.Equal(t, corpusSize(t)+4-20, far2.messages(), "4 new, 20 removed")
			ok(t, home, "sync", file)
			require.Equal(t, far2, client.snapshot())
			require.Equal(t, far2, readMaildir(t, near))
		})
	}
}

// meet changes both sides: on each two new messages, flags of some, ten removed.
func meet(t testing.TB, client *rawIMAP, near string) {
	client.cmd("SELECT %s", quoted("Sent"))
	client.cmd(`UID STORE 1:5 +FLAGS (\Flagged work)`)
	client.cmd(`UID STORE 6:15 +FLAGS (\Deleted)`)
	client.cmd("UID EXPUNGE 6:15")
	for i := range 2 {
		client.append("Archive/2024", `\Seen`, arrival(i), fmt.Appendf(nil, "Message-ID: <far%d@x>\r\nSubject: far\r\n\r\nfar\r\n", i))
	}
	dir := filepath.Join(near, "Lists/go")
	entries, err := os.ReadDir(filepath.Join(dir, "cur"))
	require.NoError(t, err)
	for i, e := range entries[:15] {
		path := filepath.Join(dir, "cur", e.Name())
		if i < 10 {
			require.NoError(t, os.Remove(path))
			continue
		}
		base, info, _ := strings.Cut(path, ":2,")
		if !strings.Contains(info, "F") {
			require.NoError(t, os.Rename(path, base+":2,F"+info))
		}
	}
	for i := range 2 {
		body := fmt.Appendf(nil, "Message-ID: <near%d@x>\nSubject: near\n\nnear\n", i)
		require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/new", fmt.Sprintf("1700.%d.mda", i)), body, 0o600))
	}
}

func TestIMAPToIMAPAndMaildirToMaildir(t *testing.T) {
	srv := dovecot.Start(t)
	bodies := sendable(oddCorpus(7, corpusSize(t)/2))
	n := len(bodies)
	fill(t, srv, "from", bodies)
	srv.AddUser(t, "to")
	home := t.TempDir()
	one := write(t, home, "imap.lua", account1(imapStore(srv.Addr(), "from", dovecot.Password, ""), imapStore(srv.Addr(), "to", dovecot.Password, ""), ""))
	from, to := dialRaw(t, srv.Addr(), "from", dovecot.Password), dialRaw(t, srv.Addr(), "to", dovecot.Password)
	defer from.close()
	defer to.close()
	ok(t, home, "sync", one)
	require.Equal(t, from.snapshot(), to.snapshot())
	require.Contains(t, ok(t, home, "sync", one).out, "nothing to do")
	from.append("INBOX", "", arrival(1), []byte("Subject: a\r\n\r\na\r\n"))
	to.append("INBOX", `\Seen`, arrival(2), []byte("Subject: b\r\n\r\nb\r\n"))
	from.cmd("SELECT Sent")
	from.cmd(`UID STORE 1:3 +FLAGS (\Deleted)`)
	from.cmd("UID EXPUNGE 1:3")
	to.cmd("SELECT Sent")
	to.cmd(`UID STORE 4 +FLAGS (\Flagged)`)
	ok(t, home, "sync", one)
	snapshot := from.snapshot()
	require.Equal(t, snapshot, to.snapshot())
	require.Equal(t, n+2-3, snapshot.messages())

	a, b := filepath.Join(home, "A"), filepath.Join(home, "B")
	pull := write(t, home, "pull.lua", strings.Replace(account1(imapStore(srv.Addr(), "from", dovecot.Password, ""), maildirStore(a), ""), `"me"`, `"pull"`, 1))
	ok(t, home, "sync", pull)
	two := write(t, home, "maildir.lua", strings.Replace(account1(maildirStore(a), maildirStore(b), ""), `"me"`, `"dirs"`, 1))
	ok(t, home, "sync", two)
	require.Equal(t, readMaildir(t, a), readMaildir(t, b))
	require.Equal(t, snapshot, readMaildir(t, b))
	require.Contains(t, ok(t, home, "sync", two).out, "nothing to do")
	entries, err := os.ReadDir(filepath.Join(b, "Sent/cur"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(b, "Sent/cur", entries[0].Name())))
	base, _, _ := strings.Cut(entries[1].Name(), ":2,")
	require.NoError(t, os.Rename(filepath.Join(b, "Sent/cur", entries[1].Name()), filepath.Join(b, "Sent/cur", base+":2,FRS")))
	require.NoError(t, os.WriteFile(filepath.Join(a, "INBOX/new/1.x.y"), []byte("Subject: new\n\nnew\n"), 0o600))
	ok(t, home, "sync", two)
	require.Equal(t, readMaildir(t, a), readMaildir(t, b))
	require.Equal(t, n+2-3, readMaildir(t, a).messages())
}
