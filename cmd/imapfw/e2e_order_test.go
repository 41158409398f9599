package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// call is a system call that a run made. Calls of several threads overlap: begun
// and ended are lines of the record.
type call struct {
	name, args   string
	begun, ended int
}

var (
	callLine    = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+)`)
	begunLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)`)
)

// recorded runs a command and returns the system calls it made that succeeded.
func recorded(t *testing.T, home string, args ...string) []call {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv(dovecot.RequireEnv) == "1" {
			t.Fatalf("%s=1, but %v", dovecot.RequireEnv, err)
		}
		t.Skip("this test needs strace")
	}
	log := filepath.Join(home, "calls")
	cmd := command(t, home, args...)
	cmd.Args = append([]string{strace, "-f", "-y", "-s", "0", "-o", log,
		"-e", "trace=fsync,fdatasync,syncfs,sync_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,pwrite64"}, cmd.Args...)
	cmd.Path = strace
	r := finish(t, cmd)
	if strings.Contains(r.err, "ptrace") && r.code != 0 {
		t.Skip("processes cannot be traced here: " + r.err)
	}
	require.Zero(t, r.code, r.err)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	return parseCalls(string(text))
}

func parseCalls(text string) []call {
	var list []call
	open := map[string]int{} // thread to its place in list
	for n, line := range strings.Split(text, "\n") {
		if m := callLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[4], "-") {
			list = append(list, call{m[2], m[3], n, n})
		} else if m := begunLine.FindStringSubmatch(line); m != nil {
			open[m[1]] = len(list)
			list = append(list, call{m[2], m[3], n, -1})
		} else if m := resumedLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[4], "-") {
			if at, ok := open[m[1]]; ok {
				list[at].args += m[3]
				list[at].ended = n
			}
		}
	}
	return list
}

// find returns the calls of one of the names (with | between) whose arguments
// match.
func find(list []call, names, args string) []call {
	name, arg := regexp.MustCompile("^("+names+")$"), regexp.MustCompile(args)
	var found []call
	for _, c := range list {
		if c.ended >= 0 && name.MatchString(c.name) && arg.MatchString(c.args) {
			found = append(found, c)
		}
	}
	return found
}

// between reports whether one of the calls began after one line and had ended
// before another.
func between(list []call, after, before int) bool {
	for _, c := range list {
		if c.begun > after && c.ended < before {
			return true
		}
	}
	return false
}

func ended(list []call) (last int) {
	for _, c := range list {
		last = max(last, c.ended)
	}
	return last
}

func begun(list []call) int {
	first := list[0].begun
	for _, c := range list {
		first = min(first, c.begun)
	}
	return first
}

// What survives a power failure is decided by the order of what a run asks the
// disk: content is synced before it gets its name, names before the state tells
// of them, the state and the spool before anything is removed.
func TestOrderOnDisk(t *testing.T) {
	srv := dovecot.Start(t)
	const user = "order"
	srv.AddUser(t, user)
	dir := filepath.Join(srv.HomeDir(user), "mail")
	makeMaildir(t, dir)
	message := func(n int) []byte {
		return fmt.Appendf(nil, "Subject: %d\nMessage-ID: <%d@order>\n\nhello\n", n, n)
	}
	for n := range 20 {
		store(t, dir, fmt.Sprintf("16%08d.M%dP1.host", n, n), "", message(n), time.Unix(1_600_000_000+int64(n), 0))
	}
	srv.Own(t, srv.HomeDir(user))
	client := dialRaw(t, srv.Addr(), user, dovecot.Password)
	defer client.close()
	home := t.TempDir()
	near := filepath.Join(home, "Mail")
	file := write(t, home, "order.lua", account1(imapStore(srv.Addr(), user, dovecot.Password, ""), maildirStore(near), ""))
	ok(t, home, "sync", file)

	client.cmd("SELECT INBOX")
	client.cmd(`STORE 1:5 +FLAGS (\Deleted)`)
	client.cmd("EXPUNGE")
	for n := range 10 {
		client.append("INBOX", "", "", message(100+n))
	}
	calls := recorded(t, home, "sync", file)

	contents := find(calls, "write|pwrite64", `/INBOX/tmp/`)
	names := find(calls, "rename.*|link.*", `/INBOX/tmp/.*/INBOX/(new|cur)/`)
	removals := find(calls, "unlink.*|rename.*", `"[^"]*/INBOX/(new|cur)/[^"]*"`)
	removals = minusCalls(removals, names)
	state := find(calls, "fsync|fdatasync", `state\.db-wal`)
	require.Len(t, names, 10)
	require.Len(t, removals, 5)
	require.NotEmpty(t, contents)
	require.NotEmpty(t, state)

	inMaildir := find(calls, "syncfs|fsync|fdatasync", `/Mail/|/Mail>`)
	require.True(t, between(inMaildir, ended(contents), begun(names)), "content is synced before it gets its name")
	folder := find(calls, "syncfs|fsync", `/Mail/INBOX/(cur|new)>|/Mail/INBOX>|/Mail>`)
	named := -1
	for _, c := range folder {
		if c.begun > ended(names) && named < 0 {
			named = c.ended
		}
	}
	require.Positive(t, named, "the names are synced")
	require.True(t, between(state, named, begun(removals)), "the state tells of them before anything is removed")
	spooled := find(calls, "link.*|write|pwrite64", `/undo/`)
	require.GreaterOrEqual(t, len(spooled), len(removals))
	if whole := find(calls, "syncfs", `/undo`); !between(whole, ended(spooled), begun(removals)) {
		each := find(calls, "fsync|fdatasync", `/undo/\d+/`)
		require.Len(t, each, len(removals), "what is removed is in the spool")
		require.True(t, begun(each) > begun(spooled) && ended(each) < begun(removals))
	}
	inSpool := find(calls, "syncfs|fsync", `/undo/\d+>`)
	require.True(t, between(inSpool, ended(spooled), begun(removals)), "and has its name there")
	require.True(t, between(state, ended(inSpool), begun(removals)), "the state tells of that before anything is removed")
	for _, c := range state {
		require.False(t, c.begun > begun(names) && c.ended < named, "the state is written while the names are not durable")
	}
}

func minusCalls(list, other []call) []call {
	var left []call
	for _, c := range list {
		keep := true
		for _, o := range other {
			keep = keep && c.begun != o.begun
		}
		if keep {
			left = append(left, c)
		}
	}
	return left
}
