package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
)

// mixed is an account with a little of everything: messages in two folders on
// the server, and then changes of every kind on both sides.
type mixed struct {
	t      testing.TB
	home   string
	near   string
	file   string
	client *rawIMAP
}

// newMixed fills an account on a server, which addr leads to; imapfw gets there
// by through.
func newMixed(t testing.TB, addr, through, user, password, more string) *mixed {
	home := t.TempDir()
	s := &mixed{t: t, home: home, near: filepath.Join(home, "near"), client: dialRaw(t, addr, user, password)}
	t.Cleanup(s.client.close)
	s.file = write(t, home, "me.lua", account1(imapStore(through, user, password, more), maildirStore(s.near), ""))
	s.client.cmd("CREATE Archive")
	for i := range 12 {
		folder := "INBOX"
		if i >= 10 {
			folder = "Archive"
		}
		s.client.append(folder, "", arrival(i), mixedMessage(fmt.Sprint(i+1)))
	}
	return s
}

func mixedMessage(id string) []byte {
	return fmt.Appendf(nil, "Message-ID: <%s@mixed>\r\nSubject: number %s\r\n\r\nbody of %s\r\n", id, id, id)
}

// change does on each side what people do: a new message, flags, a removal, a
// move to another folder.
func (s *mixed) change() {
	s.client.cmd("SELECT INBOX")
	s.client.cmd(`UID STORE 1 +FLAGS (\Flagged)`)
	s.client.cmd(`UID STORE 2 +FLAGS (\Deleted)`)
	s.client.cmd(`UID COPY 3 Archive`)
	s.client.cmd(`UID STORE 3 +FLAGS (\Deleted)`)
	s.client.cmd("UID EXPUNGE 2:3")
	s.client.append("INBOX", `\Seen`, arrival(50), mixedMessage("far-new"))

	flagged := s.find("INBOX", "4")
	base, _, _ := cutInfo(flagged)
	require.NoError(s.t, os.Rename(flagged, base+":2,S"))
	require.NoError(s.t, os.Remove(s.find("INBOX", "5")))
	moved := s.find("INBOX", "6")
	require.NoError(s.t, os.Rename(moved, filepath.Join(s.near, "Archive/cur", filepath.Base(moved))))
	body := bytes.ReplaceAll(mixedMessage("near-new"), []byte("\r\n"), []byte("\n"))
	require.NoError(s.t, os.WriteFile(filepath.Join(s.near, "INBOX/new/1600000999.near.host"), body, 0o600))
}

// find returns the file of a message.
func (s *mixed) find(folder, id string) string {
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(s.near, folder, sub))
		require.NoError(s.t, err)
		for _, e := range entries {
			path := filepath.Join(s.near, folder, sub, e.Name())
			body, err := os.ReadFile(path)
			require.NoError(s.t, err)
			if bytes.HasPrefix(body, []byte("Message-ID: <"+id+"@")) {
				return path
			}
		}
	}
	require.Fail(s.t, "no message "+id, "in %s", folder)
	return ""
}

// equal insists that both sides hold the same, and as much as there should be.
func (s *mixed) equal() {
	s.t.Helper()
	s.client.cmd("NOOP") // what others did is told here, and not in between
	far := s.client.snapshot()
	require.Equal(s.t, far, readMaildir(s.t, s.near))
	require.Equal(s.t, 12, far.messages())
	n := 0
	for _, c := range far["INBOX"] {
		n += c
	}
	require.Equal(s.t, 8, n)
}

// A server that fails once, in any way and at any command, does not make a run
// fail.
func TestHiccupsOfAServer(t *testing.T) {
	answers := map[string]string{
		"unavailable": "NO [UNAVAILABLE] not just now",
		"throttled":   "BAD Request is throttled. Suggested Backoff Time: 300 milliseconds",
		"bye":         "BYE",
		"cut":         "cut",
	}
	for _, command := range []string{"LIST", "SELECT", "FLAGS", "BODIES", "SEARCH", "STATUS", "APPEND", "STORE", "MOVE", "EXPUNGE", "LOGIN"} {
		for how, answer := range answers {
			t.Run(command+"/"+how, func(t *testing.T) {
				t.Parallel()
				srv, _ := embedded(t, imaptest.Options{}, 0)
				once := make(chan struct{}, 1)
				p := &imaptest.Proxy{Target: srv.Addr()}
				p.Client = func(line string) string {
					tag, rest, _ := strings.Cut(line, " ")
					if kindOf(rest) != command {
						return ""
					}
					select {
					case <-once:
					default:
						return ""
					}
					switch answer {
					case "cut":
						p.Cut()
						return "* OK too late"
					case "BYE":
						time.AfterFunc(10*time.Millisecond, p.Cut)
						return "* BYE shutting down"
					}
					return tag + " " + answer
				}
				require.NoError(t, p.Start(t.Context()))
				t.Cleanup(func() { _ = p.Close() })
				more := ""
				if command == "STATUS" {
					more = `, without = { "LIST-STATUS" }`
				}
				s := newMixed(t, srv.Addr(), p.Addr(), "user", "secret", more)
				if command == "BODIES" {
					once <- struct{}{}
				}
				ok(t, s.home, "sync", s.file)
				s.change()
				if len(once) == 0 && command != "BODIES" {
					once <- struct{}{}
				}
				r := ok(t, s.home, "sync", s.file)
				require.Empty(t, once, "the server never failed\n"+r.err)
				s.equal()
				require.Contains(t, ok(t, s.home, "sync", s.file).out, "nothing to do")
				s.equal()
			})
		}
	}
}

// kindOf tells what a command line without its tag is about.
func kindOf(rest string) string {
	rest = strings.TrimPrefix(strings.ToUpper(rest), "UID ")
	name, args, _ := strings.Cut(rest, " ")
	switch {
	case name == "FETCH" && strings.Contains(args, "BODY.PEEK[]"):
		return "BODIES"
	case name == "FETCH":
		return "FLAGS"
	case name == "AUTHENTICATE":
		return "LOGIN"
	}
	return name
}
