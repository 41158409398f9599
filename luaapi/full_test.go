package luaapi_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/luaapi"
)

// The example with everything in it, as it is written but for its host, its
// secret and its paths, on every backend of its engine.
func TestFullExample(t *testing.T) {
	for _, c := range []struct{ name, engine, repositories string }{
		{"goroutines", "goroutine", "goroutine"}, {"as written", "process", "goroutine"}, {"inline", "inline", "inline"},
		{"repositories apart", "goroutine", "process"}, {"everything apart", "process", "process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server(t, 2)
			host, port := hostPort(t, s.Addr())
			acc := s.Account("")
			_, err := acc.Append("INBOX", imaptest.Message{Content: message(3, "X-Internal-Note: psst")})
			require.NoError(t, err)
			require.NoError(t, acc.CreateFolder("[Gmail]/Sent Mail"))
			_, err = acc.Append("[Gmail]/Sent Mail", imaptest.Message{Content: message(4), Date: time.Unix(1700000000, 0)})
			require.NoError(t, err)

			a := newApp(t, "full.lua", replace(t, "full.lua",
				`host = "imap.gmail.com", user = "me", password = api.secret.keyring("imapfw", "me")`,
				`host = "`+host+`", port = `+port+`, tls = "none", user = "user", password = api.secret.command "echo secret"`,
				`backend = "process"`, `backend = "`+c.engine+`"`, `backend = "goroutine"`, `backend = "`+c.repositories+`"`))
			a.done()

			root := filepath.Join(a.home, "Mail/full")
			require.Len(t, files(t, filepath.Join(root, "INBOX")), 3)
			require.Len(t, files(t, filepath.Join(root, "Sent Mail")), 1, "the name was translated")
			log := filepath.Join(a.home, ".local/state/imapfw/full.log")
			require.FileExists(t, log)
			require.Contains(t, read(t, log), "served 4 messages", "fetch was counted, and stop told it")
			require.FileExists(t, filepath.Join(a.home, ".local/state/imapfw/full.db"))

			// A message that goes up loses its note on the way.
			put := filepath.Join(root, "INBOX/new/1700000001.x.y")
			writeFile(t, put, "From: me\nX-Internal-Note: psst\nSubject: out\n\nhello\n")
			a.done()
			list, err := acc.List("INBOX")
			require.NoError(t, err)
			require.Len(t, list, 4)
			require.Equal(t, "From: me\r\nSubject: out\r\n\r\nhello\r\n", string(list[3].Content))
		})
	}
}

// CarefulEngine refuses to empty a folder, before anything is written.
func TestFullExampleVetoes(t *testing.T) {
	for _, backend := range []string{"goroutine", "process"} {
		t.Run(backend, func(t *testing.T) {
			s := server(t, 0)
			acc := s.Account("")
			for i := range 101 {
				_, err := acc.Append("INBOX", imaptest.Message{Content: message(i + 1)})
				require.NoError(t, err)
			}
			host, port := hostPort(t, s.Addr())
			a := newApp(t, "full.lua", replace(t, "full.lua",
				`host = "imap.gmail.com", user = "me", password = api.secret.keyring("imapfw", "me")`,
				`host = "`+host+`", port = `+port+`, tls = "none", user = "user", password = api.secret.command "echo secret"`,
				`backend = "process"`, `backend = "`+backend+`"`,
				`push = { "new", "flags" }`, `push = "all"`))
			a.done()
			inbox := filepath.Join(a.home, "Mail/full/INBOX")
			require.Len(t, files(t, inbox), 101)

			remove(t, files(t, inbox)...)
			result, err := a.run()
			require.NoError(t, err)
			require.Equal(t, luaapi.ExitGuard, result.ExitCode, result.Err)
			require.ErrorContains(t, result.Err, "would empty INBOX")
			list, err := acc.List("INBOX")
			require.NoError(t, err)
			require.Len(t, list, 101)
		})
	}
}
