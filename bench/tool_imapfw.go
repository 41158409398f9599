//go:build linux

package main

import (
	"fmt"
	"path/filepath"
)

func imapfw(binary string) *tool {
	return &tool{
		Name: "imapfw", Title: "imapfw", Binary: binary, version: []string{"version"},
		configure: func(c client, _ bool) error {
			tls := `"none"`
			if c.TLS {
				tls = fmt.Sprintf("{ mode = \"implicit\", ca_file = %q }", c.Cert)
			}
			return writeConfig(c, "bench.lua", `local api = require "imapfw.api"
return api.account {
  name = "bench", state = "{dir}/state",
  far = api.imap { host = "127.0.0.1", port = {port}, tls = {tls}, user = "{user}", password = "{password}" },
  near = api.maildir { path = "{mail}" },
}
`, "{tls}", tls)
		},
		sync: func(c client) []string { return []string{"sync", "-q", filepath.Join(c.Dir, "bench.lua")} },
	}
}
