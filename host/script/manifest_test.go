package script_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
)

func TestManifest(t *testing.T) {
	m, err := script.ParseManifest("contrib.lua", []byte(`-- The manifest is data: it is parsed, never run.
return {
  name = "thread_tidy",
  version = "1.2.0",
  api = 1,
  summary = "Shortens deep local folder trees",
  license = "MIT",
  author = "someone@example.org",
  needs = { "mail.read", "fs.read:/etc" },
}`))
	require.NoError(t, err)
	require.Equal(t, &script.Manifest{
		Name: "thread_tidy", Version: "1.2.0", API: 1, Summary: "Shortens deep local folder trees", License: "MIT",
		Author: "someone@example.org", Needs: []string{"mail.read", "fs.read:/etc"},
	}, m)
	m, err = script.ParseManifest("contrib.lua", []byte(`return { name = "x", version = "1", needs = {} }`))
	require.NoError(t, err)
	require.Empty(t, m.Needs)
}

func TestManifestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"return {\n  name = 1,\n  verison = \"1\" }":                  "m.lua:1: \"version\" is missing\nm.lua:2: name must be a string\nm.lua:3: unknown field \"verison\" (did you mean \"version\"?)",
		`return { name = "a b", version = "1" }`:                      `m.lua:1: "a b" cannot be the name of a script: use letters, digits and _`,
		`return { name = "../x", version = "1" }`:                     `m.lua:1: "../x" cannot be the name of a script: use letters, digits and _`,
		`return { name = "x", version = "1", needs = { "root" } }`:    `m.lua:1: unknown capability "root"; there are env, exec, fs.read, fs.write, mail.read, mail.write, net, secrets`,
		`return { name = "x", version = "1", needs = { "fs.read" } }`: `m.lua:1: fs.read needs a path: "fs.read:/path"`,
		`return { name = "x", version = "1", needs = { "net:80" } }`:  `m.lua:1: net takes no path`,
		`return { name = "x", version = "1", needs = "net" }`:         `m.lua:1: needs must be a list of capabilities`,
		`return { name = "x", version = "1", api = "1" }`:             `m.lua:1: api must be the number of an api version`,
		`return { name = "x", version = "1", needs = { print } }`:     `m.lua:1: only plain data may stand here: strings, numbers, true, false and tables of them`,
		`os.execute("rm -rf /") return { name = "x", version = "1" }`: `m.lua:1: this file is data: it must be one table, return { ... }`,
		strings.Repeat(" ", 70<<10):                                   `m.lua:1: a manifest is at most 64 KiB long`,
	} {
		_, err := script.ParseManifest("m.lua", []byte(text))
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, fault.Config)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`return { name = "x", version = "1", api = 1, needs = { "net", "fs.read:/x" } }`))
	f.Add([]byte(`return { name = {}, needs = { 1, {}, true } }`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := script.ParseManifest("m.lua", text)
		if err != nil {
			require.ErrorIs(t, err, fault.Config)
			require.True(t, strings.HasPrefix(err.Error(), "m.lua:"), "%v", err)
			return
		}
		require.NotEmpty(t, m.Name)
		require.NotEmpty(t, m.Version)
	})
}
