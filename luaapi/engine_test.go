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

// onBackends runs a test with the engine on each backend. Stores in memory are
// in this process, so they are seen whatever the engine's is.
func onBackends(t *testing.T, fn func(t *testing.T, backend string)) {
	for _, backend := range []string{"goroutine", "process", "inline"} {
		t.Run(backend, func(t *testing.T) { fn(t, `backend = "`+backend+`", `) })
	}
}

func TestOnMessage(t *testing.T) {
	onBackends(t, func(t *testing.T, backend string) {
		a := newApp(t, "custom.lua", custom(`
local m = api.match
local Engine = api.SyncEngine:extend "Engine"
function Engine:init(opts)
  Engine.super.init(self, opts)
  assert(opts.name == "sync" and opts.pull == "all")
end
function Engine:on_message(op, msg)
  if op == "pull" and m.subject "message 1" (msg) then return "skip", "no ones" end
  if msg.subject == "message 2" then error "broken" end
  if msg.size > api.size "1k" then return false end
  return Engine.super.on_message(self, op, msg)
end`, ``, ``, backend+`class = Engine`))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 3)
		far.Add("INBOX", memory.Message{Body: append(message(4), make([]byte, 2000)...)})
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, luaapi.ExitPartial, result.ExitCode, "one decision failed")
		require.Len(t, near.Snapshot()["INBOX"], 1)
		require.EqualValues(t, 1, result.Reports["sync"]["pulled"])
		failures := result.Reports["sync"]["failures"].(wire.List)
		require.Len(t, failures, 1)
		require.ErrorContains(t, failures[0].(error), "custom.lua:12")
	})
}

func TestOnFolderAndPlan(t *testing.T) {
	onBackends(t, func(t *testing.T, backend string) {
		a := newApp(t, "custom.lua", custom(`
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_start() self.begun = true end
function Engine:on_folder(pair)
  assert(self.begun)
  if pair.name == "Out" then return false, "out of the way" end
  return true
end
function Engine:on_plan(plan)
  assert(plan:total "pull" == 4 and plan:total() == plan:total "pull" + plan:total "create")
  for _, step in ipairs(plan:steps { op = "pull", folder = "INBOX", side = "near" }) do
    assert(step.count == 3 and #step.keys == 3 and step.folder_count == 3)
    assert(plan:drop(step, { step.keys[1] }, "not this one") == 1)
  end
  for _, step in ipairs(plan:steps { folder = "Sent", op = "pull" }) do plan:drop(step, "not now") end
  return Engine.super.on_plan(self, plan)
end
function Engine:on_done(report)
  api.log.info("pulled %d", report.pulled)
end`, ``, ``, backend+`class = Engine`))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 3)
		put(far, "Sent", 4, 4)
		put(far, "Out", 5, 5)
		a.done()
		require.Equal(t, map[string]int{"INBOX": 2}, counts(near))
		require.Contains(t, a.log.String(), "pulled 2")
	})
}

func TestOnConflictAndError(t *testing.T) {
	for _, c := range []struct {
		answer string
		far    int
	}{{`"keep"`, 1}, {`"remove"`, 0}, {`nil`, 0}} {
		t.Run(c.answer, func(t *testing.T) {
			a := newApp(t, "custom.lua", custom(`
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_conflict(c)
  assert(c.folder == "INBOX" and c.removed_on == "near" and c.flags["\\Flagged"])
  return `+c.answer+`
end`, ``, ``, `class = Engine`))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			put(far, "INBOX", 1, 1)
			a.done()
			near.Remove("INBOX", near.Snapshot()["INBOX"][0].Key)
			far.SetFlags("INBOX", far.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Flagged`))
			a.done()
			require.Len(t, far.Snapshot()["INBOX"], c.far)
			require.Len(t, near.Snapshot()["INBOX"], c.far)
		})
	}
	t.Run("an error aborts", func(t *testing.T) {
		a := newApp(t, "custom.lua", custom(`
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_error(err)
  assert(err.code == "read_only", err.code)
  return "abort"
end`, ``, ``, `class = Engine`))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 1)
		near.SetReadOnly("INBOX", true)
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, luaapi.ExitFailed, result.ExitCode)
	})
}

// What on_plan refuses is refused before anything is written.
func TestOnPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		body string
		exit int
		near int
	}{
		{`error(api.error { code = "refused", message = "too much" })`, luaapi.ExitGuard, 0},
		{`error "oops"`, luaapi.ExitUsage, 0},
		{`return false, "not today"`, luaapi.ExitDone, 0},
		{`return 7`, luaapi.ExitUsage, 0},
		{`return nil`, luaapi.ExitDone, 2},
	} {
		t.Run(c.body, func(t *testing.T) {
			a := newApp(t, "custom.lua", custom(`
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_plan(plan) `+c.body+` end`, ``, ``, `class = Engine`))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			put(far, "INBOX", 1, 2)
			result, err := a.run()
			require.NoError(t, err)
			require.Equal(t, c.exit, result.ExitCode, result.Err)
			require.Len(t, near.Snapshot()["INBOX"], c.near)
		})
	}
}

func TestConvert(t *testing.T) {
	a := newApp(t, "custom.lua", custom(``, ``, ``, `class = api.ConvertEngine`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "INBOX", 1, 2)
	put(near, "INBOX", 3, 3)
	result, err := a.run()
	require.NoError(t, err)
	require.NotZero(t, result.ExitCode, "the near side is not empty")
	require.Len(t, far.Snapshot()["INBOX"], 2)
}

func TestStateClass(t *testing.T) {
	app := `
local api = require "imapfw.api"
local State = api.StateRepository:extend "State"
function State:init(opts)
  State.super.init(self, opts)
  self.commits = 0
end
function State:open() State.super.open(self) end
function State:folders()
  local all = State.super.folders(self)
  for _, f in ipairs(all) do api.log.info("knows %s", f.far) end
  return all
end
function State:load(folder, by)
  local rows = State.super.load(self, folder, by)
  for _, row in ipairs(rows) do assert(row.id > 0 and row.far ~= "" and row.near ~= "") end
  return rows
end
function State:commit(folder, change)
  self.commits = self.commits + #change.put
  State.super.commit(self, folder, change)
end
function State:stop()
  api.log.info("recorded %d", self.commits)
  State.super.stop(self)
end
local app = api.app { name = "custom" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", endpoint = api.MemoryEndpoint {} }
  local near = api.RepositoryManager { name = "near", endpoint = api.MemoryEndpoint { like = "maildir" } }
  local state = api.RepositoryManager { name = "state", class = State, endpoint = api.StateEndpoint { path = "~/state.db" } }
  local sync = api.EngineManager { name = "sync", far = far, near = near, state = state }
  ctx:start { far, near, state, sync }
  local code = ctx:wait()
  assert(ctx:report "sync".pulled >= 0 and ctx:report "none" == nil)
  return code
end
return app`
	a := newApp(t, "custom.lua", app)
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "INBOX", 1, 3)
	a.done()
	require.Contains(t, a.log.String(), "recorded 3")
	put(far, "INBOX", 4, 4)
	near.Remove("INBOX", near.Snapshot()["INBOX"][0].Key)
	a.done()
	require.Contains(t, a.log.String(), "knows INBOX")
	require.Len(t, far.Snapshot()["INBOX"], 3)
	require.Len(t, near.Snapshot()["INBOX"], 3)
}

func TestStateThatDoesNotRecord(t *testing.T) {
	a := newApp(t, "custom.lua", `
local api = require "imapfw.api"
local State = api.StateRepository:extend "State"
function State:commit() end
local app = api.app { name = "custom" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", endpoint = api.MemoryEndpoint {} }
  local near = api.RepositoryManager { name = "near", endpoint = api.MemoryEndpoint {} }
  local state = api.RepositoryManager { name = "state", class = State, endpoint = api.StateEndpoint { memory = true } }
  ctx:start { far, near, state, api.EngineManager { name = "sync", far = far, near = near, state = state } }
  return ctx:wait()
end
return app`)
	put(a.memory("far", memory.Options{}), "INBOX", 1, 1)
	result, err := a.run()
	require.NoError(t, err)
	require.NotZero(t, result.ExitCode)
	require.ErrorContains(t, result.Err, "did not call super.commit")
}

func TestOnGuard(t *testing.T) {
	onBackends(t, func(t *testing.T, backend string) {
		engine := `
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_guard(plan, alarm)
  assert(plan:total "delete" == alarm.removals and alarm.removals == 120)
  local d = alarm.dangers[1]
  assert(d.kind == "removals" and d.folder == "INBOX" and d.side == "far" and d.count == 120 and d.of == 120)
  assert(alarm.text:find "120" and tostring(alarm) == alarm.text)
  ANSWER
end`
		file := func(answer string) string {
			return custom(strings.Replace(engine, "ANSWER", answer, 1), ``, ``, backend+`class = Engine`)
		}
		a := newApp(t, "custom.lua", file(""))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 120)
		a.done()
		for _, m := range near.Snapshot()["INBOX"] {
			near.Remove("INBOX", m.Key)
		}
		for _, c := range []struct {
			answer string
			code   int
			left   int
		}{
			{``, luaapi.ExitGuard, 120}, {`return "stop"`, luaapi.ExitGuard, 120}, {`return "yes"`, luaapi.ExitUsage, 120},
			{`return "go", "as it says"`, luaapi.ExitDone, 0},
		} {
			writeFile(t, a.path, file(c.answer))
			result, err := a.run()
			require.NoError(t, err)
			require.Equal(t, c.code, result.ExitCode, c.answer)
			require.Len(t, far.Snapshot()["INBOX"], c.left, c.answer)
		}
		notes := a.told("told")
		require.Contains(t, notes[len(notes)-1].Data.(wire.Map)["text"], "as it says")
	})
}

func TestPlanIsAltered(t *testing.T) {
	onBackends(t, func(t *testing.T, backend string) {
		a := newApp(t, "custom.lua", custom(`
local Engine = api.SyncEngine:extend "Engine"
function Engine:on_plan(plan)
  for _, step in ipairs(plan:steps { op = "flags" }) do
    assert(not pcall(plan.alter, plan, step, { add = { "$Other" } }))
    assert(not pcall(plan.alter, plan, step, { to = "INBOX" }))
    if #step.add == 2 then
      plan:alter(step, { add = { "\\Seen" } }, "no flags today")
      assert(#step.add == 1 and step.add[1] == "\\Seen")
    end
  end
  for _, step in ipairs(plan:steps { op = "pull" }) do
    assert(not pcall(plan.alter, plan, step, { add = {} , remove = { "\\Seen" } }))
  end
end`, ``, ``, backend+`class = Engine`))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		put(far, "INBOX", 1, 1)
		a.done()
		far.SetFlags("INBOX", far.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Seen`, `\Flagged`))
		a.done()
		require.Equal(t, mail.NewFlags(`\Seen`), near.Snapshot()["INBOX"][0].Flags)
		notes := a.told("told")
		require.Contains(t, notes[len(notes)-1].Data.(wire.Map)["text"], "no flags today")
		a.done()
		require.Equal(t, mail.NewFlags(`\Seen`, `\Flagged`), near.Snapshot()["INBOX"][0].Flags, "the next run looks again at what was left out")
	})
}
