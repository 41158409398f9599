package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
)

// The mark of a Maildir is written over the one before. Whatever a power failure leaves
// of it, nothing that is missing near is taken for removed.
func TestMarkThatWasCutInHalf(t *testing.T) {
	srv, account := embedded(t, imaptest.Options{}, 12)
	home := t.TempDir()
	near := filepath.Join(home, "near")
	mark := filepath.Join(near, ".imapfw")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
	ok(t, home, "sync", file)
	for name, cut := range map[string]func(string) string{
		"zeros behind": func(s string) string { return s[:len(s)/2] + strings.Repeat("\x00", len(s)-len(s)/2) },
		"zeros before": func(s string) string { return strings.Repeat("\x00", len(s)-3) + s[len(s)-3:] },
		"nothing":      func(string) string { return "" },
		"other digits": func(s string) string { return strings.TrimRight(s, "0123456789\n") + "9999\n" },
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(mark)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(mark, []byte(cut(string(text))), 0o600))
			files, err := filepath.Glob(filepath.Join(near, "INBOX", "cur", "*"))
			require.NoError(t, err)
			require.Len(t, files, 12)
			require.NoError(t, os.Remove(files[0]))
			r := run(t, home, "sync", file)
			require.Zero(t, r.code, r.err)
			require.Contains(t, r.out+r.err, "restored from a backup")
			far, err := account.List("INBOX")
			require.NoError(t, err)
			require.Len(t, far, 12)
			require.Equal(t, 12, readMaildir(t, near).messages())
		})
	}
}
