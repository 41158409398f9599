package conn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// appendMessage delivers a message and returns its UID.
func appendMessage(c *conn.Conn, t *testing.T, folder, message string) (uid imap.UID, err error) {
	err = c.Run(t.Context(), "append", func(cl *imapclient.Client) error {
		cmd := cl.Append(folder, int64(len(message)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
		_, err1 := cmd.Write([]byte(message))
		err2 := cmd.Close()
		data, err3 := cmd.Wait()
		uid = data.UID
		return errors.Join(err1, err2, err3)
	})
	return uid, err
}

func TestAppend(t *testing.T) {
	long := strings.Repeat("a line that is no command\r\nT1 NOOP\r\n", 500)
	for _, test := range []struct {
		name, caps, message, announce string
		asks                          bool // the server has to ask for the literal
	}{
		{"synchronizing", "", long, "{18000}", true},
		{"LITERAL+", "LITERAL+", long, "{18000+}", false},
		{"LITERAL- small", "LITERAL-", "hi\r\n", "{4+}", false},
		{"LITERAL- large", "LITERAL-", long, "{18000}", true},
		{"empty", "", "", "{0}", true},
	} {
		for _, refused := range []bool{false, true} {
			name := test.name
			if refused {
				name += " refused"
			}
			t.Run(name, func(t *testing.T) {
				c := start(t, test.caps, func(p *peer) {
					if cmd := p.command(); !strings.HasSuffix(cmd, `(\Seen) `+test.announce) {
						t.Errorf("got %q", cmd)
					}
					if refused && test.asks {
						p.send("* 3 EXISTS\r\nTAG NO [OVERQUOTA] full\r\n")
						return
					}
					if test.asks {
						p.send("+ go on\r\n")
					}
					if got := p.octets(len(test.message)); got != test.message {
						t.Errorf("the message came as %q", got)
					}
					if rest := p.line(); rest != "" {
						t.Errorf("%q behind the message", rest)
					}
					if refused {
						p.send("TAG NO [OVERQUOTA] full\r\n")
					} else {
						p.send("TAG OK [APPENDUID 1 42] there\r\n")
					}
				})
				uid, err := appendMessage(c, t, "x", test.message)
				if refused {
					require.ErrorIs(t, err, fault.Quota)
					require.ErrorContains(t, err, "full")
				} else {
					require.NoError(t, err)
					require.Equal(t, imap.UID(42), uid)
				}
				usable(t, c)
			})
		}
	}
}

// A refusal that overtakes a literal which needs no permission must not be
// taken for the end of the literal.
func TestAppendRefusedWhileItIsSent(t *testing.T) {
	message := strings.Repeat("x", 100_000)
	c := start(t, "LITERAL+", func(p *peer) {
		p.command()
		p.octets(1000)
		p.send("TAG NO [TRYCREATE] no such folder\r\n")
		p.octets(len(message) - 1000)
		p.line()
	})
	_, err := appendMessage(c, t, "x", message)
	require.ErrorIs(t, err, fault.NotFound)
	usable(t, c)
}

// The "+" that imapclient waits for must not be put into the middle of an
// answer that is streaming.
func TestAppendWhileFetching(t *testing.T) {
	c := start(t, "LITERAL+", func(p *peer) {
		p.command()
		tag := p.tag
		p.send("* 1 FETCH (UID 1 BODY[] {10}\r\n01234")
		p.command()
		p.octets(2)
		p.line()
		p.send("56789)\r\nTAG OK\r\n" + tag + " OK\r\n")
	})
	require.NoError(t, c.Run(t.Context(), "both", func(cl *imapclient.Client) error {
		fetch := cl.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}})
		appended := make(chan error)
		go func() {
			cmd := cl.Append("x", 2, nil)
			_, err := cmd.Write([]byte("hi"))
			err = errors.Join(err, cmd.Close())
			_, waited := cmd.Wait()
			appended <- errors.Join(err, waited)
		}()
		got, err := fetch.Collect()
		require.NoError(t, err)
		require.Equal(t, "0123456789", string(got[0].BodySection[0].Bytes))
		return <-appended
	}))
}

func TestNamesThatNeedLiterals(t *testing.T) {
	for _, caps := range []string{"", "LITERAL+"} {
		c := start(t, caps, func(p *peer) {
			for range 2 {
				cmd := p.command()
				if caps == "" {
					p.send("+ \r\n")
				}
				size := len("a\r\nb")
				if !strings.HasPrefix(cmd, "CREATE {4") && !strings.HasPrefix(cmd, "CREATE \"a&AA0ACg-b\"") {
					t.Errorf("got %q", cmd)
				}
				if strings.Contains(cmd, "{") {
					p.octets(size)
					p.line()
				}
				p.send("TAG OK\r\n")
			}
		})
		_, err := c.Do(t.Context(), conn.Cmd("CREATE").RawMailbox("a\r\nb"), nil)
		require.NoError(t, err)
		_, err = c.Do(t.Context(), conn.Cmd("CREATE").Mailbox("a\r\nb"), nil)
		require.NoError(t, err)
		usable(t, c)
	}
}
