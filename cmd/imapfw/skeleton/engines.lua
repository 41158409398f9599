-- A module of the app: its engines.
local api = require "imapfw.api"
local M = {}

-- An engine that refuses to empty a folder.
local Careful = api.SyncEngine:extend "Careful"

-- on_plan sees what the run would do, before any of it is done.
function Careful:on_plan(plan)
  for _, step in ipairs(plan:steps { op = "delete" }) do
    if step.count == step.folder_count then
      error(api.error { code = "refused", message = "would empty " .. step.folder, temporary = false })
    end
  end
  return Careful.super.on_plan(self, plan)
end

M.Careful = Careful

return M
