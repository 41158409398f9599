package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// counters is an account whose connections are counters.
type counters struct {
	proxy            *imaptest.Proxy
	client           *rawIMAP
	home, near, file string
}

// newCounters sets up an account with folders of some messages each, and lets a first
// sync pass.
func newCounters(t *testing.T, user string, folders, messages int) *counters {
	srv := dovecot.Start(t)
	srv.AddUser(t, user)
	for n := range folders {
		dir := filepath.Join(srv.HomeDir(user), "mail")
		if n > 0 {
			dir = filepath.Join(dir, fmt.Sprintf(".Area%d.topic%d", n%7, n))
		}
		makeMaildir(t, dir)
		for i := range messages {
			name := fmt.Sprintf("16%08d.M%dP%d.host", i, i, n)
			store(t, dir, name, "", fmt.Appendf(nil, "Subject: %d\nMessage-ID: <%d.%d@counters>\n\nhello\n", i, n, i), time.Unix(1_600_000_000+int64(i), 0))
		}
	}
	srv.Own(t, srv.HomeDir(user))
	c := &counters{home: t.TempDir(), client: dialRaw(t, srv.Addr(), user, dovecot.Password)}
	t.Cleanup(c.client.close)
	// The delay makes out of what was sent ahead one round trip, as on a real line.
	c.proxy = &imaptest.Proxy{Target: srv.Addr(), Delay: 10 * time.Millisecond}
	require.NoError(t, c.proxy.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, c.proxy.Close()) })
	c.near = filepath.Join(c.home, "Mail")
	c.file = write(t, c.home, "counted.lua", account1(imapStore(c.proxy.Addr(), user, dovecot.Password, ""), maildirStore(c.near), ""))
	ok(t, c.home, "sync", c.file)
	c.proxy.Turns()
	c.proxy.Trace()
	return c
}

// requireTurns syncs, and fails where that took more round trips than limit.
func (c *counters) requireTurns(t *testing.T, limit int, done string) {
	t.Helper()
	r := ok(t, c.home, "sync", c.file)
	require.Contains(t, r.out, done)
	turns, trace := c.proxy.Turns(), c.proxy.Trace()
	commands := 0
	for _, line := range trace {
		if strings.HasPrefix(line, "C: ") {
			commands++
		}
	}
	t.Logf("%s: %d round trips, %d lines of the client", done, turns, commands)
	require.LessOrEqual(t, turns, limit, strings.Join(trace, "\n"))
}

// Round trips are what a run over a real line waits for. There are as many for
// two hundred folders as for one.
func TestRoundTripsOfNothing(t *testing.T) {
	c := newCounters(t, "nothing", 200, 1)
	c.requireTurns(t, 6, "nothing to do")
}

func TestRoundTripsOfNewMessages(t *testing.T) {
	c := newCounters(t, "arrivals", 3, 5)
	for n := range 100 {
		c.client.append("INBOX", "", "", fmt.Appendf(nil, "Subject: new %d\r\nMessage-ID: <new.%d@counters>\r\n\r\nhello\r\n", n, n))
	}
	c.requireTurns(t, 9, "100 pulled")
}

// Changes of flags go as sets of equal changes, in either direction.
func TestRoundTripsOfFlags(t *testing.T) {
	c := newCounters(t, "flags", 1, 1000)
	kinds := []string{`+FLAGS (\Flagged)`, `+FLAGS (\Seen)`, `+FLAGS (\Answered \Seen)`, `+FLAGS ($Forwarded)`, `+FLAGS (\Draft)`}
	c.client.cmd("SELECT INBOX")
	sets := make([][]string, len(kinds))
	for n := 1; n <= 1000; n++ {
		sets[n%5] = append(sets[n%5], strconv.Itoa(n))
	}
	for k, kind := range kinds {
		c.client.cmd("STORE %s %s", strings.Join(sets[k], ","), kind)
	}
	c.requireTurns(t, 12, "1000 flags")
}

func TestRoundTripsOfFlagsNear(t *testing.T) {
	c := newCounters(t, "flagged", 1, 1000)
	cur := filepath.Join(c.near, "INBOX", "cur")
	list, err := os.ReadDir(cur)
	require.NoError(t, err)
	require.Len(t, list, 1000)
	for i, e := range list {
		base, _, _ := cutInfo(e.Name())
		require.NoError(t, os.Rename(filepath.Join(cur, e.Name()), filepath.Join(cur, base+":2,"+[]string{"F", "S", "RS", "D", "FS"}[i%5])))
	}
	c.requireTurns(t, 12, "1000 flags")
}

// New messages go to the server many at once, and none waits for the answer to
// another. Answers that cross what was sent ahead count, so there is no exact number.
func TestRoundTripsOfNewMessagesNear(t *testing.T) {
	c := newCounters(t, "written", 1, 5)
	for n := range 1000 {
		store(t, filepath.Join(c.near, "INBOX"), fmt.Sprintf("17%08d.M%d.host", n, n), "", fmt.Appendf(nil, "Subject: new %d\nMessage-ID: <new.%d@counters>\n\nhello\n", n, n), time.Unix(1_700_000_000, 0))
	}
	c.requireTurns(t, 100, "1000 pushed")
}
