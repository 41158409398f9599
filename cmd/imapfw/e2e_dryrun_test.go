package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// trace is everything on disk that a program could have left a trace in: what is
// there, its size, its inode, and when it or its inode last changed.
func trace(t testing.TB, root string) string {
	var b strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		fmt.Fprintln(&b, path, info.Mode(), info.Size(), st.Ino, st.Nlink, st.Mtim, st.Ctim)
		return nil
	}))
	return b.String()
}

// trace is everything that a client could have left a trace in on the server.
func (c *rawIMAP) trace() string {
	b := c.stable()
	for _, folder := range c.folders() {
		for _, r := range c.cmd("STATUS %s (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY HIGHESTMODSEQ)", quoted(folder)) {
			b += r.text
		}
	}
	for _, r := range c.cmd(`LSUB "" "*"`) {
		b += r.text
	}
	return b
}

// shown is what --json prints of one account.
type shown struct {
	ExitCode int `json:"exit_code"`
	Accounts []struct {
		Plan   struct{ Steps []map[string]any }
		Report map[string]any
	}
}

func (r result) shown(t testing.TB) shown {
	var s shown
	require.NoError(t, json.Unmarshal([]byte(r.out), &s), r.out)
	require.Len(t, s.Accounts, 1)
	return s
}

// totals adds up what a plan says, as the journal counts it.
func (s shown) totals() map[string]int64 {
	out := map[string]int64{}
	for _, step := range s.Accounts[0].Plan.Steps {
		op := step["op"].(string)
		switch {
		case op == "create": // is in no journal
			continue
		case step["expiry"] == true:
			op = "expire"
		case op == "delete" && step["to"] != "":
			op = "trash"
		}
		out[op+" "+step["side"].(string)] += int64(step["count"].(float64))
	}
	return out
}

// journalOf adds up what the last run did, without what needs no step.
func journalOf(t testing.TB, home, file string) map[string]int64 {
	var logs []struct {
		Runs []struct {
			Counts []struct {
				Op, Side string
				Count    int64
			}
		}
	}
	r := ok(t, home, "log", "--json", "-n", "1", file)
	require.NoError(t, json.Unmarshal([]byte(r.out), &logs), r.out)
	out := map[string]int64{}
	for _, c := range logs[0].Runs[0].Counts {
		if c.Side != "" && c.Op != "pair" {
			out[c.Op+" "+c.Side] += c.Count
		}
	}
	return out
}

// TestDryRunIsTheRun changes both sides in many ways, one after the other. Each
// time a dry run must leave no trace anywhere, and show exactly what the run
// after it does.
func TestDryRunIsTheRun(t *testing.T) {
	srv := dovecot.Start(t)
	const user = "dry"
	fill(t, srv, user, oddCorpus(3, 60))
	home := t.TempDir()
	near := filepath.Join(home, "Mail")
	file := write(t, home, "dry.lua", account1(imapStore(srv.Addr(), user, dovecot.Password, ""), maildirStore(near),
		"  trash = { far = \"Trash\" }, remove = \"both\", max_size = \"20k\", guard = false,\n"))
	client := dialRaw(t, srv.Addr(), user, dovecot.Password)
	defer client.close()
	inNear := func(folder string, n int) string {
		list, err := os.ReadDir(filepath.Join(near, folder, "cur"))
		require.NoError(t, err)
		require.Greater(t, len(list), n)
		return filepath.Join(near, folder, "cur", list[n].Name())
	}
	large := []byte("Message-ID: <large@x>\r\nSubject: large\r\n\r\n" + strings.Repeat("much\r\n", 5000))

	for _, step := range []struct {
		name   string
		change func()
	}{
		{"the first run", func() {}},
		{"nothing", func() {}},
		{"new messages on both sides", func() {
			client.append("INBOX", `\Seen`, "", []byte("Message-ID: <n1@x>\r\nSubject: new far\r\n\r\nnew\r\n"))
			client.append("Sent", "", "", large)
			store(t, filepath.Join(near, "Sent"), "1700000001.M1.h", "S", []byte("Message-ID: <n2@x>\nSubject: new near\n\nnew\n"), time.Unix(1_700_000_001, 0))
		}},
		{"new folders on both sides", func() {
			client.cmd("CREATE %s", quoted("Fresh/far"))
			client.append("Fresh/far", "", "", []byte("Message-ID: <n3@x>\r\n\r\nnew\r\n"))
			makeMaildir(t, filepath.Join(near, "Fresh", "near"))
			store(t, filepath.Join(near, "Fresh", "near"), "1700000002.M1.h", "", []byte("Message-ID: <n4@x>\n\nnew\n"), time.Unix(1_700_000_002, 0))
		}},
		{"flags on both sides", func() {
			client.cmd("SELECT INBOX")
			client.cmd(`UID STORE 1 +FLAGS (\Flagged work)`)
			client.cmd("UNSELECT")
			at := inNear("Archive", 0)
			base, _, _ := cutInfo(at)
			require.NoError(t, os.Rename(at, base+":2,FR"))
		}},
		{"removals on both sides", func() {
			client.cmd("SELECT INBOX")
			client.cmd(`UID STORE 2 +FLAGS (\Deleted)`)
			client.cmd("UID EXPUNGE 2")
			client.cmd("UNSELECT")
			require.NoError(t, os.Remove(inNear("Archive", 1)))
			at := inNear("Lists", 0)
			base, _, _ := cutInfo(at)
			require.NoError(t, os.Rename(at, base+":2,ST"))
		}},
		{"moves on both sides", func() {
			client.cmd("SELECT INBOX")
			client.cmd("UID MOVE 3 Sent")
			client.cmd("UNSELECT")
			at := inNear("Drafts", 0)
			require.NoError(t, os.Rename(at, filepath.Join(near, "Archive", "cur", filepath.Base(at))))
		}},
		{"a folder removed near", func() { require.NoError(t, os.RemoveAll(filepath.Join(near, "100%"))) }},
		{"a folder renamed on the server", func() {
			client.cmd("RENAME %s %s", quoted("Lists/go"), quoted("Other"))
		}},
		{"the Maildir restored without its marks", func() { require.NoError(t, os.Remove(filepath.Join(near, ".imapfw"))) }},
	} {
		step.change()
		before, server := trace(t, home), client.trace()
		lines := ok(t, home, "sync", "--dry-run", file)
		dry := run(t, home, "sync", "--dry-run", "--json", file).shown(t)
		ok(t, home, "plan", file)
		ok(t, home, "plan", "--json", file)
		require.Equal(t, before, trace(t, home), "%s: a dry run left a trace on disk", step.name)
		require.Equal(t, server, client.trace(), "%s: a dry run left a trace on the server", step.name)
		if len(dry.Accounts[0].Plan.Steps) > 0 {
			require.Equal(t, len(dry.Accounts[0].Plan.Steps), strings.Count(lines.out, "\n"), lines.out)
		}
		real := run(t, home, "sync", "--json", file).shown(t)
		require.Equal(t, dry.ExitCode, real.ExitCode, step.name)
		require.Equal(t, dry.Accounts[0].Plan, real.Accounts[0].Plan, step.name)
		if want := real.totals(); len(want) > 0 {
			require.Equal(t, want, journalOf(t, home, file), step.name)
		}
	}
}

// A dry run of an account that was never synced makes nothing, neither a Maildir
// nor a state, also where its directories are there already.
func TestDryRunOfTheFirstRun(t *testing.T) {
	srv, far := embedded(t, imaptest.Options{}, 5)
	for _, made := range []bool{false, true} {
		home := t.TempDir()
		near := filepath.Join(home, "Mail")
		if made {
			require.NoError(t, os.MkdirAll(filepath.Join(home, ".state", "imapfw", "me"), 0o700))
			makeMaildir(t, filepath.Join(near, "INBOX"))
			store(t, filepath.Join(near, "INBOX"), "1.M1.h", "", []byte("Subject: mine\n\nmine\n"), time.Unix(1_700_000_000, 0))
		}
		file := write(t, home, "dry.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
		before, list := trace(t, home), inbox(t, far)
		r := ok(t, home, "sync", "--dry-run", file)
		require.Contains(t, r.out, "pull")
		ok(t, home, "plan", file)
		require.Equal(t, before, trace(t, home))
		require.Equal(t, list, inbox(t, far))
	}
}

func inbox(t testing.TB, far *imaptest.Account) []string {
	list, err := far.List("INBOX")
	require.NoError(t, err)
	var out []string
	for _, m := range list {
		out = append(out, fmt.Sprint(m.UID, m.Flags))
	}
	slices.Sort(out)
	return out
}
