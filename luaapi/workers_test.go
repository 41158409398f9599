package luaapi_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/luaapi"
)

func TestUserWorkers(t *testing.T) {
	for _, backend := range []string{"goroutine", "process", "inline"} {
		t.Run(backend, func(t *testing.T) {
			a := newApp(t, "workers.lua", `
local api = require "imapfw.api"
local Counter = api.Worker:extend "Counter"
function Counter:init(opts)
  Counter.super.init(self, opts)
  self.n = opts.from
end
function Counter:handle(op, args)
  if op == "add" then
    self.n = self.n + args.by
    return { n = self.n, list = { 1, "two" } }
  end
  return Counter.super.handle(self, op, args)
end
local Asker = api.Worker:extend "Asker"
function Asker:handle(op, args)
  local reply = self:call("counter", "add", args)
  self:emit("asked", { op = op })
  return reply.n * 2
end
local app = api.app { name = "workers" }
function app.main(ctx)
  local counter = api.WorkerManager { name = "counter", class = Counter, backend = "`+backend+`", opts = { from = 10 } }
  local asker = api.WorkerManager { name = "asker", class = Asker, backend = "`+backend+`", channels = { counter = counter } }
  ctx:start { counter, asker }
  assert(ctx:call("counter", "add", { by = 1 }).list[2] == "two")
  assert(ctx:call("asker", "ask", { by = 4 }) == 30)
  local ok, err = pcall(ctx.call, ctx, "counter", "fly")
  assert(not ok and err.code == "unsupported", err)
  local args = ctx:args()
  ctx:stop()
  return 100 + #args
end
return app`)
			a.opt.Args = []string{"one", "two"}
			result, err := a.run()
			require.NoError(t, err)
			require.NoError(t, result.Err)
			require.Equal(t, 102, result.ExitCode, "a code of the script's own")
			require.Len(t, a.told("asked"), 1)
		})
	}
}

func TestWorkerWithALoop(t *testing.T) {
	for _, backend := range []string{"goroutine", "process"} {
		t.Run(backend, func(t *testing.T) {
			a := newApp(t, "workers.lua", `
local api = require "imapfw.api"
local Loop = api.Worker:extend "Loop"
function Loop:run()
  local sum = 0
  while true do
    local request = self:receive()
    if not request then return end
    if request.op == "end" then request:reply(sum); return end
    if request.op == "bad" then request:fail "no such thing" else
      sum = sum + request.args
      request:reply()
    end
  end
end
local Sender = api.Worker:extend "Sender"
function Sender:handle(op, args)
  for _ = 1, 3 do self:send("loop", "add", args) end
end
local app = api.app { name = "workers" }
function app.main(ctx)
  local loop = api.WorkerManager { name = "loop", class = Loop, backend = "`+backend+`" }
  local sender = api.WorkerManager { name = "sender", class = Sender, channels = { loop = loop } }
  ctx:start { loop, sender }
  ctx:call("sender", "go", 5)
  local ok, err = pcall(ctx.call, ctx, "loop", "bad")
  assert(not ok and tostring(err):find "no such thing", err)
  ctx:call("loop", "add", 1)
  local sum
  repeat
    ctx:call("loop", "add", 0)
    ok, sum = pcall(ctx.call, ctx, "loop", "end")
  until ok
  return 100 + sum
end
return app`)
			result, err := a.run()
			require.NoError(t, err)
			require.NoError(t, result.Err)
			// What is sent may come after the end; what came before counts.
			require.Contains(t, []int{101, 106, 111, 116}, result.ExitCode)
		})
	}
	a := newApp(t, "workers.lua", `
local api = require "imapfw.api"
local Loop = api.Worker:extend "Loop"
function Loop:run() self:receive() end
local app = api.app { name = "workers" }
function app.main()
  api.WorkerManager { name = "loop", class = Loop, backend = "inline" }
end
return app`)
	result, err := a.run()
	require.NoError(t, err)
	require.ErrorContains(t, result.Err, "blocks in receive")
	require.ErrorContains(t, result.Err, "workers.lua:7")
}

// kill -9 of a child process is told, and it is started again when the script
// says so.
func TestKilledChildIsRestarted(t *testing.T) {
	a := newApp(t, "kill.lua", `
local api = require "imapfw.api"
local Victim = api.Worker:extend "Victim"
function Victim:on_start() api.log.info("victim is up") end
function Victim:handle(op) return op end
local restarts = 0
local app = api.app {
  name = "kill",
  on_exit = function(exit)
    assert(exit.worker == "victim" and exit.error.code == "crashed", exit.error)
    restarts = restarts + 1
    return "restart"
  end,
}
function app.main(ctx)
  local victim = api.WorkerManager { name = "victim", class = Victim, backend = "process" }
  ctx:start { victim }
  while restarts == 0 do pcall(ctx.wait, ctx, 0.05) end
  for _ = 1, 1000 do
    local ok, reply = pcall(ctx.call, ctx, "victim", "hello")
    if ok then return reply == "hello" and 100 + restarts or 1 end
    pcall(ctx.wait, ctx, 0.05)
  end
  return 1
end
return app`)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		deadline := time.Now().Add(20 * time.Second)
		for time.Now().Before(deadline) {
			if pid := childOf(os.Getpid()); pid != 0 && strings.Contains(a.log.String(), "victim is up") {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	result, err := a.run()
	<-killed
	require.NoError(t, err)
	require.Equal(t, 101, result.ExitCode, "%v\n%s", result.Err, a.log)
}

// childOf returns a child process.
func childOf(parent int) int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(parent) && f[0] != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}

func TestLoggerClass(t *testing.T) {
	a := newApp(t, "log.lua", `
local api = require "imapfw.api"
local Shout = api.Logger:extend "Shout"
function Shout:init(opts)
  Shout.super.init(self, opts)
  assert(opts.level == "info")
end
function Shout:write(record)
  record.message = record.message:upper()
  Shout.super.write(self, record)
end
local app = api.app { name = "log" }
function app.main(ctx)
  ctx:start { api.LoggerManager { class = Shout, file = "~/deep/app.log" } }
  api.log.debug("not this")
  api.log.info("hello %d", 7)
  api.log.warn "100% plain"
  return 0
end
return app`)
	a.done()
	log := read(t, filepath.Join(a.home, "deep/app.log"))
	require.Contains(t, log, "HELLO 7")
	require.Contains(t, log, "100% PLAIN")
	require.NotContains(t, log, "NOT THIS")
	require.Contains(t, a.log.String(), "hello 7", "the command's log has it as it was")
}

func TestMainDecides(t *testing.T) {
	const failing = `
local api = require "imapfw.api"
local Bad = api.Worker:extend "Bad"
function Bad:run() error(api.error { code = "network", message = "gone", temporary = TEMPORARY }) end
local app = api.app { name = "decide" }
function app.main(ctx)
  ctx:start { api.WorkerManager { name = "bad", class = Bad } }
  local seen = 0
  for err in ctx:errors() do
    assert(err.worker == "bad" and err.code == "network", tostring(err))
    seen = seen + 1
    if not err.temporary then ctx:stop(err) end
  end
  assert(seen == 1)
  return ctx:wait()
end
return app`
	for temporary, exit := range map[string]int{"true": luaapi.ExitTemporary, "false": luaapi.ExitTemporary} {
		a := newApp(t, "decide.lua", strings.ReplaceAll(failing, "TEMPORARY", temporary))
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, exit, result.ExitCode)
		require.ErrorContains(t, result.Err, "gone")
	}
}
