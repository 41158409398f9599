-- A test of the app: no server, no files.
--   imapfw run NAME/test.lua
local api = require "imapfw.api"
local engines = require "engines"

local app = api.app { name = "NAME_test" }

local function message(n)
  return ("Message-ID: <%d@test>\nSubject: number %d\n\nhello %d\n"):format(n, n, n)
end

local function check(what, got, want)
  if got ~= want then
    error(("%s: got %s, want %s"):format(what, tostring(got), tostring(want)))
  end
  print("ok  " .. what)
end

-- The engine copies between two stores in memory.
local function copies(ctx)
  local far = api.RepositoryManager {
    name = "far", class = api.MemoryRepository,
    endpoint = api.MemoryEndpoint { name = "far", folders = { INBOX = { message(1), message(2), message(3) } } },
  }
  local near = api.RepositoryManager {
    name = "near", class = api.MemoryRepository, endpoint = api.MemoryEndpoint { name = "near" },
  }
  local state = api.RepositoryManager {
    name = "state", class = api.StateRepository, endpoint = api.StateEndpoint { memory = true },
  }
  local engine = api.EngineManager {
    name = "sync", class = engines.Careful, far = far, near = near, state = state,
  }
  ctx:start { far, near, state, engine }
  check("exit code", ctx:wait(), 0)
  check("messages copied", ctx:report("sync").pulled, 3)
end

-- It refuses a plan that would empty a folder.
local function refuses()
  local plan = {}
  function plan.steps() return { { folder = "INBOX", count = 3, folder_count = 3 } } end
  local done, err = pcall(engines.Careful.on_plan, {}, plan)
  check("plan refused", done, false)
  check("code of the error", err.code, "refused")
end

function app.main(ctx)
  copies(ctx)
  refuses()
  return 0
end

return app
