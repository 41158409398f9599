package lualib

import (
	"time"

	lua "github.com/yuin/gopher-lua"
)

// times is what is left of os: the clock and the environment.
func (lib *Lib) times(L *lua.LState) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{
		"clock": func(L *lua.LState) int {
			lib.env.Impure(L, "os.clock")
			L.Push(lua.LNumber(lib.env.Now().Sub(lib.started).Seconds()))
			return 1
		},
		"date": lib.date,
		"difftime": func(L *lua.LState) int {
			L.Push(L.CheckNumber(1) - L.OptNumber(2, 0))
			return 1
		},
		"getenv": func(L *lua.LState) int {
			lib.env.Impure(L, "os.getenv")
			lib.env.Power(L, "env", "os.getenv")
			if v, ok := lib.env.Getenv(L.CheckString(1)); ok {
				L.Push(lua.LString(v))
			} else {
				L.Push(lua.LNil)
			}
			return 1
		},
		"time": lib.time,
	})
}

// time without arguments is now; with a table it is that local time, which does
// not depend on the clock.
func (lib *Lib) time(L *lua.LState) int {
	if L.GetTop() == 0 || L.Get(1) == lua.LNil {
		lib.env.Impure(L, "os.time")
		L.Push(lua.LNumber(lib.env.Now().Unix()))
		return 1
	}
	t := L.CheckTable(1)
	field := func(name string, def int) int {
		switch v := t.RawGetString(name).(type) {
		case lua.LNumber:
			return int(v)
		case lua.LString:
			if n, ok := parseNumber(string(v), 10); ok {
				return int(n)
			}
		}
		if def < 0 {
			L.RaiseError("field '%s' missing in date table", name)
		}
		return def
	}
	at := time.Date(field("year", -1), time.Month(field("month", -1)), field("day", -1),
		field("hour", 12), field("min", 0), field("sec", 0), 0, lib.env.Now().Location())
	L.Push(lua.LNumber(at.Unix()))
	return 1
}

func (lib *Lib) date(L *lua.LState) int {
	format := L.OptString(1, "%c")
	at := lib.env.Now()
	if n := L.Get(2); n != lua.LNil {
		at = time.Unix(L.CheckInt64(2), 0).In(at.Location())
	} else {
		lib.env.Impure(L, "os.date")
	}
	if len(format) > 0 && format[0] == '!' {
		at, format = at.UTC(), format[1:]
	}
	if format == "*t" {
		L.Push(dateTable(L, at))
		return 1
	}
	text, err := Strftime(format, at)
	if err != nil {
		L.ArgError(1, err.Error())
	}
	L.Push(lua.LString(text))
	return 1
}

func dateTable(L *lua.LState, at time.Time) *lua.LTable {
	t := L.CreateTable(0, 9)
	for name, n := range map[string]int{
		"year": at.Year(), "month": int(at.Month()), "day": at.Day(), "hour": at.Hour(), "min": at.Minute(),
		"sec": at.Second(), "wday": int(at.Weekday()) + 1, "yday": at.YearDay(),
	} {
		t.RawSetString(name, lua.LNumber(n))
	}
	t.RawSetString("isdst", lua.LBool(at.IsDST()))
	return t
}
