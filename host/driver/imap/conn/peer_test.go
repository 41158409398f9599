package conn_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a server that says what a test tells it to say.
type peer struct {
	t    *testing.T
	conn net.Conn
	br   *bufio.Reader
	tag  string // of the last command read
}

func newPeer(t *testing.T, c net.Conn) *peer {
	return &peer{t: t, conn: c, br: bufio.NewReader(c)}
}

// send writes text in which TAG stands for the tag of the last command.
func (p *peer) send(text string) bool {
	_, err := p.conn.Write([]byte(strings.ReplaceAll(text, "TAG", p.tag)))
	return err == nil
}

// line reads a line without its end; "" at the end of the connection.
func (p *peer) line() string {
	line, err := p.br.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimRight(line, "\r\n")
}

// command reads a command and returns it without its tag.
func (p *peer) command() string {
	tag, rest, _ := strings.Cut(p.line(), " ")
	p.tag = tag
	return rest
}

// expect reads a command and answers it when it begins as it should.
func (p *peer) expect(prefix, answer string) bool {
	got := p.command()
	if !strings.HasPrefix(got, prefix) {
		p.t.Errorf("the client sent %q, not %q", got, prefix)
		p.conn.Close()
		return false
	}
	return p.send(answer)
}

// octets reads part of a literal.
func (p *peer) octets(n int) string {
	b := make([]byte, n)
	for i := range b {
		c, err := p.br.ReadByte()
		if err != nil {
			return string(b[:i])
		}
		b[i] = c
	}
	return string(b)
}

// login lets the client in.
func (p *peer) login(caps string) bool {
	return p.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN "+caps+"] hello\r\n") &&
		p.expect("AUTHENTICATE PLAIN ", "TAG OK [CAPABILITY IMAP4rev1 "+caps+"] welcome\r\n") &&
		(!strings.Contains(caps, "ENABLE") || p.expect("ENABLE QRESYNC", "* ENABLED QRESYNC CONDSTORE\r\nTAG OK\r\n")) &&
		(!strings.Contains(caps, "NAMESPACE") && !strings.Contains(caps, "IMAP4rev2") || p.expect("NAMESPACE", "TAG NO\r\n"))
}

// rest answers whatever comes until the client goes.
func (p *peer) rest() {
	for {
		switch cmd := p.command(); cmd {
		case "":
			return
		case "LOGOUT":
			p.send("* BYE\r\nTAG OK\r\n")
			return
		default:
			p.send("TAG OK done\r\n")
		}
	}
}

// dialer returns a Dial hook that ends at script, which runs on a goroutine
// that the test waits for.
func dialer(t *testing.T, script func(p *peer)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer server.Close()
			script(newPeer(t, server))
		}()
		t.Cleanup(func() {
			client.Close()
			<-done
		})
		return client, nil
	}
}

// config is one that gets a scripted server.
func config(t *testing.T, script func(p *peer)) conn.Config {
	return conn.Config{
		Host: "imap.example.org", TLS: conn.TLS{Mode: conn.None}, Insecure: true,
		User: "joe", Password: func(context.Context) (string, error) { return "secret", nil },
		Timeout: 10 * time.Second,
		Dial:    dialer(t, script),
	}
}

// start signs in to a server with capabilities, which then runs script and
// answers everything after it.
func start(t *testing.T, caps string, script func(p *peer), change ...func(*conn.Config)) *conn.Conn {
	t.Helper()
	cfg := config(t, func(p *peer) {
		if p.login(caps) {
			script(p)
			p.rest()
		}
	})
	for _, f := range change {
		f(&cfg)
	}
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// answer is a script of one command and its answer.
func answer(text string) func(p *peer) {
	return func(p *peer) {
		p.command()
		p.send(text)
	}
}

// usable asserts that commands still work.
func usable(t *testing.T, c *conn.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.NoError(t, c.Run(ctx, "noop", func(cl *imapclient.Client) error { return cl.Noop().Wait() }))
	_, err := c.Do(ctx, conn.Cmd("NOOP"), nil)
	require.NoError(t, err)
	require.True(t, c.Alive())
}

func literal(s string) string { return fmt.Sprintf("{%d}\r\n%s", len(s), s) }
