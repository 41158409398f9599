package lualib

import lua "github.com/yuin/gopher-lua"

// protected adds error, pcall and xpcall. gopher-lua's error reports the wrong
// line for level 2, and its xpcall takes no arguments.
func (lib *Lib) protected(L *lua.LState, globals map[string]lua.LValue) {
	globals["error"] = L.NewFunction(raise)
	globals["pcall"] = L.NewFunction(lib.pcall)
	globals["xpcall"] = L.NewFunction(lib.xpcall)
}

func raise(L *lua.LState) int {
	value := L.Get(1)
	text, ok := value.(lua.LString)
	if level := L.OptInt(2, 1); ok && level > 0 {
		value = lua.LString(Position(L, level) + string(text))
	}
	L.Error(value, 0)
	return 0
}

// Position returns "file:line: " of a level of the stack (1 is the caller of
// the running Go function), or "" when no Lua code runs there.
func Position(L *lua.LState, level int) string {
	dbg, ok := L.GetStack(level)
	if !ok {
		return ""
	}
	if _, err := L.GetInfo("Sl", dbg, lua.LNil); err != nil || dbg.CurrentLine < 1 {
		return ""
	}
	return dbg.Source + ":" + lua.LNumber(dbg.CurrentLine).String() + ": "
}

func (lib *Lib) pcall(L *lua.LState) int {
	L.CheckAny(1)
	return lib.protect(L, L.GetTop()-1, nil)
}

func (lib *Lib) xpcall(L *lua.LState) int {
	L.CheckAny(1)
	handler := L.CheckFunction(2)
	L.Remove(2)
	// The handler runs where the error was raised, with the value a script is
	// meant to see.
	handle := L.NewFunction(func(L *lua.LState) int {
		L.Push(handler)
		L.Push(lib.env.Caught(L, &lua.ApiError{Type: lua.ApiErrorRun, Object: L.Get(1)}))
		L.Call(1, 1)
		return 1
	})
	return lib.protect(L, L.GetTop()-1, handle)
}

// maxProtected is how deep pcall may nest, as in Lua itself. Each level takes a
// good deal of Go's stack, and an error makes gopher-lua list the whole stack.
const maxProtected = 200

// protect calls what is on the stack with nargs arguments.
func (lib *Lib) protect(L *lua.LState, nargs int, handler *lua.LFunction) int {
	// An object that is not callable makes gopher-lua panic, not raise.
	if fn := L.Get(1); fn.Type() != lua.LTFunction && L.GetMetaField(fn, "__call").Type() != lua.LTFunction {
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a " + fn.Type().String() + " value"))
		return 2
	}
	if lib.protecting == maxProtected {
		L.RaiseError("stack overflow: %d calls of pcall inside each other", maxProtected)
	}
	lib.protecting++
	err := L.PCall(nargs, lua.MultRet, handler)
	lib.protecting--
	if over := lib.env.Poll(L); over != nil { // a call that must end is not caught
		if e, ok := err.(*lua.ApiError); ok {
			// The same error goes on: a new one would collect the stack again
			// at each of thousands of levels.
			panic(e)
		}
		L.RaiseError("%s", over.Error())
	}
	if err != nil {
		L.Push(lua.LFalse)
		if e, ok := err.(*lua.ApiError); ok && handler != nil {
			L.Push(e.Object)
		} else {
			L.Push(lib.env.Caught(L, err))
		}
		return 2
	}
	L.Insert(lua.LTrue, 1)
	return L.GetTop()
}
