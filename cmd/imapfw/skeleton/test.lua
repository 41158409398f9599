-- A test of the app's engine between two stores in memory: no server, no files.
--   imapfw run NAME/test.lua
local api = require "imapfw.api"
local careful = require "careful"

local app = api.app { name = "NAME_test" }

local function message(n)
  return ("Message-ID: <%d@test>\nSubject: number %d\n\nhello %d\n"):format(n, n, n)
end

function app.main(ctx)
  local far = api.RepositoryManager {
    name = "far", class = api.MemoryRepository,
    endpoint = api.MemoryEndpoint { folders = { INBOX = { message(1), message(2), message(3) } } },
  }
  local near = api.RepositoryManager {
    name = "near", class = api.MemoryRepository, endpoint = api.MemoryEndpoint {},
  }
  local state = api.RepositoryManager {
    name = "state", class = api.StateRepository, endpoint = api.StateEndpoint { memory = true },
  }
  local engine = api.EngineManager {
    name = "sync", class = careful.Engine, far = far, near = near, state = state,
  }
  ctx:start { far, near, state, engine }
  local code = ctx:wait()
  if code ~= 0 then return code end
  local report = ctx:report "sync"
  if report.pulled ~= 3 then
    error(("expected 3 messages, got %d"):format(report.pulled))
  end
  api.log.info("ok: %d messages copied, no folder emptied", report.pulled)
  return 0
end

return app
