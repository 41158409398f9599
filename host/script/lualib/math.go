package lualib

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

// maths takes gopher-lua's functions, but for random numbers, which are the
// process's there: one script must not seed another's.
func (lib *Lib) maths(L *lua.LState) *lua.LTable {
	L.Push(L.NewFunction(lua.OpenMath))
	L.Call(0, 1)
	t := L.Get(-1).(*lua.LTable)
	L.Pop(1)
	L.G.Global.RawSetString(lua.MathLibName, lua.LNil)

	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	t.RawSetString("log", L.NewFunction(func(L *lua.LState) int {
		v := math.Log(float64(L.CheckNumber(1)))
		if L.GetTop() > 1 {
			v /= math.Log(float64(L.CheckNumber(2)))
		}
		L.Push(lua.LNumber(v))
		return 1
	}))
	t.RawSetString("random", L.NewFunction(lib.randomNumber))
	t.RawSetString("randomseed", L.NewFunction(func(L *lua.LState) int {
		lib.env.Impure(L, "math.randomseed")
		lib.random = rand.New(rand.NewPCG(uint64(L.CheckInt64(1)), 0))
		return 0
	}))
	return t
}

func (lib *Lib) randomNumber(L *lua.LState) int {
	lib.env.Impure(L, "math.random")
	from, to := 1, 0
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(lib.random.Float64()))
		return 1
	case 1:
		to = L.CheckInt(1)
	default:
		from, to = L.CheckInt(1), L.CheckInt(2)
	}
	if from > to || to-from < 0 || to-from == math.MaxInt {
		L.ArgError(L.GetTop(), "interval is empty")
	}
	L.Push(lua.LNumber(from + lib.random.IntN(to-from+1)))
	return 1
}
