package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// Removals, changes of flags and moves of one run, on both sides, are undone:
// both sides are byte for byte what they were, and a sync finds nothing to do.
func TestUndo(t *testing.T) {
	srv := dovecot.Start(t)
	for what, more := range map[string]string{"all": "", "plain": `, without = {"UIDPLUS", "MOVE", "CONDSTORE"}`} {
		t.Run(what, func(t *testing.T) {
			user, home := "undo"+what, t.TempDir()
			bodies := sendable(oddCorpus(7, 150))
			fill(t, srv, user, bodies)
			near := filepath.Join(home, "Mail")
			file := write(t, home, "init.lua", account1(imapStore(srv.Addr(), user, dovecot.Password, more), maildirStore(near), ""))
			client := dialRaw(t, srv.Addr(), user, dovecot.Password)
			defer client.close()
			ok(t, home, "sync", file)
			far, here := client.snapshot(), readMaildir(t, near)
			require.Equal(t, far, here)

			all, err := filepath.Glob(filepath.Join(near, "INBOX/cur/*"))
			require.NoError(t, err)
			require.Greater(t, len(all), 8)
			cur := func(i int) string { return all[i] }
			require.NoError(t, os.Remove(cur(0)))
			require.NoError(t, os.Remove(cur(1)))
			base, _, _ := cutInfo(cur(2))
			require.NoError(t, os.Rename(cur(2), base+":2,FR"))
			for _, i := range []int{3, 4} {
				to := filepath.Join(near, "Sent/cur", filepath.Base(cur(i)))
				require.NoError(t, os.Rename(cur(i), to))
			}
			client.cmd("SELECT INBOX")
			client.cmd(`STORE *,1 +FLAGS (\Answered Work)`)
			client.cmd(`STORE 3 +FLAGS (\Deleted)`)
			client.cmd("EXPUNGE")

			r := ok(t, home, "sync", file)
			require.Contains(t, r.out, "moved there")
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			require.NotEqual(t, far, client.snapshot())

			plan := ok(t, home, "undo", "--dry-run", file)
			require.Contains(t, plan.out, "restore")
			require.Contains(t, plan.out, "move")
			before := client.stable()
			ok(t, home, "undo", "--dry-run", file)
			require.Equal(t, before, client.stable(), "a dry run changed something")
			ok(t, home, "undo", file)
			ok(t, home, "sync", file)
			require.Equal(t, far, client.snapshot())
			require.Equal(t, here, readMaildir(t, near))
			require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
			kept, err := filepath.Glob(filepath.Join(home, ".state/imapfw/me/undo/*/*.eml"))
			require.NoError(t, err)
			require.NotEmpty(t, kept)
		})
	}
}
