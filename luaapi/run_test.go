package luaapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/luaapi"
)

// write makes a file in a temporary folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestSimple(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	app := write(t, "simple.lua", `
local api = require "imapfw.api"
return api.account {
  far  = api.memory { name = "far" },
  near = api.memory { name = "near", like = "maildir" },
}
`)
	far, near := memory.New(memory.Options{}), memory.New(memory.Options{Maildir: true})
	far.Add("INBOX", memory.Message{Body: []byte("Message-ID: <1@x>\r\nSubject: hello\r\n\r\nhi\r\n")})
	result, err := luaapi.Run(context.Background(), luaapi.RunOptions{
		App: app, Memories: map[string]*memory.Store{"far": far, "near": near},
	})
	require.NoError(t, err)
	require.NoError(t, result.Err)
	require.Equal(t, luaapi.ExitDone, result.ExitCode)
	require.Len(t, near.Snapshot()["INBOX"], 1)
}
