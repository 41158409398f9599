package luaapi_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/luaapi"
)

var update = flag.Bool("update", false, "write the generated files")

// What editors and readers are told is what the host registers.
func TestGenerated(t *testing.T) {
	for path, text := range map[string]string{
		"meta/imapfw.lua":          luaapi.Stubs(),
		"../docs/lua-reference.md": luaapi.Reference(),
	} {
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			continue
		}
		have, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(have), "run: go test ./luaapi -run Generated -update")
	}
}

func TestLuacheck(t *testing.T) {
	if _, err := exec.LookPath("luacheck"); err != nil {
		if os.Getenv("IMAPFW_REQUIRE_SERVERS") == "1" {
			t.Fatal("luacheck is not installed")
		}
		t.Skip("luacheck is not installed")
	}
	check := exec.CommandContext(t.Context(), "luacheck", "--no-color", "luaapi/meta", "scripts")
	check.Dir = ".." // where its configuration is
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
}
