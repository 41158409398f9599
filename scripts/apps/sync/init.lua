-- Keeps the accounts of an app in step. It runs a file that returns an account,
-- or an app without a main function of its own. Put your own at
-- ~/.config/imapfw/apps/sync/init.lua to replace it.
local api = require "imapfw.api"

local app = api.app { name = "sync" }

function app.main(ctx)
  -- Each account gets its repositories, its state and its engine. As many
  -- accounts as ctx.jobs run at once; the others follow.
  for _, account in ipairs(ctx:accounts()) do
    account:sync()
  end
  -- Whoever reads the errors decides: one account that fails stops no other. The
  -- command prints each of them at the end.
  for err in ctx:errors() do
    api.log.debug("%s", err)
  end
  return ctx:wait()
end

return app
