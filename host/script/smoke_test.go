package script_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "work.lua")
	require.NoError(t, os.WriteFile(app, []byte(`
local x = string.format("%5.2f|%-5s|%05d", 3.14159, "ab", 42)
local n = ("a,b,,c"):gsub(",", ";")
return x .. n
`), 0o600))
	b, err := script.Load(context.Background(), script.Config{App: app})
	require.NoError(t, err)
	s, err := b.NewState(context.Background(), script.Options{Worker: "near"})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		require.Equal(t, " 3.14|ab   |00042a;b;;c", s.Result().String())
		return nil
	}))
}
