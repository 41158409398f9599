package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// openGlobals makes the environment of scripts. In an app it is read-only, and a
// name that is not there raises: a misspelt variable must not be nil, which is
// how "ssl = auto" turned encryption off in somebody's mail client.
func (s *State) openGlobals(L *lua.LState, globals map[string]lua.LValue) {
	real := L.G.Global
	for name, v := range globals {
		if t, ok := v.(*lua.LTable); ok && !s.bundle.compat {
			v = Freeze(L, name, t, "libraries are shared by all modules")
		}
		real.RawSetString(name, v)
	}
	if s.bundle.compat {
		real.RawSetString("_G", real)
		return
	}
	undefined := L.CreateTable(0, 1)
	undefined.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		s.undefined(L, L.Get(2).String())
		return 0
	}))
	real.Metatable = undefined
	env := lualib.Freeze(L, real, func(L *lua.LState) int {
		name := L.Get(2).String()
		if real.RawGetString(name) != lua.LNil {
			Raise(L, fault.New(fault.Script, "", "cannot change the global %q", name).WithHint("write: local %s = ...", name))
		}
		Raise(L, fault.New(fault.Script, "", "assignment to the undeclared variable %q", name).WithHint("put \"local\" before it"))
		return 0
	})
	real.RawSetString("_G", env)
	L.Env = env
}

func (s *State) undefined(L *lua.LState, name string) {
	err := fault.New(fault.Script, "", "undefined variable %q", name)
	if hint := missing[name]; hint != "" {
		Raise(L, err.WithHint("%s", hint))
	}
	var known []string
	L.G.Global.ForEach(func(k, _ lua.LValue) { known = append(known, k.String()) })
	file, _ := position(L)
	if chunk := s.bundle.chunk(file); chunk != nil {
		known = append(chunk.Names(), known...)
	}
	if near := syntax.Nearest(name, known); near != "" {
		err = err.WithHint("did you mean %q?", near)
	}
	Raise(L, err)
}

// missing says what to use instead of what scripts do not have.
var missing = map[string]string{
	"io":             "scripts have no files; api.lines(path) reads a list",
	"debug":          "scripts have no debug library",
	"package":        "require finds modules beside the app, in the user's folder and in contrib",
	"dofile":         "use require",
	"load":           "scripts cannot compile code; use require",
	"loadfile":       "use require",
	"loadstring":     "scripts cannot compile code; use require",
	"module":         "a module is a file that returns a table",
	"setfenv":        "environments cannot be changed",
	"getfenv":        "environments cannot be changed",
	"collectgarbage": "memory is managed by the host",
	"newproxy":       "use a table with a metatable",
	"os.execute":     "use a pipe or a command hook",
	"os.exit":        "return the exit code from main, or raise an error",
	"os.remove":      "scripts have no files",
	"os.rename":      "scripts have no files",
	"os.tmpname":     "scripts have no files",
	"string.dump":    "functions cannot travel; give them a place in the app's definitions",
}

// Freeze returns a read-only view of a table of the host; writing to it raises,
// with hint as the advice.
func Freeze(L *lua.LState, name string, t *lua.LTable, hint string) *lua.LTable {
	return lualib.Freeze(L, t, func(L *lua.LState) int {
		Raise(L, fault.New(fault.Script, "", "%s.%s: %s is read-only", name, L.Get(2).String(), strings.TrimPrefix(name, "imapfw.")).
			WithHint("%s", hint))
		return 0
	})
}
