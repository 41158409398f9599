package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// The accident that mbsync has with a plain `mv`: the file keeps its name, with
// the ,U= of the folder it came from, which is taken where it goes.
func TestMoveOfAFile(t *testing.T) {
	srv := dovecot.Start(t)
	for what, more := range map[string]string{
		"move": "", "copy": `, without = {"MOVE"}`, "uidless": `, without = {"MOVE", "UIDPLUS"}`,
	} {
		t.Run(what, func(t *testing.T) {
			user, home := "move"+what, t.TempDir()
			srv.AddUser(t, user)
			near := filepath.Join(home, "Mail")
			for i, folder := range []string{"INBOX", "INBOX", "Archive"} {
				dir := filepath.Join(near, folder)
				makeMaildir(t, dir)
				body := fmt.Appendf(nil, "Message-ID: <%d@x>\nSubject: %d\n\nbody %d\n", i, i, i)
				store(t, dir, fmt.Sprintf("1600000000.%d_%d.host,U=%d", i, i, 1+i%2), "S", body, time.Unix(1_600_000_000+int64(i), 0))
			}
			file := write(t, home, "init.lua", account1(imapStore(srv.Addr(), user, dovecot.Password, more), maildirStore(near), ""))
			ok(t, home, "sync", file)
			client := dialRaw(t, srv.Addr(), user, dovecot.Password)
			defer client.close()
			require.Equal(t, 2, client.snapshot()["INBOX"].count())

			name := "1600000000.0_0.host,U=1:2,S"
			require.NoError(t, os.Rename(filepath.Join(near, "INBOX/cur", name), filepath.Join(near, "Archive/cur", name)))
			plan := ok(t, home, "sync", "--dry-run", file)
			require.Regexp(t, `move   far  "INBOX" -> "Archive" 1: moved on the near side`, plan.out)
			r := ok(t, home, "sync", file)
			require.Contains(t, r.out, ": 1 moved there (", "nothing else is done")
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			require.Equal(t, 1, client.snapshot()["INBOX"].count())
			require.Equal(t, 2, client.snapshot()["Archive"].count())
			require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")

			// And back, by another client of the server.
			client.cmd("SELECT Archive")
			client.cmd("UID MOVE * INBOX")
			r = ok(t, home, "sync", file)
			require.Contains(t, r.out, ": 1 moved here (", "nothing else is done")
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
		})
	}
}

func (b bag) count() int {
	n := 0
	for _, c := range b {
		n += c
	}
	return n
}

// Folders that are renamed on either side, by a shell and by a mail program.
func TestRenamedFolders(t *testing.T) {
	srv := dovecot.Start(t)
	home := t.TempDir()
	near := filepath.Join(home, "Mail")
	srv.AddUser(t, "renamed")
	for i, folder := range []string{"INBOX", "Lists", "Lists", "Lists/go", "Lists/go"} {
		dir := filepath.Join(near, folder)
		makeMaildir(t, dir)
		store(t, dir, fmt.Sprintf("1600000000.%d_%d.host", i, i), "S", fmt.Appendf(nil, "Message-ID: <%d@x>\nSubject: %d\n\nbody %d\n", i, i, i),
			time.Unix(1_600_000_000+int64(i), 0))
	}
	file := write(t, home, "init.lua", account1(imapStore(srv.Addr(), "renamed", dovecot.Password, ""), maildirStore(near), ""))
	ok(t, home, "sync", file)

	require.NoError(t, os.Rename(filepath.Join(near, "Lists"), filepath.Join(near, "Old lists")))
	plan := ok(t, home, "sync", "--dry-run", file)
	require.Regexp(t, `rename far  "Lists" -> "Old lists" 1: renamed on the near side`, plan.out)
	r := ok(t, home, "sync", file)
	require.Contains(t, r.out, ": 1 folder renamed (", "nothing else is done")
	first := dialRaw(t, srv.Addr(), "renamed", dovecot.Password)
	require.Equal(t, first.snapshot(), readMaildir(t, near))
	first.close() // the folder it has selected is about to have another name
	require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")

	client := dialRaw(t, srv.Addr(), "renamed", dovecot.Password)
	defer client.close()
	client.cmd(`RENAME "Old lists" News`)
	client.append("News/go", `\Seen`, arrival(1), []byte("Message-ID: <new@x>\r\n\r\nnew\r\n"))
	r = ok(t, home, "sync", file)
	require.Contains(t, r.out, ": 1 pulled, 1 folder renamed (")
	require.Equal(t, client.snapshot(), readMaildir(t, near))
	require.NoDirExists(t, filepath.Join(near, "Old lists"))
	require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
}
