package luaapi

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

func alarmObject() object[*engine.Alarm] {
	return object[*engine.Alarm]{
		name:   "Alarm",
		doc:    "Why the guard is about to stop a run.",
		string: (*engine.Alarm).String,
		fields: []field[*engine.Alarm]{
			{"text", "string", "what it is about, in one line", func(_ *lua.LState, a *engine.Alarm) lua.LValue { return lua.LString(a.String()) }},
			{"removals", "integer", "how many messages the plan removes, each counted once",
				func(_ *lua.LState, a *engine.Alarm) lua.LValue { return lua.LNumber(a.Removals) }},
			{"dangers", "{ kind: string, folder: string, side: string, count: integer, of: integer, text: string }[]",
				"each limit that is exceeded; kinds are \"removals\", \"emptied\", \"empty side\", \"account\", \"allowed\", \"uploads\"",
				func(L *lua.LState, a *engine.Alarm) lua.LValue {
					list := make(wire.List, len(a.Dangers))
					for i, d := range a.Dangers {
						list[i] = d.Value()
					}
					return script.ToLua(L, list)
				}},
		},
	}
}
