package luaapi

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/script"
)

// engineCore is the Go object of an instance of an engine class.
type engineCore struct{}

// engineMethods are the methods of engines that a script may override. By
// default they decide nothing.
func engineMethods() []function {
	nothing := func(L *lua.LState) int {
		script.Self[*engineCore](L)
		return 0
	}
	return []function{
		{name: "init", params: "opts: table", doc: "Is called in the worker, before anything else.", call: nothing},
		{name: "on_start", doc: "The run begins.", call: nothing},
		{name: "on_folder", params: "pair: imapfw.FolderPair", returns: "boolean?, string?",
			doc: "false and a reason leave a folder out of this run.", call: nothing},
		{name: "on_plan", params: "plan: imapfw.Plan", returns: "imapfw.Plan|false|nil",
			doc: "Sees what the whole run is about to do, and may drop from it and alter it. false drops everything; an error stops the run before anything is written.",
			call: func(L *lua.LState) int {
				script.Self[*engineCore](L)
				L.Push(script.New(L, script.Check[*engine.Plan](L, 2)))
				return 1
			}},
		{name: "on_guard", params: "plan: imapfw.Plan, alarm: imapfw.Alarm", returns: "\"stop\"|\"go\"|nil, string?",
			doc: "Is asked when the guard is about to stop the run. \"go\", with a reason, lets it go on; \"stop\" and nil do not.", call: nothing},
		{name: "on_message", params: "op: \"pull\"|\"push\", msg: imapfw.Message", returns: "\"skip\"|false|nil, string?",
			doc: "Is asked about each new message before it is copied. \"skip\" or false, with a reason, leaves it out of this run.", call: nothing},
		{name: "on_conflict", params: "conflict: imapfw.Conflict", returns: "\"remove\"|\"keep\"|\"far\"|\"near\"|nil",
			doc: "Settles a conflict; nil leaves it to the option `conflict`.", call: nothing},
		{name: "on_error", params: "err: imapfw.Error", returns: "\"retry\"|\"skip\"|\"abort\"|nil",
			doc: "Decides about the failure of a folder or message; nil tries again what may pass, three times in all, and skips the rest. \"retry\" has a folder read again also for other reasons; \"skip\" does without.", call: nothing},
		{name: "on_done", params: "report: table", doc: "The run is over.", call: nothing},
	}
}
