package options_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

var tls = &options.Table{
	Name: "tls", Class: "imapfw.TlsOptions",
	Options: []options.Option{
		{Name: "mode", Type: options.Enum("implicit", "starttls", "none"), Default: "implicit", Help: "how to encrypt"},
		{Name: "ca_file", Type: options.Text()},
	},
}

var imap = &options.Table{
	Name: "api.imap", Class: "imapfw.ImapOptions", Returns: "imapfw.Store", Doc: "An IMAP server.",
	Options: []options.Option{
		{Name: "host", Type: options.Text(), Required: true, Help: "name of the server"},
		{Name: "user", Type: options.Text(), Required: true},
		{Name: "port", Type: options.Int(1, 65535), DefaultText: "993, or 143"},
		{Name: "password", Type: options.String(), Secret: true},
		{Name: "password_command", Type: options.Text()},
		{Name: "tls", Type: options.AnyOf(options.Enum("implicit", "starttls", "none"), options.Sub(tls)), Default: "implicit"},
		{Name: "timeout", Type: options.Age(), Default: 30 * time.Second},
		{Name: "max_append", Type: options.Size()},
		{Name: "auth", Type: options.ListOf(options.Text())},
		{Name: "compress", Type: options.AnyOf(options.Bool(), options.Enum("auto")), Default: "auto"},
	},
	Check: func(m wire.Map) []error {
		if m["password"] != nil && m["password_command"] != nil {
			return []error{options.Problem("password_command", errors.New("give either password or password_command"))}
		}
		return nil
	},
}

var account = &options.Table{
	Name: "api.account", Class: "imapfw.AccountOptions", Returns: "imapfw.Account",
	Options: []options.Option{
		{Name: "name", Type: options.Text(), Position: 1},
		{Name: "far", Required: true, Type: options.Object("a store", "imapfw.Store", func(v any) bool {
			d, ok := v.(*script.Def)
			return ok && d.Kind == "imap"
		})},
		{Name: "pull", Type: options.AnyOf(options.Enum("all", "none"), options.ListOf(options.Enum("new", "flags"))), Default: "all"},
		{Name: "flags", Type: options.MapOf(options.Enum("merge", "far"))},
		{Name: "folders", Type: options.AnyOf(options.ListOf(options.Text()), options.Func("fun(folder: imapfw.Folder): boolean"))},
		{Name: "share", Type: options.Number(0, 1)},
		{Name: "extra", Type: options.Any()},
	},
}

// api is a module with the two constructors; got receives what they read.
func api(got *[]wire.Map) script.Module {
	return script.Module{Name: "imapfw.api", Open: func(s *script.State, L *lua.LState) lua.LValue {
		t := L.NewTable()
		for _, kind := range []string{"account", "imap"} {
			table := map[string]*options.Table{"imap": imap, "account": account}[kind]
			t.RawSetString(kind, L.NewFunction(table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
				if got != nil {
					*got = append(*got, m)
				}
				d := script.NewDef(L, kind, m)
				d.Root = kind == "account"
				return d.Value()
			})))
		}
		return t
	}}
}

// load runs an app and returns what the constructors got.
func load(t testing.TB, text string) ([]wire.Map, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("work.lua", []byte(text), 0o600))
	var got []wire.Map
	_, err := script.Load(context.Background(), script.Config{App: "work.lua", Modules: []script.Module{api(&got)}})
	return got, err
}

const header = "local api = require 'imapfw.api'\n"

func TestReadsEveryType(t *testing.T) {
	got, err := load(t, header+`
return api.account { "work",
  far = api.imap { host = "h", user = "u", port = 143, tls = { ca_file = "x" }, timeout = "2h", max_append = "20M",
    auth = { "PLAIN", "LOGIN" }, compress = true },
  pull = { "new" }, flags = { Work = "far" }, folders = function(f) return true end, share = 0.5, extra = { a = { 1, 2 } },
}`)
	require.NoError(t, err)
	require.Equal(t, wire.Map{
		"host": "h", "user": "u", "port": int64(143), "tls": wire.Map{"mode": "implicit", "ca_file": "x"},
		"timeout": 2 * time.Hour, "max_append": int64(20 << 20), "auth": []any{"PLAIN", "LOGIN"}, "compress": true,
	}, got[0])
	work := got[1]
	require.Equal(t, "work", work["name"])
	require.Equal(t, []any{"new"}, work["pull"])
	require.Equal(t, map[string]any{"Work": "far"}, work["flags"])
	require.Equal(t, 0.5, work["share"])
	require.Equal(t, wire.Map{"a": []any{int64(1), int64(2)}}, work["extra"])
	require.Equal(t, "account work/folders", work["folders"].(*script.Func).ID())
	require.Equal(t, "imap", work["far"].(*script.Def).Kind)
}

func TestDefaults(t *testing.T) {
	got, err := load(t, header+`return api.imap { host = "h", user = "u" }`)
	require.NoError(t, err)
	require.Equal(t, wire.Map{"host": "h", "user": "u", "tls": "implicit", "timeout": 30 * time.Second, "compress": "auto"}, got[0])
}

// The messages are the ones users see; each is at the line of its key.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown": {`
api.imap {
  host = "h", user = "u",
  passwordcommand = "pass",
}`, `work.lua:5: api.imap: unknown option "passwordcommand" (did you mean "password_command"?)`},
		"returned call": {`
return api.imap { host = "h",
  user = "u",
  prt = 1 }`, `work.lua:5: api.imap: unknown option "prt" (did you mean "port"?)`},
		"type":          {`api.imap { host = "h", user = 12 }`, `work.lua:2: api.imap: user must be a string of one line, not empty, got 12`},
		"range":         {`api.imap { host = "h", user = "u", port = 70000 }`, `work.lua:2: api.imap: port must be a whole number from 1 to 65535, got 70000`},
		"enum":          {`api.account { far = 1, pull = "al" }`, "work.lua:2: api.account: far must be a store, got 1\nwork.lua:2: api.account: pull must be \"all\", \"none\" or a list of values, each \"new\" or \"flags\", got \"al\""},
		"missing":       {`api.imap { host = "h" }`, `work.lua:2: api.imap: "user" is missing`},
		"no table":      {`api.imap()`, `work.lua:2: api.imap: expected a table of options, got nothing`},
		"string":        {`api.imap "x"`, `work.lua:2: api.imap: expected a table of options, got string`},
		"class":         {`api.imap(api)`, "work.lua:2: api.imap: unknown option \"account\"\nwork.lua:2: api.imap: unknown option \"imap\"\nwork.lua:2: api.imap: \"host\" is missing\nwork.lua:2: api.imap: \"user\" is missing"},
		"two arguments": {`api.imap({}, 2)`, `work.lua:2: bad argument #2 to 'imap': api.imap takes one table`},
		"nested": {`api.imap { host = "h", user = "u",
  tls = {
    mode = "implict",
    cafile = "x",
  } }`, "work.lua:4: api.imap: tls.mode must be \"implicit\", \"starttls\" or \"none\", got \"implict\" (did you mean \"implicit\"?)\nwork.lua:5: api.imap: unknown option \"cafile\" in tls (did you mean \"ca_file\"?)"},
		"list item":       {"api.imap { host = 'h', user = 'u', auth = {\n 'A',\n 3 } }", `work.lua:4: api.imap: auth[2] must be a string of one line, not empty, got 3`},
		"list with names": {`api.imap { host = 'h', user = 'u', auth = { 'A', b = 1 } }`, `work.lua:2: api.imap: auth must be a list, without the key "b"`},
		"age":             {`api.imap { host = 'h', user = 'u', timeout = 30 }`, `work.lua:2: api.imap: timeout must be an age such as "30d", got 30`},
		"size":            {`api.imap { host = 'h', user = 'u', max_append = "20X" }`, `work.lua:2: api.imap: max_append must be a size such as "20M", got "20X"`},
		"position":        {`api.account { "a", "b", far = 1 }`, "work.lua:2: api.account: unexpected value at position 2: options have names\nwork.lua:2: api.account: far must be a store, got 1"},
		"twice":           {`api.account { "a", name = "b", far = api.imap { host = "h", user = "u" } }`, `work.lua:2: api.account: "name" is given twice: by name and by position`},
		"whole table":     {`api.imap { host = 'h', user = 'u',` + "\n" + `password = "x", password_command = "y" }`, `work.lua:3: api.imap: give either password or password_command`},
		"alternatives":    {`api.imap { host = 'h', user = 'u', compress = "yes" }`, `work.lua:2: api.imap: compress must be true, false or "auto", got "yes"`},
		"elsewhere":       {"local o = {\n hst = 'h', user = 'u' }\napi.imap(o)", "work.lua:4: api.imap: unknown option \"hst\" (did you mean \"host\"?)\nwork.lua:4: api.imap: \"host\" is missing"},
		"function inside": {"api.account { far = api.imap { host = 'h', user = 'u' }, extra = { f = print } }", `work.lua:2: api.account: extra: a function is not plain data (at f)`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, header+strings.TrimPrefix(c.text, "\n"))
			if strings.HasPrefix(c.text, "\n") {
				_, err = load(t, header+c.text)
			}
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, code(c.want))
		})
	}
}

func code(want string) fault.Code {
	if strings.Contains(want, "bad argument") {
		return fault.Script
	}
	return fault.Config
}

func TestDetailShowsTheSourceAndTheOptions(t *testing.T) {
	_, err := load(t, `local api = require "imapfw.api"
return api.imap {
  host = "imap.example.org",
  password = "hunter2",
  passwordcommand = "pass show work",
  user = "me",
}`)
	require.Equal(t, `    3 |   host = "imap.example.org",
    4 |   password = "..."
>   5 |   passwordcommand = "pass show work",
  options of api.imap: host user port password password_command tls timeout max_append auth compress  (imapfw help api.imap)`,
		strings.ReplaceAll(script.Detail(err), `"...",`, `"..."`))
	require.NotContains(t, script.Detail(err), "hunter2")
}

// A misspelt password must not be printed either.
func TestMisspeltSecretsAreNotShown(t *testing.T) {
	for _, line := range []string{`pasword = "hunter2"`, `passwd = 'hunter2'`, `password = { "hunter2" }`, `Password="hunter2"`, `pwd = "hunter2"`, `my_token = "hunter2"`} {
		_, err := load(t, header+"api.imap { host = 'h', user = 'u', "+line+" }")
		require.Error(t, err)
		if !strings.Contains(line, "{") {
			require.NotContains(t, err.Error()+script.Detail(err), "hunter2", line)
		}
	}
}

func TestMistakesOfSeveralTablesAreShownTogether(t *testing.T) {
	got, err := load(t, header+`
local far = api.imap { hots = "h", user = "u", host = "x" }
local other = api.imap { host = "h", user = "u", port = "x" }
return api.account { far = far, pul = "all" }`)
	require.EqualError(t, err, `work.lua:3: api.imap: unknown option "hots" (did you mean "host"?)
work.lua:4: api.imap: port must be a whole number from 1 to 65535, got "x"
work.lua:5: api.account: unknown option "pul" (did you mean "pull"?)`)
	require.Empty(t, got)
	var all script.Mistakes
	require.ErrorAs(t, err, &all)
	require.Len(t, all, 3)
}

// What stands in for a table with mistakes causes no further ones.
func TestStandInIsQuiet(t *testing.T) {
	_, err := load(t, header+`
local far = api.imap { hots = "h", user = "u", host = "x" }
local x = -(far + far * far.field) .. "text"
far.main = function() end
return api.account { far = far("x"), extra = far }`)
	require.EqualError(t, err, `work.lua:3: api.imap: unknown option "hots" (did you mean "host"?)`)
}

func TestMistakesInMainRaiseAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("work.lua", []byte(header+`
return function()
  local ok, err = pcall(api.imap, { hots = "h" })
  api.account { far = 1,
    folders = function() end }
end`), 0o600))
	b, err := script.Load(context.Background(), script.Config{App: "work.lua", Modules: []script.Module{api(nil)}})
	require.NoError(t, err)
	s, err := b.NewState(context.Background(), script.Options{Phase: script.Main})
	require.NoError(t, err)
	defer s.Close()
	err = s.Do(context.Background(), func(L *lua.LState) error {
		_, err := s.Call(L, s.Result(), 0)
		return err
	})
	require.EqualError(t, err, "work.lua:5: api.account: far must be a store, got 1\n"+
		"work.lua:6: api.account: a worker cannot find a function made in main (define it at the top level, in an option of an account or a method of a class)")
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "200k": 200 << 10, "20M": 20 << 20, "1G": 1 << 30, "1.5M": 3 << 19, "10 MiB": 10 << 20, "7b": 7, "": -1, "M": -1, "-1k": -1, "1e3": -1, "9999999999G": -1, "x": -1, "NaN": -1} {
		got, err := options.ParseSize(text)
		if want < 0 {
			require.Error(t, err, text)
		} else {
			require.NoError(t, err, text)
			require.Equal(t, want, got, text)
		}
	}
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "15m": 15 * time.Minute, "2h": 2 * time.Hour, "30d": 30 * day, "8w": 56 * day, "2y": 730 * day, "": -1, "d": -1, "-1d": -1, "30": -1, "1.5h": -1, "999999y": -1, "5x": -1} {
		got, err := options.ParseAge(text)
		if want < 0 {
			require.Error(t, err, text)
		} else {
			require.NoError(t, err, text)
			require.Equal(t, want, got, text)
		}
	}
}

func TestDocuments(t *testing.T) {
	require.Equal(t, `api.imap { ... }

An IMAP server.

Options:
  host              string, required
                      name of the server
  user              string, required
  port              number, default 993, or 143
  password          string
  password_command  string
  tls               "implicit" "starttls" "none" or table, default "implicit"
  timeout           age, default "30s"
  max_append        size
  auth              list of string
  compress          boolean or "auto", default "auto"

tls { ... }

Options:
  mode     "implicit" "starttls" "none", default "implicit"
             how to encrypt
  ca_file  string
`, imap.Help())
	require.Contains(t, imap.Markdown(), "| `timeout` | age, default \"30s\" |  |\n")
	require.Contains(t, imap.Markdown(), "### `tls{}`")
	stub := account.Stub()
	for _, line := range []string{
		"---@class imapfw.AccountOptions",
		"---@field [1]? string same as name",
		"---@field far imapfw.Store ",
		`---@field pull? "all"|"none"|("new"|"flags")[] default "all"`,
		"---@field folders? string[]|fun(folder: imapfw.Folder): boolean ",
		"---@return imapfw.Account\nfunction api.account(options) end",
	} {
		require.Contains(t, stub, line+"\n")
	}
	require.Contains(t, imap.Stub(), "---@class imapfw.TlsOptions\n")
}

// FuzzRead gives odd tables to a constructor: whatever they hold, it reads them
// or tells every mistake with the file's name, and never panics.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{ host = "h", user = "u" }`, `{ 1, 2, [true] = 3 }`, `{ tls = { mode = {} } }`, `setmetatable({}, {})`, `{ auth = { [2] = "x" } }`, `{ host = api }`} {
		f.Add(s)
	}
	dir := f.TempDir()
	file := filepath.Join(dir, "work.lua")
	f.Fuzz(func(t *testing.T, table string) {
		require.NoError(t, os.WriteFile(file, []byte(header+"return api.imap("+table+")"), 0o600))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := script.Load(ctx, script.Config{App: file, Modules: []script.Module{api(nil)}, State: script.Options{Steps: 100_000}})
		if err != nil {
			require.NotErrorIs(t, err, fault.Crashed, "%s", table)
			require.NotErrorIs(t, err, fault.Internal, "%s", table)
			require.True(t, strings.HasPrefix(err.Error(), file), "%s: %v", table, err)
		}
	})
}

func TestIntWithoutLimit(t *testing.T) {
	require.Contains(t, (&options.Table{Name: "x", Options: []options.Option{{Name: "n", Type: options.Int(0, math.MaxInt64)}}}).Help(), "number")
}
