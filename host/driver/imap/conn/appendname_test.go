package conn_test

import (
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

// APPEND names a folder as the server does, whatever it looks like, and what a
// server writes into a name never becomes a command.
func TestAppendToOddNames(t *testing.T) {
	for _, one := range []struct{ caps, raw, want, more string }{
		{"", "Q&A", `APPEND "Q&A" {3}`, ""},
		{"", `a"b\c&`, `APPEND "a\"b\\c&" {3}`, ""},
		{"", "lat\xe9in", "APPEND \"lat\xe9in\" {3}", ""},
		{"LITERAL+", "lat\xe9in", "APPEND {6+}", "lat\xe9in {3+}"},
		{"", "fine", `APPEND "fine" {3}`, ""},
		{"", "caf&AOk-", `APPEND "caf&AOk-" {3}`, ""},
		{"", "x\r\nA1 DELETE \"y\"", `APPEND "imapfw raw name `, ""},
		{"", "imapfw raw name 41", `APPEND "imapfw raw name 41" {3}`, ""},
	} {
		c := start(t, one.caps, func(p *peer) {
			if !p.expect(one.want, "") {
				return
			}
			if one.more != "" {
				if got := p.line(); got != one.more {
					t.Errorf("got %q, not %q", got, one.more)
				}
			} else {
				p.send("+ go on\r\n")
			}
			p.line()
			p.send("TAG OK\r\n")
		})
		require.NoError(t, c.Run(t.Context(), "append", func(cl *imapclient.Client) error {
			cmd := cl.Append(c.NameForAppend(one.raw, conn.ReadName(one.raw, false, "")), 3, nil)
			_, err := cmd.Write([]byte("abc"))
			require.NoError(t, err)
			require.NoError(t, cmd.Close())
			_, err = cmd.Wait()
			return err
		}))
	}
}
