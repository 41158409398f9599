package luaapi

import (
	"os"
	"path/filepath"

	"github.com/imapfw/imapfw/host/script"
)

// grantsOf returns what the contrib scripts in the user's folder ask for in
// their manifests. Whoever puts a script there has read it, or trusts it, as
// long as there is no other way to grant something. A manifest that cannot be
// read grants nothing; it must not stop an app that does not use the script.
func grantsOf(user string) map[string][]string {
	grants := map[string][]string{}
	if user == "" {
		return grants
	}
	entries, _ := os.ReadDir(filepath.Join(user, "contrib"))
	for _, entry := range entries {
		path := filepath.Join(user, "contrib", entry.Name(), "contrib.lua")
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if manifest, err := script.ParseManifest(path, text); err == nil {
			grants[entry.Name()] = manifest.Needs
		}
	}
	return grants
}
