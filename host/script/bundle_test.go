package script_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// says is a module that tells where it came from.
func says(where string) string { return "return { from = '" + where + "' }" }

// from loads an app that requires a module, and returns where it came from.
func from(t *testing.T, module string, cfg script.Config) (string, error) {
	t.Helper()
	require.NoError(t, os.WriteFile("app.lua", []byte("return require('"+module+"').from"), 0o600))
	cfg.App, cfg.Modules = "app.lua", testModules()
	b, err := script.Load(context.Background(), cfg)
	if err != nil {
		return "", err
	}
	s, err := b.NewState(context.Background(), script.Options{})
	require.NoError(t, err)
	defer s.Close()
	return s.Result().String(), nil
}

func TestSearchOrder(t *testing.T) {
	shipped := fstest.MapFS{
		"both.lua":                 {Data: []byte(says("shipped"))},
		"only_shipped/init.lua":    {Data: []byte(says("shipped"))},
		"contrib/tidy/init.lua":    {Data: []byte(says("shipped"))},
		"contrib/shipped/init.lua": {Data: []byte(says("shipped"))},
		"apps/sync/init.lua":       {Data: []byte(says("shipped"))},
	}
	write(t, map[string]string{
		"beside.lua":                 says("app"),
		"both.lua":                   says("app"),
		"sub/deep.lua":               says("app"),
		"sub/init.lua":               says("app"),
		"contrib/tidy/init.lua":      says("app"),
		"user/both.lua":              says("user"),
		"user/theirs.lua":            says("user"),
		"user/contrib/tidy/init.lua": says("user"),
		"user/contrib/mine.lua":      says("user"),
		"user/contrib/two/init.lua":  "return { from = require('imapfw.contrib.two.part').from }",
		"user/contrib/two/part.lua":  says("user part"),
		"contrib/two/part.lua":       says("app part"),
		"user/apps/sync/init.lua":    says("user"),
	})
	cfg := script.Config{User: "user", Embedded: shipped}
	for module, want := range map[string]string{
		"beside": "app", "both": "app", "sub": "app", "sub.deep": "app", "theirs": "user", "only_shipped": "shipped",
		"imapfw.contrib.tidy": "app", "imapfw.contrib.mine": "user", "imapfw.contrib.shipped": "shipped",
		"imapfw.contrib.two": "user part", // a script's files all come from one place
		"imapfw.apps.sync":   "user",
	} {
		got, err := from(t, module, cfg)
		require.NoError(t, err, module)
		require.Equal(t, want, got, module)
	}
	for module, want := range map[string]string{
		"nothing":                  `app.lua:1: module "nothing" not found (looked for nothing.lua, nothing/init.lua, user/nothing.lua, user/nothing/init.lua, imapfw/nothing.lua, imapfw/nothing/init.lua)`,
		"contrib.tidy":             `app.lua:1: module "contrib.tidy" not found (write require "imapfw.contrib.tidy")`,
		"imapfw.contrib.nothing":   `app.lua:1: there is no contrib script "nothing" (imapfw contrib list shows what is installed)`,
		"imapfw.contrib.tidy.part": `app.lua:1: module "imapfw.contrib.tidy.part" not found (looked for contrib/tidy/part.lua, contrib/tidy/part/init.lua)`,
		"../secret":                `app.lua:1: "../secret" is not the name of a module (write require "folder.name" for folder/name.lua)`,
		"/etc/passwd":              `app.lua:1: "/etc/passwd" is not the name of a module (write require "folder.name" for folder/name.lua)`,
		"a..b":                     `app.lua:1: "a..b" is not the name of a module (write require "folder.name" for folder/name.lua)`,
		"":                         `app.lua:1: "" is not the name of a module (write require "folder.name" for folder/name.lua)`,
		"imapfw.apy":               `app.lua:1: there is no module "imapfw.apy" (did you mean "imapfw.api"?)`,
		"app":                      `app.lua:1: module "app" is being loaded already: app -> app (modules cannot require each other in a circle)`,
	} {
		_, err := from(t, module, cfg)
		assert.EqualError(t, err, want)
	}
}

// Nobody can put something else in the place of the api: not the app, not the
// user's folder, not a file that looks like it.
func TestHostModulesCannotBeShadowed(t *testing.T) {
	write(t, map[string]string{
		"imapfw/api.lua": says("app"), "imapfw/api/init.lua": says("app"), "imapfw/core/engine.lua": says("app"),
		"imapfw/core/other.lua": says("app"), "imapfw.lua": says("app"), "imapfw/contrib/x.lua": says("app"),
		"user/imapfw/api.lua": says("user"),
	})
	cfg := script.Config{User: "user"}
	for module, want := range map[string]string{
		"imapfw.api":         "",
		"imapfw.core.engine": "",
		"imapfw.core.other":  `app.lua:1: there is no module "imapfw.core.other" (did you mean "imapfw.core.engine"?)`,
		"imapfw":             `app.lua:1: there is no module "imapfw"`,
		"imapfw.contrib.x":   `app.lua:1: there is no contrib script "x" (imapfw contrib list shows what is installed)`,
	} {
		got, err := from(t, module, cfg)
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, "nil", got)
		} else {
			require.EqualError(t, err, want)
		}
	}
	_, err := load(t, `local api = require "imapfw.api" require("imapfw.core.engine").x = 1`)
	require.EqualError(t, err, "app.lua:1: imapfw.core.engine.x: core.engine is read-only (subclass it, or keep your own table)")
}

// What was not loaded when the app was read cannot be loaded later: a file
// edited meanwhile cannot make two workers differ.
func TestBundlesAreFrozen(t *testing.T) {
	write(t, map[string]string{
		"app.lua":    "local beside = require 'beside'\nreturn function(name)\n  if name then return require(name) end\n  return beside.from, require('beside') == beside\nend",
		"beside.lua": says("first"), "late.lua": says("late"),
	})
	b, err := script.Load(context.Background(), script.Config{App: "app.lua"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("beside.lua", []byte(says("edited")), 0o600))
	require.NoError(t, os.Remove("app.lua"))
	s, err := b.NewState(context.Background(), script.Options{})
	require.NoError(t, err)
	defer s.Close()
	got, err := call(t, s)
	require.NoError(t, err)
	require.Equal(t, "first true", got)
	_, err = call(t, s, lua.LString("late"))
	require.EqualError(t, err, `app.lua:3: module "late" was not loaded when the app was read (require it at the top level of the file)`)
	require.ErrorIs(t, err, fault.Config)
}

func TestAppsAreFilesOrFolders(t *testing.T) {
	write(t, map[string]string{
		"one/init.lua": "return require('part').from", "one/part.lua": says("one"),
		"file.lua": "return 1", "empty/x.lua": "",
	})
	for app, want := range map[string][2]string{
		"one": {"one", "one/init.lua"}, "./one/": {"one", "one/init.lua"}, "one/init.lua": {"one", "one/init.lua"},
		"file.lua": {"file", "file.lua"}, "./file.lua": {"file", "file.lua"},
	} {
		b, err := script.Load(context.Background(), script.Config{App: app})
		require.NoError(t, err, app)
		require.Equal(t, want, [2]string{b.App(), b.File()}, app)
	}
	for app, want := range map[string]string{
		"gone.lua": "open app gone.lua: no such file",
		"empty":    "open app empty: the folder has no init.lua",
	} {
		_, err := script.Load(context.Background(), script.Config{App: app})
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, fault.NotFound)
	}
	t.Chdir("one")
	b, err := script.Load(context.Background(), script.Config{App: "init.lua"})
	require.NoError(t, err)
	require.Equal(t, "one", b.App())

	embedded := fstest.MapFS{"apps/sync/init.lua": {Data: []byte("return require('part').from")}, "apps/sync/part.lua": {Data: []byte(says("embedded"))}}
	app, fsys, ok := script.FindApp("", embedded, "sync")
	require.True(t, ok)
	b, err = script.Load(context.Background(), script.Config{App: app, AppFS: fsys})
	require.NoError(t, err)
	require.Equal(t, "sync", b.App())
}

func TestFindApp(t *testing.T) {
	write(t, map[string]string{"user/apps/mine.lua": "", "user/apps/both/init.lua": ""})
	embedded := fstest.MapFS{"apps/both.lua": {}, "apps/theirs/init.lua": {}}
	for name, want := range map[string]string{"mine": "user/apps/mine.lua", "both": "user/apps/both/init.lua", "theirs": "apps/theirs/init.lua", "none": "", "../x": "", "a.b": ""} {
		app, fsys, ok := script.FindApp("user", embedded, name)
		require.Equal(t, want != "", ok, name)
		require.Equal(t, want, app)
		require.Equal(t, name == "theirs", fsys != nil)
	}
}

func TestModulesInACircle(t *testing.T) {
	write(t, map[string]string{"app.lua": "require 'a'", "a.lua": "return require 'b'", "b.lua": "return\n require 'a'"})
	_, err := script.Load(context.Background(), script.Config{App: "app.lua"})
	require.EqualError(t, err, `b.lua:2: module "a" is being loaded already: a -> b -> a (modules cannot require each other in a circle)`)
}

func TestErrorsInModules(t *testing.T) {
	write(t, map[string]string{
		"app.lua": "local ok, err = pcall(require, 'bad')\nrequire 'syntax'", "bad.lua": "local x\nreturn x.y",
		"syntax.lua": "return {\n a = 1\n b = 2 }",
	})
	_, err := script.Load(context.Background(), script.Config{App: "app.lua"})
	require.EqualError(t, err, `syntax.lua:3: syntax error near "b"`)
	write(t, map[string]string{"app.lua": "require 'bad'", "bad.lua": "local x\nreturn x.y"})
	_, err = script.Load(context.Background(), script.Config{App: "app.lua"})
	require.EqualError(t, err, `bad.lua:2: "x" is nil, it has no field "y"`)
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Trace, "app.lua:1:")
}

// The bundle goes to child processes: there it is the same, without any file.
func TestBundlesTravel(t *testing.T) {
	write(t, map[string]string{
		"app.lua":               `local api = require "imapfw.api" local l = api.lines("list.txt") return api.account { name = "a", list = l, n = require("imapfw.contrib.tidy").n }`,
		"list.txt":              "one\ntwo\n",
		"contrib/tidy/init.lua": `return { n = 4 }`,
	})
	b, err := script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules(), Grants: map[string][]string{"tidy": {"exec"}}})
	require.NoError(t, err)
	encoded := b.Encode()
	t.Chdir(t.TempDir())
	child, err := script.Decode(encoded, testModules())
	require.NoError(t, err)
	require.Equal(t, b.Definitions(), child.Definitions())
	require.Equal(t, b.Sources(), child.Sources())
	s, err := child.NewState(context.Background(), script.Options{Worker: "near"})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, b.Definitions(), s.Definitions())
	require.Equal(t, encoded, child.Encode())

	for _, bad := range []wire.Value{nil, "x", wire.Map{}, wire.Map{"version": int64(9)}, wire.Map{"version": int64(1)}, wire.Map{"version": int64(1), "sources": wire.List{wire.Map{"code": "x ="}}}} {
		_, err := script.Decode(bad, nil)
		require.Error(t, err)
	}
}

// Eight states of one process share the prototypes; run with -race.
func TestStatesShareABundle(t *testing.T) {
	b, err := load(t, definitions)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				s, err := b.NewState(context.Background(), script.Options{Worker: "near"})
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
					i, err := s.Instantiate(L, "app:Mine", &core{}, nil)
					if err != nil {
						return err
					}
					_, err = i.Call(L, "stop", 0)
					return err
				}))
				s.Close()
			}
		})
	}
	wg.Wait()
}

func TestReadFile(t *testing.T) {
	write(t, map[string]string{"sub/app.lua": `local api = require "imapfw.api"
local l = api.lines "list.txt"
return function(name) return name and api.lines(name) or l end`, "sub/list.txt": "a\nb\n", "sub/dir/x": ""})
	b, err := script.Load(context.Background(), script.Config{App: "sub/app.lua", Modules: testModules()})
	require.NoError(t, err)
	require.NoError(t, os.Remove("sub/list.txt"))
	s, err := b.NewState(context.Background(), script.Options{})
	require.NoError(t, err)
	defer s.Close()
	got, err := call(t, s)
	require.NoError(t, err)
	require.Equal(t, "a\nb\n", got)
	_, err = call(t, s, lua.LString("list.txt"))
	require.EqualError(t, err, "sub/app.lua:3: api.lines belongs at the top level of the file (workers find only what is defined there)")

	for name, want := range map[string]string{"gone.txt": "api.lines: stat gone.txt: no such file or directory", "dir": "api.lines: dir is not a file"} {
		_, err := load(t, `require("imapfw.api").lines "`+name+`"`)
		if name == "dir" {
			require.NoError(t, os.Mkdir("dir", 0o700))
			_, err = script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules()})
		}
		require.EqualError(t, err, "app.lua:1: "+want)
	}
}

func TestPowers(t *testing.T) {
	const module = "local api = require 'imapfw.api'\nlocal M = {}\nfunction M.run()\n  return api.run()\nend\nfunction M.env() return os.getenv 'HOME' end\nreturn M"
	shipped := fstest.MapFS{
		"contrib/shipped/init.lua":    {Data: []byte(module)},
		"contrib/shipped/contrib.lua": {Data: []byte(`return { name = "shipped", version = "1", needs = { "exec" } }`)},
	}
	write(t, map[string]string{"contrib/spam/init.lua": module, "beside.lua": module})
	for _, c := range []struct {
		module, method string
		grants         []string
		want           string
	}{
		{"imapfw.contrib.spam", "run", nil, `contrib/spam/init.lua:4: api.run: needs capability "exec" (not granted: "exec" is not among the needs in its contrib.lua)`},
		{"imapfw.contrib.spam", "run", []string{"exec"}, ""},
		{"imapfw.contrib.spam", "env", []string{"exec"}, `contrib/spam/init.lua:6: os.getenv: needs capability "env" (not granted: "env" is not among the needs in its contrib.lua)`},
		{"imapfw.contrib.shipped", "run", nil, ""},
		{"imapfw.contrib.shipped", "env", nil, `contrib/shipped/init.lua:6: os.getenv: needs capability "env" (not granted: "env" is not among the needs in its contrib.lua)`},
		{"beside", "run", nil, ""},
	} {
		require.NoError(t, os.WriteFile("app.lua", []byte("local m = require '"+c.module+"' return function() return m."+c.method+"() end"), 0o600))
		b, err := script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules(), Embedded: shipped, Grants: map[string][]string{"spam": c.grants}})
		require.NoError(t, err)
		s, err := b.NewState(context.Background(), script.Options{Getenv: func(string) (string, bool) { return "x", true }})
		require.NoError(t, err)
		_, err = call(t, s)
		s.Close()
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, fault.Permission)
		}
	}
}

func TestImapfilterMode(t *testing.T) {
	write(t, map[string]string{
		"config.lua": `
package.path = package.path .. ";./lib/?.lua"
local helper = require "modules/helper"
local other = require "other"
total = helper.n + other.n            -- globals are free
function string.mine() return 1 end   -- and the libraries are the script's own
result = total + os.time() * 0 + string.mine()
if undefined_variable == nil then print(result) end`,
		"modules/helper.lua": "return { n = 1 }", "lib/other.lua": "return { n = 2 }",
	})
	b, err := script.Load(context.Background(), script.Config{App: "config.lua", Compat: true})
	require.NoError(t, err)
	var printed []string
	s, err := b.NewState(context.Background(), script.Options{
		Print: func(line string) { printed = append(printed, line) },
		Extend: func(_ *script.State, L *lua.LState) {
			pkg := L.NewTable()
			pkg.RawSetString("path", lua.LString("./?.lua"))
			L.G.Global.RawSetString("package", pkg)
		},
	})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, []string{"4"}, printed)
}
