package lualib

import lua "github.com/yuin/gopher-lua"

// frozenKey marks the metatable of a frozen table and holds what is behind it.
// Scripts cannot reach it: that metatable is locked.
const frozenKey = "imapfw.frozen"

// Freeze returns an empty table through which t can be read but not written:
// onWrite is called instead, and should raise. Library functions of this
// package see the contents.
func Freeze(L *lua.LState, t *lua.LTable, onWrite lua.LGFunction) *lua.LTable {
	proxy, meta := L.CreateTable(0, 0), L.CreateTable(0, 4)
	meta.RawSetString("__index", t)
	meta.RawSetString("__newindex", L.NewFunction(onWrite))
	meta.RawSetString("__len", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LNumber(t.Len()))
		return 1
	}))
	meta.RawSetString("__metatable", lua.LFalse)
	meta.RawSetString(frozenKey, t)
	proxy.Metatable = meta
	return proxy
}

// contents returns what is behind a frozen table, or the table itself.
func contents(t *lua.LTable) *lua.LTable {
	if meta, ok := t.Metatable.(*lua.LTable); ok {
		if real, ok := meta.RawGetString(frozenKey).(*lua.LTable); ok {
			return real
		}
	}
	return t
}

// Contents returns what is behind a frozen table, or the table itself.
func Contents(t *lua.LTable) *lua.LTable { return contents(t) }

// writable returns table argument n, which must not be frozen.
func writable(L *lua.LState, n int) *lua.LTable {
	t := L.CheckTable(n)
	if contents(t) != t {
		L.ArgError(n, "this table is read-only")
	}
	return t
}
