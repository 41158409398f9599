package lualib

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// base adds the functions without a table.
func (lib *Lib) base(L *lua.LState, globals map[string]lua.LValue) {
	for name, fn := range map[string]lua.LGFunction{
		"assert": assert, "ipairs": nil, "next": next, "pairs": nil, "print": lib.print,
		"rawequal": rawEqual, "rawget": rawGet, "rawset": rawSet, "select": selectArgs,
		"getmetatable": getMetatable, "setmetatable": setMetatable,
		"tonumber": toNumber, "tostring": toString, "type": typeOf, "unpack": unpack,
	} {
		if fn != nil {
			globals[name] = L.NewFunction(fn)
		}
	}
	globals["ipairs"] = L.NewClosure(func(L *lua.LState) int {
		t := L.CheckTable(1)
		L.Push(L.Get(lua.UpvalueIndex(1)))
		L.Push(contents(t))
		L.Push(lua.LNumber(0))
		return 3
	}, L.NewFunction(ipairsNext))
	globals["pairs"] = L.NewClosure(func(L *lua.LState) int {
		t := L.CheckTable(1)
		if real := contents(t); real != t {
			// The table behind a frozen one must not reach the script.
			L.Push(L.NewFunction(func(L *lua.LState) int {
				k, v := real.Next(L.Get(2))
				L.Push(k)
				L.Push(v)
				return 2
			}))
		} else {
			L.Push(L.Get(lua.UpvalueIndex(1)))
		}
		L.Push(t)
		L.Push(lua.LNil)
		return 3
	}, globals["next"])
}

func assert(L *lua.LState) int {
	if L.ToBool(1) {
		return L.GetTop()
	}
	L.CheckAny(1)
	message := L.Get(2)
	if message == lua.LNil {
		L.RaiseError("assertion failed!")
	}
	L.Error(message, 0)
	return 0
}

func ipairsNext(L *lua.LState) int {
	i := L.CheckInt(2) + 1
	v := L.CheckTable(1).RawGetInt(i)
	if v == lua.LNil {
		return 0
	}
	L.Push(lua.LNumber(i))
	L.Push(v)
	return 2
}

func next(L *lua.LState) int {
	t := contents(L.CheckTable(1))
	k, v := t.Next(L.Get(2))
	L.Push(k)
	if k == lua.LNil {
		return 1
	}
	L.Push(v)
	return 2
}

func (lib *Lib) print(L *lua.LState) int {
	parts := make([]string, L.GetTop())
	for i := range parts {
		parts[i] = L.ToStringMeta(L.Get(i + 1)).String()
	}
	lib.env.Print(strings.Join(parts, "\t"))
	return 0
}

func rawEqual(L *lua.LState) int {
	L.Push(lua.LBool(L.RawEqual(L.CheckAny(1), L.CheckAny(2))))
	return 1
}

func rawGet(L *lua.LState) int {
	L.Push(L.CheckTable(1).RawGet(L.CheckAny(2)))
	return 1
}

func rawSet(L *lua.LState) int {
	t := writable(L, 1)
	L.RawSet(t, L.CheckAny(2), L.CheckAny(3))
	L.SetTop(1)
	return 1
}

func selectArgs(L *lua.LState) int {
	if s, ok := L.Get(1).(lua.LString); ok && s == "#" {
		L.Push(lua.LNumber(L.GetTop() - 1))
		return 1
	}
	n, count := L.CheckInt(1), L.GetTop()
	if n < 0 {
		n += count
	}
	if n < 1 {
		L.ArgError(1, "index out of range")
	}
	return max(0, count-n)
}

func getMetatable(L *lua.LState) int {
	L.Push(L.GetMetatable(L.CheckAny(1)))
	return 1
}

func setMetatable(L *lua.LState) int {
	t := L.CheckTable(1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	L.SetMetatable(t, L.Get(2))
	L.SetTop(1)
	return 1
}

func toNumber(L *lua.LState) int {
	base := L.OptInt(2, 10)
	if base < 2 || base > 36 {
		L.ArgError(2, "base out of range")
	}
	switch v := L.CheckAny(1).(type) {
	case lua.LNumber:
		L.Push(v)
		return 1
	case lua.LString:
		if n, ok := parseNumber(strings.TrimSpace(string(v)), base); ok {
			L.Push(lua.LNumber(n))
			return 1
		}
	}
	L.Push(lua.LNil)
	return 1
}

func parseNumber(s string, base int) (float64, bool) {
	if base != 10 {
		n, err := strconv.ParseInt(s, base, 64)
		return float64(n), err == nil
	}
	if strings.ContainsAny(s, "_pPnN") { // Go's own notations, infinities, NaN
		return 0, false
	}
	lower := strings.ToLower(strings.TrimLeft(s, "+-"))
	if strings.HasPrefix(lower, "0x") {
		n, err := strconv.ParseUint(lower[2:], 16, 64)
		if strings.HasPrefix(s, "-") {
			return -float64(n), err == nil
		}
		return float64(n), err == nil
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

func toString(L *lua.LState) int {
	L.Push(L.ToStringMeta(L.CheckAny(1)))
	return 1
}

func typeOf(L *lua.LState) int {
	L.Push(lua.LString(L.CheckAny(1).Type().String()))
	return 1
}

// maxValues is the most values one call may put on the stack.
const maxValues = 250_000

func unpack(L *lua.LState) int {
	t := contents(L.CheckTable(1))
	from, to := L.OptInt(2, 1), L.OptInt(3, t.Len())
	if from > to {
		return 0
	}
	if to-from >= maxValues {
		L.RaiseError("too many values to unpack (%d, at most %d)", to-from+1, maxValues)
	}
	for i := from; i <= to; i++ {
		L.Push(t.RawGet(lua.LNumber(i)))
	}
	return to - from + 1
}
