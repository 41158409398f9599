package luaapi_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/luaapi"
)

// Every mistake is told at its line, with what would be right.
func TestMistakes(t *testing.T) {
	account := func(far, more string) string {
		return "local api = require \"imapfw.api\"\nreturn api.account {\n  far = " + far + ",\n  near = api.maildir { path = \"~/Mail\" },\n  " + more + "\n}"
	}
	imap := func(options string) string {
		return account("api.imap { host = \"h\", user = \"u\", "+options+" }", "")
	}
	maildir := func(options string) string { return account("api.maildir { path = \"m\", "+options+" }", "") }
	memory := func(more string) string { return account("api.memory { name = \"m\" }", more) }
	top := func(line string) string { return "local api = require \"imapfw.api\"\n" + line }
	main := func(line string) string {
		return "local api = require \"imapfw.api\"\nlocal app = api.app {}\nfunction app.main(ctx)\n" + line + "\nend\nreturn app"
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown option", imap(`passwordcommand = "p"`), []string{":3: api.imap: unknown option", "did you mean", "password_command"}},
		{"two secrets", imap(`password = "p", password_command = "p"`), []string{":3:", "keep one of them"}},
		{"no secret", imap(``), []string{":3:", "no password"}},
		{"in the clear", imap(`password_command = "p", tls = "none"`), []string{":3:", "insecure = true"}},
		{"bad port", imap(`password_command = "p", port = 70000`), []string{":3:", "port", "65535"}},
		{"bad tls", imap(`password_command = "p", tls = { mode = "implicit", cert = "c" }`), []string{":3:", "cert and key"}},
		{"bad fingerprint", imap(`password_command = "p", tls = { fingerprint = "12:34" }`), []string{":3:", "64 hexadecimal digits"}},
		{"bad auth", imap(`password_command = "p", auth = { "CRAM" }`), []string{":3:", "PLAIN"}},
		{"missing far", top("return api.account { near = api.memory {} }"), []string{":2:", `"far" is missing`}},
		{"later option", memory(`rules = {}`), []string{":5:", `unknown option "rules"`}},
		{"bad name", memory(`name = "a/b"`), []string{":5:", `"a/b" cannot be a name`}},
		{"only excludes", memory(`folders = { "!Junk" }`), []string{":5:", "only exclude"}},
		{"bad side", memory(`create = "left"`), []string{":5:", `"none", "far", "near" or "both"`}},
		{"bad operation", memory(`pull = { "moves" }`), []string{":5:", "delete"}},
		{"a removal among flags", memory(`flags = { ["\\Deleted"] = "far" }`), []string{":5:", "is a removal"}},
		{"a flag that is not carried", memory(`flags = { ["\\Recent"] = "far" }`), []string{":5:", "no flag that is carried"}},
		{"a bad rule", memory(`flags = { work = "newest" }`), []string{":5:", "union"}},
		{"one flag twice", memory(`flags = { work = "far", Work = "near" }`), []string{":5:", "the same flag"}},
		{"a separator that names use", maildir(`info_separator = "="`), []string{":3:", "file names do not use"}},
		{"a letter that is none", maildir(`keywords = { A = "work" }`), []string{":3:", `"A" is no letter`}},
		{"a keyword with two letters", maildir(`keywords = { a = "work", b = "Work" }`), []string{":3:", "two letters, a and b"}},
		{"a flag for a letter", maildir(`keywords = { a = "\\Seen" }`), []string{":3:", "its own letter"}},
		{"bad predicate", memory(`messages = "seen"`), []string{":5:", "a predicate"}},
		{"two names meet", memory(`rename = { api.rename.map { a = "x", b = "x" } }`), []string{":5:", "same name"}},
		{"bad pattern", memory(`messages = api.match.subject(api.re "(a")`), []string{":5:", "missing closing )", "^"}},
		{"empty text", memory(`messages = api.match.subject ""`), []string{":5:", "an empty text"}},
		{"bad age", memory(`messages = api.match.older "3 fortnights"`), []string{":5:", "not an age"}},
		{"bad size", memory(`messages = api.match.larger "big"`), []string{":5:", "not a size"}},
		{"bad date", memory(`messages = api.match.sent_before "yesterday"`), []string{":5:", "no date"}},
		{"misspelt variable", memory(`name = nmae`), []string{":5:", `undefined variable "nmae"`}},
		{"misspelt function", memory(`messages = api.match.form "x"`), []string{":5:", "form"}},
		{"two accounts", top(`local function a() return api.account { name = "x", far = api.memory { name = "f" }, near = api.memory { name = "n" } } end
return api.app { accounts = { a(), a() } }`), []string{":3:", `two accounts are called "x"`}},
		{"a group of nobody", top(`return api.app { groups = { g = { "who" } }, main = function() end }`), []string{":2:", `"who", which is not there`}},
		{"nothing to run", top(`return api.app {}`), []string{"neither accounts nor a main function"}},
		{"no app", top(`return 7`), []string{"returns number, no app", "end the file with"}},
		{"a manager at the top", top(`api.RepositoryManager { name = "far", endpoint = api.MemoryEndpoint {} }`), []string{":2:", "api.RepositoryManager cannot be used at the top level", "main(ctx)"}},
		{"the clock at the top", top(`local now = os.time()`), []string{":2:", "os.time"}},
		{"chance at the top", top(`local n = math.random()`), []string{":2:", "math.random"}},
		{"writing to the api", top(`api.imap = nil`), []string{":2:", "read-only"}},
		{"changing a class", top(`function api.SyncEngine:on_plan() end`), []string{":2:", "subclass it"}},
		{"extend in main", main(`api.Controller:extend "Late"`), []string{":4:", "top level"}},
		{"a function for init", main(`api.Controller { fn = function() end }`), []string{":4:", "a function is not plain data"}},
		{"an account in main", main(`api.account {}`), []string{":4:", "top level"}},
		{"a mistake in main", main(`api.RepositoryManager { name = "x", endpoint = 7 }`), []string{":4:", "endpoint"}},
		{"two of one name", main(`local function r() return api.RepositoryManager { name = "x", endpoint = api.MemoryEndpoint {} } end r() r()`), []string{":4:", `named "x" already`}},
		{"two on one Maildir", main(`local function r(n) return api.RepositoryManager { name = n, endpoint = api.MaildirEndpoint { path = "~/M" } } end r "a" r "b"`), []string{":4:", "cannot both use"}},
		{"another kind of class", main(`api.RepositoryManager { name = "x", class = api.ImapRepository, endpoint = api.MemoryEndpoint {} }`), []string{":4:", "api.MemoryRepository"}},
		{"no controller", main(`api.RepositoryManager { name = "x", endpoint = api.MemoryEndpoint {}, controllers = { api.Worker {} } }`), []string{":4:", "no controller"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "app.lua", c.text)
			result, err := a.run()
			if err == nil {
				err = result.Err
			}
			require.Error(t, err)
			for _, part := range c.want {
				require.Contains(t, err.Error(), part)
			}
			if strings.HasPrefix(c.want[0], ":") {
				require.Contains(t, err.Error(), "app.lua:")
			}
			require.Equal(t, luaapi.ExitUsage, result.ExitCode)
		})
	}
}

// Several mistakes are told together.
func TestMistakesTogether(t *testing.T) {
	a := newApp(t, "app.lua", `local api = require "imapfw.api"
return api.account {
  far = api.imap { hots = "h", user = "u", password = "hunter2" },
  near = api.maildir { pth = "p" },
  folder = { "*" },
}`)
	_, err := luaapi.Load(context.Background(), a.opt)
	require.Error(t, err)
	for _, want := range []string{`app.lua:3: api.imap: unknown option "hots"`, `app.lua:4: api.maildir: unknown option "pth"`, `app.lua:5: api.account: unknown option "folder"`} {
		require.Contains(t, err.Error(), want)
	}
	require.NotContains(t, err.Error(), "hunter2")
}

func TestCheckAndTopology(t *testing.T) {
	a := newApp(t, "full.lua", replace(t, "full.lua"))
	report, err := luaapi.Check(context.Background(), a.opt)
	require.NoError(t, err)
	require.True(t, report.Main)
	require.Contains(t, report.Modules, "contrib/thread_tidy/init.lua")

	graph, err := luaapi.Topology(context.Background(), a.opt)
	require.NoError(t, err)
	var names []string
	for _, n := range graph.Nodes {
		names = append(names, n.Name+" "+string(n.Kind)+" "+string(n.Backend)+" "+n.Class)
	}
	require.Equal(t, []string{
		"log logger goroutine ", "far repository goroutine full:GmailRepository", "near repository goroutine ",
		"state state inline ", "sync engine process full:CarefulEngine",
	}, names)
	require.Len(t, graph.Edges, 3)

	a = newApp(t, "three.lua", three)
	a.opt.Accounts = []string{"b"}
	graph, err = luaapi.Topology(context.Background(), a.opt)
	require.NoError(t, err)
	require.Len(t, graph.Nodes, 4)
	require.NoDirExists(t, filepath.Join(a.home, "state"), "nothing was started")

	a = newApp(t, "two.lua", `local api = require "imapfw.api"
local function account(name)
  return api.account { name = name, far = api.imap { host = "h", user = "u", password = "p" }, near = api.maildir { path = "~/Mail" } }
end
return api.app { accounts = { account "a", account "b" } }`)
	_, err = luaapi.Check(context.Background(), a.opt)
	require.ErrorContains(t, err, "cannot both use Maildir")

	a = newApp(t, "one.lua", `local api = require "imapfw.api"
return api.account { far = api.imap { host = "h", user = "u", password = "hunter2" }, near = api.maildir { path = "~/Mail" } }`)
	report, err = luaapi.Check(context.Background(), a.opt)
	require.NoError(t, err)
	require.Empty(t, report.Warnings, "nobody else can read it")
	require.NoError(t, os.Chmod(a.path, 0o644))
	report, err = luaapi.Check(context.Background(), a.opt)
	require.NoError(t, err)
	require.Len(t, report.Warnings, 1)
	require.NotContains(t, report.Warnings[0], "hunter2")
}

// An app is a folder with modules of its own, and uses what is in the user's
// folder and what is shipped.
func TestAppWithModules(t *testing.T) {
	a := newApp(t, "apps/mine/init.lua", `
local api = require "imapfw.api"
local engines = require "engines"
local tidy = require "imapfw.contrib.thread_tidy"
local stars = require "imapfw.contrib.stars"
local app = api.app { name = "mine" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", endpoint = api.MemoryEndpoint { folders = { INBOX = { "Subject: 1\n\nx\n" }, ["a/b/c"] = { "Subject: 2\n\nx\n" } } },
    controllers = { tidy.controller { depth = 2 }, stars.controller() } }
  local near = api.RepositoryManager { name = "near", endpoint = api.MaildirEndpoint { path = "~/Mail" } }
  local state = api.RepositoryManager { name = "state", endpoint = api.StateEndpoint { path = "~/state" } }
  ctx:start { far, near, state, api.EngineManager { name = "sync", class = engines.Polite, backend = "process", far = far, near = near, state = state } }
  return ctx:wait()
end
return app`,
		"apps/mine/engines.lua", `
local api = require "imapfw.api"
local M = {}
M.Polite = api.SyncEngine:extend "Polite"
function M.Polite:on_done(report) api.log.info("thank you: %d", report.pulled) end
return M`,
		"contrib/stars/init.lua", `
local api = require "imapfw.api"
local M = {}
local Stars = api.Controller:extend "Stars"
function Stars:fetch(folder, uids, what)
  local list = Stars.super.fetch(self, folder, uids, what)
  for _, msg in ipairs(list) do msg:add_header("X-Stars", "5") end
  return list
end
function M.controller() return Stars {} end
return M`)
	found, err := luaapi.FindApp("mine", a.opt.User)
	require.NoError(t, err)
	a.opt.App = found.Path
	a.opt.Grants = map[string][]string{"stars": {"mail.read"}}
	result, err := a.run()
	require.NoError(t, err)
	require.NotZero(t, result.ExitCode)
	require.ErrorContains(t, result.Err, `needs capability "mail.write"`, "what was not granted is refused")

	a.opt.Grants = nil
	manifest := filepath.Join(a.opt.User, "contrib/stars/contrib.lua")
	writeFile(t, manifest, `return { name = "stars", version = "1", api = 1, summary = "s", license = "MIT", needs = { "mail.read", "mail.write" } }`)
	a.done()
	require.Contains(t, a.log.String(), "thank you: 1")
	list := files(t, filepath.Join(a.home, "Mail/INBOX"))
	require.Len(t, list, 1)
	require.Equal(t, "Subject: 1\nX-Stars: 5\n\nx\n", read(t, list[0]))
	require.NoDirExists(t, filepath.Join(a.home, "Mail/a"))

	_, err = luaapi.FindApp("nobody", a.opt.User)
	require.ErrorContains(t, err, `no app "nobody"`)
	shipped, err := luaapi.FindApp("sync", a.opt.User)
	require.NoError(t, err)
	require.NotNil(t, shipped.FS)
}
