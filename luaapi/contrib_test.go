package luaapi_test

import (
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/scripts"
)

// Every shipped contrib script has a manifest, a README, and a sample that
// prints what it is said to print.
func TestContrib(t *testing.T) {
	entries, err := fs.ReadDir(scripts.FS, "contrib")
	require.NoError(t, err)
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			file := func(name string) []byte {
				text, err := fs.ReadFile(scripts.FS, path.Join("contrib", entry.Name(), name))
				require.NoError(t, err)
				require.NotEmpty(t, text)
				return text
			}
			manifest, err := script.ParseManifest("contrib.lua", file("contrib.lua"))
			require.NoError(t, err)
			require.Equal(t, entry.Name(), manifest.Name)
			file("README.md")

			a := newApp(t)
			a.opt.App, a.opt.AppFS = path.Join("contrib", entry.Name(), "sample.lua"), scripts.FS
			printed := ""
			a.opt.Print = func(line string) { printed += line + "\n" }
			a.done()
			require.Equal(t, string(file("expected.txt")), printed)
		})
	}
}
