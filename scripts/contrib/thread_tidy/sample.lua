-- A far side with folders three levels deep, and a near side that gets two of them.
local api = require "imapfw.api"
local tidy = require "imapfw.contrib.thread_tidy"

local app = api.app { name = "sample" }

function app.main(ctx)
  local far = api.RepositoryManager {
    name = "far",
    endpoint = api.MemoryEndpoint {
      folders = {
        ["lists"] = { "Subject: one\n\nhello\n" },
        ["lists/go"] = { "Subject: two\n\nhello\n" },
        ["lists/go/deep"] = { "Subject: three\n\nhello\n" },
      },
    },
    controllers = { tidy.controller { depth = 2 } },
  }
  local near = api.RepositoryManager { name = "near", endpoint = api.MemoryEndpoint { like = "maildir" } }
  local state = api.RepositoryManager { name = "state", endpoint = api.StateEndpoint { memory = true } }
  ctx:start {
    far, near, state,
    api.EngineManager { name = "sync", far = far, near = near, state = state },
  }
  local code = ctx:wait()
  local report = ctx:report "sync"
  print(("%d messages copied into %d new folders"):format(report.pulled, report.created))
  return code
end

return app
