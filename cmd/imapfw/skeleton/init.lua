-- NAME: an app to start from. Try it with:  imapfw run NAME/test.lua
local api = require "imapfw.api"
local engines = require "engines"

local app = api.app { name = "NAME" }

-- main runs once, in the main worker. It declares workers; nothing runs before ctx:start.
function app.main(ctx)
  local far = api.RepositoryManager {
    name = "far", class = api.ImapRepository,
    endpoint = api.ImapEndpoint { host = "imap.example.org", user = "me@example.org", password_command = "pass show mail/me" },
  }
  local near = api.RepositoryManager {
    name = "near", class = api.MaildirRepository,
    endpoint = api.MaildirEndpoint { path = "~/Mail/NAME" },
  }
  local state = api.RepositoryManager {
    name = "state", class = api.StateRepository,
    endpoint = api.StateEndpoint { path = "~/.local/state/imapfw/NAME" },
  }
  local engine = api.EngineManager {
    name = "sync", class = engines.Careful, far = far, near = near, state = state,
  }
  ctx:start { far, near, state, engine }
  return ctx:wait()                                -- the exit code
end

return app
