package imap_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/mail"
)

var features = drivertest.Features{
	LineEnds:     mail.CRLF,
	Delta:        true,
	NoEmpty:      true,
	EarlyVisible: true,
	AbortLeaves:  true,
	BadNames:     []string{"", "/a", "a/", "a//b", "a\x00b", "a\nb"},
}

func TestContractOnEmbeddedServer(t *testing.T) {
	for name, one := range map[string]struct {
		connections int
		without     []string
		untold      bool
	}{
		"default":        {},
		"one connection": {connections: 1},
		"bare IMAP4rev1": {connections: 2, untold: true, without: []string{
			"UIDPLUS", "LITERAL+", "LITERAL-", "MOVE", "ESEARCH", "LIST-EXTENDED", "LIST-STATUS", "NAMESPACE", "UNSELECT", "SEARCHRES", "UTF8=ACCEPT",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := features
			f.Delta, f.NoFolderCursors, f.KeysUntold = false, true, one.untold
			f.Normalise = memoryForm
			drivertest.Run(t, drivertest.Harness{Features: f, New: func(t *testing.T) drivertest.Place {
				s := memory(t, imaptest.Options{Without: one.without})
				opts := options(s.Addr(), "user", "secret")
				opts.Connections, opts.Conn.Without, opts.TempDir = one.connections, one.without, t.TempDir()
				return door{addr: s.Addr(), user: "user", password: "secret"}.place(store(opts))
			}})
		})
	}
}

func TestContractOnDovecot(t *testing.T) {
	for name, one := range map[string]struct {
		connections int
		without     []string
		options     []dovecot.Option
		untold      bool
		plain       bool
		names       func(string) string
		parts       int
	}{
		"default":  {},
		"in parts": {parts: 2},
		"one connection, dots, CONDSTORE": {
			connections: 1, without: []string{"QRESYNC", "LIST-STATUS"}, names: dotted,
			options: []dovecot.Option{dovecot.Separator("."), dovecot.Prefix("INBOX."), dovecot.Storage("mdbox")},
		},
		"bare IMAP4rev1": {
			plain: true, untold: true, options: []dovecot.Option{dovecot.Storage("sdbox")},
			without: []string{"QRESYNC", "CONDSTORE", "UIDPLUS", "LITERAL+", "MOVE", "ESEARCH", "LIST-EXTENDED", "LIST-STATUS",
				"NAMESPACE", "COMPRESS=DEFLATE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "default" {
				t.Skip("one kind of Dovecot is enough for a short test")
			}
			t.Parallel()
			server := dovecot.Start(t, one.options...)
			f := features
			f.KeysUntold, f.NoFolderCursors, f.Delta = one.untold, one.plain, !one.plain
			f.Normalise = dovecotForm
			f.FolderIDs = len(one.without) == 0 // told when a folder is read from the beginning
			f.Unholdable = []string{"~tilde", "..", "a/../b"}
			if !one.plain { // Maildir++, or dots between the levels
				f.Unholdable = append(f.Unholdable, ".hidden", "a/.hidden", "v1.0")
			}
			drivertest.Run(t, drivertest.Harness{Features: f, New: func(t *testing.T) drivertest.Place {
				name := user(t, server)
				opts := options(server.Addr(), name, dovecot.Password)
				opts.Connections, opts.Conn.Without, opts.TempDir = one.connections, one.without, t.TempDir()
				made := store(opts)
				if one.parts > 0 {
					made = func(t *testing.T) driver.Store {
						return store(opts)(t).(*imap.Driver).InParts(one.parts)
					}
				}
				return door{server.Addr(), name, dovecot.Password, one.names}.place(made)
			}})
		})
	}
}

// dovecotForm is what Dovecot makes of content.
func dovecotForm(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\r"))
	return bytes.ReplaceAll(b, []byte{0}, []byte{0x80})
}

func dotted(name string) string {
	if name == mail.Inbox {
		return name
	}
	return "INBOX." + strings.ReplaceAll(name, "/", ".")
}

// memoryForm is what the memory server makes of messages that are no messages:
// it takes their header apart.
func memoryForm(b []byte) []byte {
	if bytes.HasPrefix(b, []byte("\r\n")) || bytes.Contains(b, []byte("\r\n\r\n")) {
		return b
	}
	if !bytes.Contains(b, []byte(":")) {
		return nil
	}
	return append(b, "\r\n"...)
}

func store(opts imap.Options) func(*testing.T) driver.Store {
	return func(t *testing.T) driver.Store {
		d, err := imap.New(opts)
		require.NoError(t, err)
		return d
	}
}
