package conn_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
)

// listen serves one connection on 127.0.0.1 with a script.
func listen(t *testing.T, script func(p *peer)) conn.Config {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		script(newPeer(t, c))
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	cfg := config(t, nil)
	cfg.Dial, cfg.Insecure = nil, false
	cfg.Host, cfg.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return cfg
}

// secure is a script behind TLS.
func secure(cert tls.Certificate, script func(p *peer)) func(p *peer) {
	return func(p *peer) {
		c := tls.Server(p.conn, &tls.Config{Certificates: []tls.Certificate{cert}})
		if c.Handshake() == nil {
			script(newPeer(p.t, c))
		}
	}
}

// certificate returns one and the file it is in.
func certificate(t *testing.T) (imaptest.Certificate, string) {
	cert, err := imaptest.NewCertificate()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, cert.CertPEM, 0o600))
	return cert, file
}

func letIn(p *peer) {
	if p.login("QRESYNC ENABLE") {
		p.rest()
	}
}

func TestCertificates(t *testing.T) {
	cert, file := certificate(t)
	other, _ := certificate(t)
	colons := func(sum string) string {
		var b strings.Builder
		for i := 0; i < len(sum); i += 2 {
			b.WriteString(":" + strings.ToUpper(sum[i:i+2]))
		}
		return b.String()[1:]
	}
	for _, test := range []struct {
		name string
		tls  conn.TLS
		want string // part of the error; empty when it works
	}{
		{"own authority, an IP address", conn.TLS{CAFile: file, NoSystemCA: true}, ""},
		{"own authority beside the system's", conn.TLS{CAFile: file}, ""},
		{"named otherwise", conn.TLS{CAFile: file, ServerName: "localhost"}, ""},
		{"fingerprint", conn.TLS{Fingerprint: cert.Fingerprint}, ""},
		{"fingerprint with colons, and a wrong name", conn.TLS{Fingerprint: colons(cert.Fingerprint), ServerName: "x.example"}, ""},
		{"TLS 1.3", conn.TLS{CAFile: file, MinVersion: "1.3"}, ""},
		{"self-signed", conn.TLS{}, `tls.fingerprint = "` + colons(cert.Fingerprint)},
		{"self-signed, what to do", conn.TLS{}, "tls.ca_file"},
		{"wrong host", conn.TLS{CAFile: file, ServerName: "imap.example.org"}, "tls.server_name"},
		{"wrong fingerprint", conn.TLS{Fingerprint: other.Fingerprint}, "it has " + colons(cert.Fingerprint)},
	} {
		for _, mode := range []conn.TLSMode{conn.Implicit, conn.StartTLS} {
			t.Run(test.name+" "+string(mode), func(t *testing.T) {
				script := secure(cert.Pair, letIn)
				if mode == conn.StartTLS {
					inner := script
					script = func(p *peer) {
						p.send("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n")
						p.expect("STARTTLS", "TAG OK go\r\n")
						inner(p)
					}
				}
				cfg := listen(t, script)
				cfg.TLS = test.tls
				cfg.TLS.Mode = mode
				if mode == conn.StartTLS && test.want == "" {
					// After STARTTLS there is no second greeting.
					cfg = listen(t, func(p *peer) {
						p.send("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n")
						p.expect("STARTTLS", "TAG OK go\r\n")
						secure(cert.Pair, func(p *peer) {
							p.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n")
							p.expect("AUTHENTICATE PLAIN", "+ \r\n")
							p.line()
							p.send("TAG OK [CAPABILITY IMAP4rev1]\r\n")
							p.rest()
						})(p)
					})
					cfg.TLS = test.tls
					cfg.TLS.Mode = mode
				}
				c, err := conn.Dial(t.Context(), cfg)
				if test.want != "" {
					require.ErrorIs(t, err, fault.TLS)
					require.ErrorContains(t, err, test.want)
					require.False(t, fault.IsTemporary(err))
					return
				}
				require.NoError(t, err)
				usable(t, c)
				require.NoError(t, c.Close())
			})
		}
	}
}

func TestClientCertificate(t *testing.T) {
	cert, file := certificate(t)
	client, certFile := certificate(t)
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(keyFile, client.KeyPEM, 0o600))
	cfg := listen(t, func(p *peer) {
		c := tls.Server(p.conn, &tls.Config{Certificates: []tls.Certificate{cert.Pair}, ClientAuth: tls.RequireAnyClientCert})
		if err := c.Handshake(); err != nil {
			t.Error(err)
			return
		}
		letIn(newPeer(t, c))
	})
	cfg.TLS = conn.TLS{CAFile: file, CertFile: certFile, KeyFile: keyFile}
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestStartTLSRefusals(t *testing.T) {
	for _, test := range []struct {
		name, want string
		script     func(p *peer)
	}{
		{"bytes before the handshake", "between STARTTLS and the handshake", func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")
			p.expect("STARTTLS", "TAG OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] welcome\r\n")
			p.line()
		}},
		{"PREAUTH", "before the connection is encrypted", func(p *peer) {
			p.send("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
			p.line()
		}},
		{"not offered", "does not offer STARTTLS", func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n")
			p.line()
		}},
		{"refused", "no certificate", func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")
			p.expect("STARTTLS", "TAG NO no certificate\r\n")
			p.line()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := listen(t, test.script)
			cfg.TLS.Mode = conn.StartTLS
			_, err := conn.Dial(t.Context(), cfg)
			require.ErrorIs(t, err, fault.TLS)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestImplicitTLSOnAPlainPort(t *testing.T) {
	cfg := listen(t, func(p *peer) {
		p.send("* OK hi\r\n")
		p.line()
	})
	cfg.TLS.Mode = conn.Implicit
	_, err := conn.Dial(t.Context(), cfg)
	require.ErrorIs(t, err, fault.TLS)
	require.ErrorContains(t, err, `starttls`)
}

func TestTLSFiles(t *testing.T) {
	_, file := certificate(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for _, settings := range []conn.TLS{
		{CAFile: empty}, {CAFile: empty + ".missing"}, {CertFile: file, KeyFile: file},
	} {
		cfg := config(t, func(p *peer) { p.line() })
		cfg.TLS = settings
		_, err := conn.Dial(t.Context(), cfg)
		require.ErrorIs(t, err, fault.Config)
	}
}

func TestDroppedTLS(t *testing.T) {
	cert, file := certificate(t)
	cfg := listen(t, secure(cert.Pair, func(p *peer) {
		if p.login("") {
			p.command()
			p.conn.(*tls.Conn).NetConn().Close() // no close_notify
		}
	}))
	cfg.TLS = conn.TLS{CAFile: file}
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	defer c.Close()
	err = c.Run(t.Context(), "noop", noop)
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
}
