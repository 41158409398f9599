package imap_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
)

// With UTF8=ACCEPT (RFC 9755) names are UTF-8 on the wire, folders keep the names
// that they have without, and 8-bit headers come and go byte for byte. The
// embedded server has it.
func TestUTF8Accept(t *testing.T) {
	const text = "Subject: Gr\u00fc\u00dfe\r\nFrom: j\u00fcrgen@b\u00fccher.example\r\nX-Latin: \xe9\r\n\r\nT\u00e4xt \xff\r\n"
	names := []string{"Entw\u00fcrfe", "R&D", "R&D/\u65e5\u672c\u8a9e", "cafe\u0301", "caf\u00e9"}
	s := memory(t, imaptest.Options{})
	for _, without := range [][]string{nil, {"utf8=accept"}} {
		p := &imaptest.Proxy{}
		startProxy(t, p, s.Addr())
		opts := options(p.Addr(), "user", "secret")
		opts.Conn.Without = without
		d := open(t, opts)
		for _, name := range names {
			require.NoError(t, d.CreateFolder(t.Context(), name))
			ref := mail.Ref{Name: name}
			deliverText(t, d, ref, text)
			require.NoError(t, d.Subscribe(t.Context(), name))
			res, err := d.Changes(t.Context(), ref, "", func([]mail.Meta) error { return nil })
			require.NoError(t, err)
			require.NoError(t, d.Bodies(t.Context(), ref, res.Present, func(_ mail.Meta, b mail.Body) error {
				got, err := io.ReadAll(b)
				require.Equal(t, text, string(got))
				return err
			}))
		}
		listed := map[string]bool{}
		for _, f := range foldersOf(t, d) {
			listed[f.Name] = true
			require.Empty(t, f.Fault)
		}
		for _, name := range names {
			require.Contains(t, listed, name)
		}
		all := strings.Join(p.Commands(), "\n")
		require.Equal(t, without == nil, strings.Contains(all, "ENABLE UTF8=ACCEPT"))
		require.Equal(t, without != nil, strings.Contains(all, "Entw&APw-rfe"))
		require.NoError(t, d.RenameFolder(t.Context(), "R&D", "S&D"))
		require.NoError(t, d.RenameFolder(t.Context(), "S&D", "R&D"))
	}
}
