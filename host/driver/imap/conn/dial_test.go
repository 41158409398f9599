package conn_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

func TestDialCancelled(t *testing.T) {
	for _, after := range []string{"", "* OK [CAPABILITY IMAP4rev1] hi\r\n"} {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := config(t, func(p *peer) {
			p.send(after)
			cancel()
			p.rest()
		})
		_, err := conn.Dial(ctx, cfg)
		require.Equal(t, context.Canceled, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := conn.Dial(ctx, conn.Config{Host: "127.0.0.1", Port: 1, User: "joe",
		Password: func(context.Context) (string, error) { return "", nil }})
	require.Equal(t, context.Canceled, err)
}

func TestGreetingThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config(t, func(p *peer) { p.line() })
		begin := time.Now()
		_, err := conn.Dial(t.Context(), cfg)
		require.ErrorIs(t, err, fault.Network)
		require.ErrorContains(t, err, "no answer from the server for 10s")
		require.Equal(t, 10*time.Second, time.Since(begin))
	})
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cfg := config(t, nil)
	cfg.Dial, cfg.Host, cfg.Port = nil, "127.0.0.1", port
	_, err = conn.Dial(t.Context(), cfg)
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
	require.ErrorContains(t, err, "refused")

	cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}
	}
	_, err = conn.Dial(t.Context(), cfg)
	require.ErrorIs(t, err, fault.Network)
	require.ErrorContains(t, err, "check the name of the host")
}

// fakeAddr is a connection from elsewhere.
type fakeAddr struct {
	net.Conn
	addr net.Addr
}

func (f fakeAddr) RemoteAddr() net.Addr { return f.addr }

func TestPlainTextStaysOnThisMachine(t *testing.T) {
	near := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 143}
	far := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143}
	for _, test := range []struct {
		host     string
		peer     net.Addr
		insecure bool
		want     bool
	}{
		{"127.0.0.1", near, false, true},
		{"127.8.9.1", near, false, true},
		{"::1", &net.TCPAddr{IP: net.IPv6loopback, Port: 143}, false, true},
		{"[::1]", &net.TCPAddr{IP: net.IPv6loopback, Port: 143}, false, true},
		{"localhost", near, false, true},
		{"LocalHost", near, false, true},
		{"localhost", far, false, false},
		{"127.0.0.1", far, false, false},
		{"imap.example.org", near, false, false},
		{"imap.example.org", far, false, false},
		{"imap.example.org", far, true, true},
		{"localhost.example.org", near, false, false},
	} {
		asked := false
		cfg := config(t, func(p *peer) {
			if p.login("") {
				p.rest()
			}
		})
		cfg.Host, cfg.Insecure = test.host, test.insecure
		pipe := cfg.Dial
		cfg.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
			c, err := pipe(ctx, n, a)
			return fakeAddr{c, test.peer}, err
		}
		cfg.Password = func(context.Context) (string, error) { asked = true; return "secret", nil }
		c, err := conn.Dial(t.Context(), cfg)
		require.Equal(t, test.want, asked)
		if test.want {
			require.NoError(t, err)
			require.NoError(t, c.Close())
			continue
		}
		require.ErrorIs(t, err, fault.TLS)
		require.ErrorContains(t, err, "insecure = true")
	}
}

func TestValidate(t *testing.T) {
	good := config(t, nil)
	require.NoError(t, good.Validate())
	for text, change := range map[string]func(*conn.Config){
		"host is missing":       func(c *conn.Config) { c.Host = "" },
		"neither a name":        func(c *conn.Config) { c.Host = "imap://x" },
		"port 70000":            func(c *conn.Config) { c.Port = 70000 },
		"user is missing":       func(c *conn.Config) { c.User = "" },
		"password is missing":   func(c *conn.Config) { c.Password = nil },
		"NUL in user":           func(c *conn.Config) { c.Authzid = "a\x00b" },
		"is negative":           func(c *conn.Config) { c.Timeout = -1 },
		"tls.cert and tls.key":  func(c *conn.Config) { c.TLS.CertFile = "x" },
		"trusts nobody":         func(c *conn.Config) { c.TLS.NoSystemCA = true },
		`tls mode "ssl"`:        func(c *conn.Config) { c.TLS.Mode = "ssl" },
		`tls.min "2"`:           func(c *conn.Config) { c.TLS.MinVersion = "2" },
		"not a SHA-256":         func(c *conn.Config) { c.TLS.Fingerprint = "ab:cd" },
		`auth "KERBEROS_V4" is`: func(c *conn.Config) { c.Auth = []string{"plain", "login-command", "KERBEROS_V4"} },
	} {
		bad := good
		change(&bad)
		err := bad.Validate()
		require.ErrorIs(t, err, fault.Config)
		require.ErrorContains(t, err, text)
	}
}
