package luaapi

import (
	"context"
	"fmt"
	"log/slog"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

// logFunctions are api.log.debug, info, warn and error, and api.notify.
func logFunctions() []function {
	level := func(name string, level slog.Level) function {
		return function{name: "log." + name, params: "format: string, ...: any", doc: "Writes to the log; format is that of string.format.",
			in: script.Main | script.Work,
			call: func(L *lua.LState) int {
				log := script.From(L).Log()
				ctx := context.Background()
				if !log.Enabled(ctx, level) {
					return 0
				}
				log.Log(ctx, level, formatted(L), "at", script.Where(L))
				return 0
			}}
	}
	return []function{
		level("debug", slog.LevelDebug),
		level("info", slog.LevelInfo),
		level("warn", slog.LevelWarn),
		level("error", slog.LevelError),
		{name: "notify", params: "title: string, text?: string", doc: "Tells the user something: in the log, where there is nothing better.",
			in: script.Main | script.Work,
			call: func(L *lua.LState) int {
				script.From(L).Log().Info(L.CheckString(1), "notify", true, "text", L.OptString(2, ""))
				return 0
			}},
	}
}

// formatted returns the arguments as string.format gives them; one argument is
// taken as it is, whatever it holds.
func formatted(L *lua.LState) string {
	if L.GetTop() == 1 {
		return L.ToStringMeta(L.Get(1)).String()
	}
	format := L.GetField(L.GetField(L.Get(lua.EnvironIndex), "string"), "format")
	if format == lua.LNil {
		format = L.GetField(L.GetGlobal("string"), "format")
	}
	top := L.GetTop()
	L.Push(format)
	for i := 1; i <= top; i++ {
		L.Push(L.Get(i))
	}
	L.Call(top, 1)
	text := fmt.Sprint(L.Get(-1))
	L.Pop(1)
	return text
}
