package options

import (
	lua "github.com/yuin/gopher-lua"
)

// broken is what a constructor gives to the script when its mistakes were
// reported: the top level goes on to find the others. It accepts everything.
type broken struct{}

// DataKind and Data let it stand wherever definitions may.
func (broken) DataKind() string   { return "broken" }
func (broken) Data() (any, error) { return nil, nil }

func isStandIn(v lua.LValue) bool {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return false
	}
	_, ok = ud.Value.(broken)
	return ok
}

func standIn(L *lua.LState) *lua.LUserData {
	ud := &lua.LUserData{Value: broken{}}
	meta := L.CreateTable(0, 12)
	itself := L.NewFunction(func(L *lua.LState) int {
		L.Push(ud)
		return 1
	})
	for _, event := range []string{"__index", "__call", "__add", "__sub", "__mul", "__div", "__unm", "__concat"} {
		meta.RawSetString(event, itself)
	}
	meta.RawSetString("__newindex", L.NewFunction(func(*lua.LState) int { return 0 }))
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LString("a definition with mistakes"))
		return 1
	}))
	meta.RawSetString("__metatable", lua.LFalse)
	meta.RawSetString("__name", lua.LString("definition with mistakes"))
	ud.Metatable = meta
	return ud
}
