-- A module of the app: an engine that refuses to empty a folder.
local api = require "imapfw.api"
local M = {}

local Engine = api.SyncEngine:extend "Engine"

-- on_plan sees what the run would do, before any of it is done.
function Engine:on_plan(plan)
  for _, step in ipairs(plan:steps { op = "delete" }) do
    if step.count == step.folder_count then
      error(api.error { code = "refused", message = "would empty " .. step.folder, temporary = false })
    end
  end
  return Engine.super.on_plan(self, plan)
end

M.Engine = Engine

return M
