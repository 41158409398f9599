package luaapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/luaapi"
)

// custom is an app between two stores in memory, "far" and "near", with classes
// of its own and places to use them.
func custom(classes, far, near, engine string) string {
	return `
local api = require "imapfw.api"
` + classes + `
local app = api.app { name = "custom" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", endpoint = api.MemoryEndpoint {}, ` + far + ` }
  local near = api.RepositoryManager { name = "near", endpoint = api.MemoryEndpoint { like = "maildir" }, ` + near + ` }
  local state = api.RepositoryManager { name = "state", endpoint = api.StateEndpoint { path = "~/state.db" } }
  local sync = api.EngineManager { name = "sync", far = far, near = near, state = state, ` + engine + ` }
  ctx:start { far, near, state, sync }
  return ctx:wait()
end
return app
`
}

// both runs a test with the repositories in this process, and with strict
// channels, where nothing is shared.
func both(t *testing.T, fn func(t *testing.T, set func(*app))) {
	t.Run("shared", func(t *testing.T) { fn(t, func(*app) {}) })
	t.Run("strict", func(t *testing.T) { fn(t, func(a *app) { a.opt.Strict = true }) })
}

func TestHiddenFolders(t *testing.T) {
	both(t, func(t *testing.T, set func(*app)) {
		a := newApp(t, "custom.lua", custom(`
local Far = api.MemoryRepository:extend "Far"
function Far:list_folders()
  local kept = {}
  for _, f in ipairs(Far.super.list_folders(self)) do
    if not f.attrs["\\All"] and f.special_use ~= "\\Junk" then kept[#kept + 1] = f end
  end
  return kept
end`, `class = Far`, ``, ``))
		set(a)
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		for _, folder := range []string{"INBOX", "All Mail", "Spam"} {
			put(far, folder, 1, 1)
		}
		put(near, "Spam", 2, 2) // it was synced once, before it was hidden
		far.SetAttrs("All Mail", `\All`)
		far.SetAttrs("Spam", `\Junk`)
		a.done()
		require.Equal(t, map[string]int{"INBOX": 1, "Spam": 1}, counts(near))
		require.Equal(t, map[string]int{"INBOX": 1, "All Mail": 1, "Spam": 1}, counts(far), "hidden is not removed")
	})
}

func TestFetchSelects(t *testing.T) {
	both(t, func(t *testing.T, set func(*app)) {
		a := newApp(t, "custom.lua", custom(`
local Far = api.MemoryRepository:extend "Far"
function Far:init(opts)
  Far.super.init(self, opts)
  assert(opts.name == "far")
  self.calls = 0
end
function Far:fetch(folder, uids, what)
  self.calls = self.calls + 1
  assert(what == "full" and #uids > 0 and type(uids[1]) == "number")
  local kept = {}
  for _, msg in ipairs(Far.super.fetch(self, folder, uids, what)) do
    if msg.subject ~= "message 2" then
      msg:add_header("X-Seen-By", "far")
      kept[#kept + 1] = msg
    end
  end
  return kept
end
function Far:stop()
  api.log.info("fetch was called %d times", self.calls)
  Far.super.stop(self)
end`, `class = Far`, ``, ``))
		set(a)
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 3)
		a.done()
		var got []string
		for _, m := range near.Snapshot()["INBOX"] {
			got = append(got, string(m.Body))
		}
		require.Len(t, got, 2)
		for _, body := range got {
			require.NotContains(t, body, "message 2")
			require.Contains(t, body, "\nX-Seen-By: far\n\nbody")
		}
		require.Contains(t, a.log.String(), "fetch was called 1 times")
	})
}

func TestAppendFails(t *testing.T) {
	both(t, func(t *testing.T, set func(*app)) {
		a := newApp(t, "custom.lua", custom(`
local Picky = api.Controller:extend "Picky"
function Picky:append(folder, msg)
  if msg.subject == "message 1" then error "no ones" end
  if msg.subject == "message 2" then return false end
  if msg.subject == "message 3" then return nil end   -- forgot super
  assert(msg.size > 0 and msg.folder == folder and msg.from:find "ann@example.org")
  return Picky.super.append(self, folder, msg)
end`, ``, `controllers = { Picky {} }`, ``))
		set(a)
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 5)
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, luaapi.ExitPartial, result.ExitCode)
		require.Len(t, near.Snapshot()["INBOX"], 2, "the rest goes on: %v", result.Reports)
		require.Len(t, far.Snapshot()["INBOX"], 5)
		text := ""
		for _, f := range result.Reports["sync"]["failures"].(wire.List) {
			text += f.(error).Error() + "\n"
		}
		require.Contains(t, text, "no ones")
		require.Contains(t, text, "left the message out")
		require.Contains(t, text, "did not call super.append")
		require.Contains(t, text, "custom.lua:6", "the user's line")
	})
}

func TestChangesGoThroughTheClass(t *testing.T) {
	both(t, func(t *testing.T, set func(*app)) {
		a := newApp(t, "custom.lua", custom(`
local Watch = api.Controller:extend "Watch"
function Watch:store(folder, uids, op, flags)
  api.log.info("store %s %d %s %s", folder, #uids, op, table.concat(flags, ","))
  return Watch.super.store(self, folder, uids, op, flags)
end
function Watch:expunge(folder, uids)
  api.log.info("expunge %s %d", folder, #uids)
  if self.mercy then return end
  return Watch.super.expunge(self, folder, uids)
end
local Mercy = Watch:extend "Mercy"
function Mercy:init(opts)
  Mercy.super.init(self, opts)
  self.mercy = opts.mercy
end`, `controllers = { Mercy { mercy = true } }`, `controllers = { Watch {} }`, ``))
		set(a)
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 3)
		a.done()
		list := near.Snapshot()["INBOX"]
		near.Remove("INBOX", list[0].Key)
		far.SetFlags("INBOX", far.Snapshot()["INBOX"][2].Key, mail.NewFlags(`\Flagged`, "todo"))
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, luaapi.ExitPartial, result.ExitCode)
		require.Len(t, far.Snapshot()["INBOX"], 3, "the script spared it")
		require.Contains(t, a.log.String(), "expunge INBOX 1")
		require.Contains(t, a.log.String(), `store INBOX 1 add \\Flagged,todo`)
		require.True(t, near.Snapshot()["INBOX"][1].Flags.Has(mail.Flagged))
	})
}

func TestCapabilities(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local Fixed = api.MemoryRepository:extend "Fixed"
function Fixed:capabilities()
  local out = {}
  for _, name in ipairs(Fixed.super.capabilities(self)) do
    if name ~= "create_folder" then out[#out + 1] = name end
  end
  return out
end`, ``, `class = Fixed`, ``))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "INBOX", 1, 1)
	put(far, "Other", 2, 2)
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitPartial, result.ExitCode, "a folder that cannot be created is told")
	require.Equal(t, map[string]int{"INBOX": 1}, counts(near))
}

func TestCreateFolderOverridden(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local Loud = api.Controller:extend "Loud"
function Loud:create_folder(name)
  api.log.info("creating %s", name)
  Loud.super.create_folder(self, name)
end`, ``, `controllers = { Loud {} }`, ``))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "Other", 1, 1)
	a.done()
	require.Equal(t, map[string]int{"Other": 1}, counts(near))
	require.Contains(t, a.log.String(), "creating Other")
}

func TestRenameFolder(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local Mover = api.Controller:extend "Mover"
function Mover:connect()
  Mover.super.connect(self)
  self:rename_folder("Old", "New")
end
function Mover:rename_folder(name, to)
  api.log.info("renaming %s", name)
  Mover.super.rename_folder(self, name, to)
end`, `controllers = { Mover {} }`, ``, ``))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "Old", 1, 1)
	a.done()
	require.Equal(t, map[string]int{"New": 1}, counts(near))
	require.Contains(t, a.log.String(), "renaming Old")
}

func TestConnectMustCallSuper(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local Far = api.MemoryRepository:extend "Far"
function Far:connect() end`, `class = Far`, ``, ``))
	result, err := a.run()
	require.NoError(t, err)
	require.ErrorContains(t, result.Err, "did not call super.connect")
	require.Equal(t, luaapi.ExitUsage, result.ExitCode)
}

func TestContentIsReadWhenAsked(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local Far = api.MemoryRepository:extend "Far"
function Far:fetch(folder, uids, what)
  local list = Far.super.fetch(self, folder, uids, what)
  assert(#self:search(folder, api.match.subject "message 2") == 1 and #self:search(folder, api.match.all) == 2)
  assert(#self:search(folder, api.match.fn(function(msg) return msg.subject:find "message" ~= nil end)) == 2)
  for _, msg in ipairs(list) do
    assert(msg:text():find "body", msg:text())
    assert(msg:raw():find("Subject: " .. msg.subject, 1, true))
    assert(msg:header "x-none" == nil and #msg:headers "Subject" == 1 and msg.sent == nil)
    assert(api.match.body "body" (msg) and not api.match.text "nothing of it" (msg) and not api.match.has_attachment "pdf" (msg))
    assert(api.match.subject(api.re "message (%d)") (msg) == false and api.match.subject(api.re "message ([0-9])") (msg) and msg.captures[1] == msg.subject:sub(-1))
    assert(not msg.flags["\\Seen"] and msg.date > 0 and msg.uid > 0)
  end
  return list
end`, `class = Far`, ``, ``))
	far := a.memory("far", memory.Options{})
	put(far, "INBOX", 1, 2)
	a.done()
}

// Controllers of the api and of the script stand in one chain.
func TestChain(t *testing.T) {
	a := newApp(t, "custom.lua", custom(`
local m = api.match
local Quiet = api.NameTrans:extend "Quiet"
function Quiet:list_folders()
  local all = Quiet.super.list_folders(self)
  for _, f in ipairs(all) do api.log.info("listed %s", f.name) end
  return all
end`, `controllers = {
  Quiet { api.rename.strip_prefix "Top/" },
  api.Retry { tries = 2, wait = "1s" }, api.Trace {}, api.Throttle { calls = 1000 },
  api.Filter { "*", "!Top/Hidden", m.smaller "1k", -m.subject "2" },
}`, ``, ``))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "Top/One", 1, 2)
	put(far, "Top/Hidden", 3, 3)
	far.Add("Top/One", memory.Message{Body: append(message(4), strings.Repeat("x", 2000)...)})
	a.done()
	require.Equal(t, map[string]int{"One": 1}, counts(near))
	require.Contains(t, a.log.String(), "listed One")
}

// A message whose header was edited on its way stays one message, on every kind
// of server, whatever changes beside it later.
func TestEditedMessagesStayOne(t *testing.T) {
	const redact = `
local Redact = api.Controller:extend "Redact"
function Redact:append(folder, msg)
  msg:remove_header "X-Note"
  msg:add_header("X-Way", "up")
  Redact.super.append(self, folder, msg)
end
local Mark = api.Controller:extend "Mark"
function Mark:fetch(folder, uids, what)
  local list = Mark.super.fetch(self, folder, uids, what)
  for _, msg in ipairs(list) do msg:add_header("X-Way", "down") end
  return list
end`
	for _, server := range []memory.Options{{}, {NoUIDPlus: true}, {Eager: true}} {
		for _, client := range []memory.Options{{Maildir: true}, {}, {NoUIDPlus: true}} {
			a := newApp(t, "custom.lua", custom(redact, `controllers = { Redact {}, Mark {} }`, ``, ``))
			far, near := a.memory("far", server), a.memory("near", client)
			put(near, "INBOX", 1, 2, "X-Note: psst")
			put(far, "INBOX", 3, 4)
			a.done()
			for n := 5; n < 9; n += 2 {
				put(far, "INBOX", n, n)
				put(near, "INBOX", n+1, n+1, "X-Note: psst")
				a.done()
				require.Len(t, far.Snapshot()["INBOX"], n+1)
				require.Len(t, near.Snapshot()["INBOX"], n+1)
			}
			for _, m := range far.Snapshot()["INBOX"] {
				require.NotContains(t, string(m.Body), "X-Note")
			}
		}
	}
}
