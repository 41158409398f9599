package conn_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

func TestSignIn(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00joe\x00secret"))
	for _, test := range []struct {
		name   string
		change func(*conn.Config)
		script func(p *peer)
	}{
		{"PLAIN at once", nil, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
			p.expect("AUTHENTICATE PLAIN "+plain, "TAG OK [CAPABILITY IMAP4rev1 IDLE] in\r\n")
		}},
		{"PLAIN asked", nil, func(p *peer) {
			p.send("* OK hi\r\n")
			p.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n")
			p.expect("AUTHENTICATE PLAIN", "+ \r\n")
			if line := p.line(); line != plain {
				p.t.Errorf("got %q", line)
			}
			p.send("TAG OK in\r\n")
			p.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK\r\n")
		}},
		{"authzid", func(c *conn.Config) { c.Authzid = "boss" }, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
			p.expect("AUTHENTICATE PLAIN "+base64.StdEncoding.EncodeToString([]byte("boss\x00joe\x00secret")), "TAG OK\r\n")
			p.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK\r\n")
		}},
		{"LOGIN mechanism", nil, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=LOGIN] hi\r\n")
			p.expect("AUTHENTICATE LOGIN", "+ VXNlciBOYW1lAA==\r\n")
			if line := p.line(); line != base64.StdEncoding.EncodeToString([]byte("joe")) {
				p.t.Errorf("got %q", line)
			}
			p.send("+ UGFzc3dvcmQA\r\n")
			if line := p.line(); line != base64.StdEncoding.EncodeToString([]byte("secret")) {
				p.t.Errorf("got %q", line)
			}
			p.send("* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK in\r\n")
		}},
		{"LOGIN command", nil, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
			p.expect(`LOGIN "joe" "secret"`, "TAG OK [CAPABILITY IMAP4rev1 IDLE]\r\n")
		}},
		{"LOGIN cannot be broken out of", func(c *conn.Config) {
			c.User = "jo\"e\\\r\nA9 LOGOUT"
			c.Password = func(context.Context) (string, error) { return "p\xe4ss", nil }
		}, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
			p.expect("LOGIN {16}", "+ \r\n")
			if got := p.octets(16); got != "jo\"e\\\r\nA9 LOGOUT" {
				p.t.Errorf("got %q", got)
			}
			if got := p.line(); got != " {4}" {
				p.t.Errorf("got %q", got)
			}
			p.send("+ \r\n")
			if got := p.octets(4) + p.line(); got != "p\xe4ss" {
				p.t.Errorf("got %q", got)
			}
			p.send("TAG OK [CAPABILITY IMAP4rev1 IDLE]\r\n")
		}},
		{"one that the server does not know after all", nil, func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
			p.expect("AUTHENTICATE PLAIN", "TAG BAD what?\r\n")
			p.expect("LOGIN ", "TAG OK [CAPABILITY IMAP4rev1 IDLE]\r\n")
		}},
		{"PREAUTH", nil, func(p *peer) { p.send("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n") }},
		{"ID", nil, func(p *peer) {
			p.send("* PREAUTH [CAPABILITY IMAP4rev1 IDLE ID] hi\r\n")
			p.expect(`ID ("name" "imapfw")`, "* ID (\"Name\" \"Dovecot\" \"os\" NIL \"x\" {2}\r\nyz)\r\nTAG OK\r\n")
		}},
		{"ENABLE refused", nil, func(p *peer) {
			p.send("* PREAUTH [CAPABILITY IMAP4rev1 IDLE ENABLE QRESYNC] hi\r\n")
			p.expect("ENABLE QRESYNC", "TAG NO\r\n")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, func(p *peer) {
				test.script(p)
				p.rest()
			})
			if test.change != nil {
				test.change(&cfg)
			}
			c, err := conn.Dial(t.Context(), cfg)
			require.NoError(t, err)
			defer c.Close()
			require.True(t, c.Has(imap.CapIdle))
			require.False(t, c.Has(imap.CapSASLIR), "capabilities of before the sign-in")
			require.False(t, c.Has(imap.CapQResync))
			require.Equal(t, strings.Contains(test.name, "ENABLE"), c.Has(imap.CapCondStore))
			if test.name == "ID" {
				require.Equal(t, map[string]string{"name": "Dovecot", "x": "yz"}, c.ServerID())
			}
			usable(t, c)
		})
	}
}

func TestRefusedSignIn(t *testing.T) {
	const offer = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n"
	refuse := func(text string) func(p *peer) {
		return func(p *peer) {
			p.send(offer)
			p.command()
			p.send(text)
			p.rest()
		}
	}
	for _, test := range []struct {
		name      string
		script    func(p *peer)
		want      fault.Code
		temporary bool
		text      string
	}{
		{"wrong password", refuse("TAG NO [AUTHENTICATIONFAILED] wrong\r\n"), fault.Auth, false, "check user and password"},
		{"no code", refuse("TAG NO wrong\r\n"), fault.Auth, false, `as "joe"`},
		{"expired", refuse("TAG NO [EXPIRED] old\r\n"), fault.Auth, false, "expired"},
		{"privacy", refuse("TAG NO [PRIVACYREQUIRED] no\r\n"), fault.TLS, false, "starttls"},
		{"busy", refuse("TAG NO [UNAVAILABLE] later\r\n"), fault.Busy, true, "later"},
		{"in use", refuse("TAG NO [INUSE] later\r\n"), fault.Busy, true, "later"},
		{"limit", refuse("TAG NO [LIMIT] later\r\n"), fault.Busy, true, "later"},
		{"dropped", func(p *peer) {
			p.send(offer)
			p.command()
			p.send("* BYE Too many connections\r\n")
		}, fault.Network, true, "Too many connections"},
		{"bye", func(p *peer) { p.send("* BYE [UNAVAILABLE] go away\r\n") }, fault.Busy, true, "go away"},
		{"no greeting", func(p *peer) {}, fault.Network, true, "the server closed the connection"},
		{"not IMAP", func(p *peer) { p.send("220 mail.example.org ESMTP\r\n") }, fault.Protocol, false, "ESMTP"},
		{"endless line", func(p *peer) { p.send("* OK " + strings.Repeat("x", 100_000)) }, fault.Protocol, false, "octets"},
		{"nothing in common", func(p *peer) {
			p.send("* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI LOGINDISABLED AUTH=XOAUTH2] hi\r\n")
		}, fault.TLS, false, "not encrypted"},
		{"asks for too much", func(p *peer) {
			p.send(offer)
			p.command()
			p.send("+ \r\n")
			if got := p.line(); got != "*" {
				p.t.Errorf("got %q", got)
			}
			p.send("TAG BAD cancelled\r\n")
			p.expect("LOGIN", "TAG NO [AUTHENTICATIONFAILED] no\r\n")
		}, fault.Auth, false, ""},
		{"echoes the password", refuse("TAG NO sorry, secret is not the password\r\n"), fault.Auth, false, "sorry, *** is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, test.script)
			var trace strings.Builder
			cfg.Trace = func(_ bool, line string) { trace.WriteString(line + "\n") }
			_, err := conn.Dial(t.Context(), cfg)
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.temporary, fault.IsTemporary(err), "%v", err)
			require.ErrorContains(t, err, test.text)
			for _, secret := range []string{"secret", base64.StdEncoding.EncodeToString([]byte("\x00joe\x00secret"))} {
				require.NotContains(t, err.Error(), secret)
				require.NotContains(t, trace.String(), secret)
			}
		})
	}
}

func TestTraceHoldsNoSecrets(t *testing.T) {
	for _, password := range []string{`se"cret\word`, "sécret", "pass word"} {
		for _, auth := range []string{"PLAIN", "LOGIN", "LOGIN-COMMAND"} {
			cfg := config(t, func(p *peer) {
				p.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] hi\r\n")
				p.command()
				switch auth {
				case "PLAIN":
					p.send("+ \r\n")
					p.line()
				case "LOGIN":
					p.send("+ \r\n")
					p.line()
					p.send("+ \r\n")
					p.line()
				case "LOGIN-COMMAND":
					if password == "sécret" {
						p.send("+ \r\n")
						p.octets(len(password))
						p.line()
					}
				}
				p.send("TAG OK [CAPABILITY IMAP4rev1]\r\n")
				p.rest()
			})
			var trace strings.Builder
			cfg.Auth = []string{auth}
			cfg.Password = func(context.Context) (string, error) { return password, nil }
			cfg.Trace = func(_ bool, line string) { trace.WriteString(line + "\n") }
			c, err := conn.Dial(t.Context(), cfg)
			require.NoError(t, err)
			require.NoError(t, c.Close())
			for _, secret := range []string{
				"cret", "word", base64.StdEncoding.EncodeToString([]byte(password)),
				base64.StdEncoding.EncodeToString([]byte("\x00joe\x00" + password)),
			} {
				require.NotContains(t, trace.String(), secret)
			}
			require.Contains(t, trace.String(), "***")
			require.Contains(t, trace.String(), "LOGOUT")
		}
	}
}

func TestPasswordThatCannotBeHad(t *testing.T) {
	cfg := config(t, func(p *peer) { p.send("* OK [CAPABILITY IMAP4rev1] hi\r\n") })
	own := errors.New("the keyring is locked")
	cfg.Password = func(context.Context) (string, error) { return "", own }
	_, err := conn.Dial(t.Context(), cfg)
	require.Equal(t, own, err)
}

func TestWithout(t *testing.T) {
	cfg := config(t, func(p *peer) {
		p.send("* PREAUTH [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC UIDPLUS MOVE] hi\r\n")
		p.rest()
	})
	cfg.Without = []string{"condstore", "move"}
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	defer c.Close()
	for name, want := range map[imap.Cap]bool{
		imap.CapCondStore: false, imap.CapQResync: false, imap.CapMove: false, imap.CapUIDPlus: true, imap.CapEnable: true,
	} {
		require.Equal(t, want, c.Has(name), name)
		require.Equal(t, want, c.Caps().Has(name), name)
	}
}
