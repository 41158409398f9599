package lualib

import lua "github.com/yuin/gopher-lua"

// coroutines wraps the library of gopher-lua: a coroutine follows the context of
// whoever resumes it (it outlives the call it was made in), and a yield that
// gopher-lua cannot do raises instead of crashing.
func (lib *Lib) coroutines(L *lua.LState) *lua.LTable {
	L.Push(L.NewFunction(lua.OpenCoroutine))
	L.Call(0, 1)
	original := L.Get(-1).(*lua.LTable)
	L.Pop(1)
	L.G.Global.RawSetString(lua.CoroutineLibName, lua.LNil)

	create := original.RawGetString("create").(*lua.LFunction).GFunction
	resume := original.RawGetString("resume").(*lua.LFunction).GFunction
	t := functions(L, map[string]lua.LGFunction{
		"create": func(L *lua.LState) int { return withoutContext(L, create) },
		"resume": func(L *lua.LState) int {
			return resumeWith(L, L.CheckThread(1), resume)
		},
		"yield": func(L *lua.LState) int {
			if crossesGo(L) {
				L.RaiseError("cannot yield from inside pcall, sort, gsub or another function of the host")
			}
			return -1
		},
	})
	wrap := original.RawGetString("wrap").(*lua.LFunction).GFunction
	t.RawSetString("wrap", L.NewFunction(func(L *lua.LState) int {
		n := withoutContext(L, wrap)
		inner := L.Get(-1).(*lua.LFunction)
		thread := inner.Upvalues[0].Value().(*lua.LState)
		inner.GFunction = wrapped(thread, inner.GFunction)
		return n
	}))
	for _, name := range []string{"running", "status"} {
		t.RawSetString(name, original.RawGetString(name))
	}
	return t
}

func wrapped(thread *lua.LState, call lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int { return resumeWith(L, thread, call) }
}

// withoutContext runs a function that makes a thread. With a context, gopher-lua
// would give the thread a child of it, which lives as long as the parent.
func withoutContext(L *lua.LState, fn lua.LGFunction) int {
	ctx := L.Context()
	if ctx == nil {
		return fn(L)
	}
	L.RemoveContext()
	defer L.SetContext(ctx)
	return fn(L)
}

func resumeWith(L, thread *lua.LState, fn lua.LGFunction) int {
	if ctx := L.Context(); ctx != nil {
		thread.SetContext(ctx)
	}
	return fn(L)
}

// crossesGo reports whether a Go function is between a yield and the start of
// its coroutine.
func crossesGo(L *lua.LState) bool {
	for level := 1; ; level++ {
		dbg, ok := L.GetStack(level)
		if !ok {
			return false
		}
		if _, err := L.GetInfo("S", dbg, lua.LNil); err == nil && dbg.What == "G" {
			return true
		}
	}
}
