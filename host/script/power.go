package script

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// RequirePower raises at the user's line unless the module that calls has the
// power ("exec", "net", "env", "fs.read:/path"). The user's own modules have
// every power; contrib scripts have those they were granted. This guards against
// accidents and greedy scripts; the boundary is a worker in its own process.
func RequirePower(L *lua.LState, power, what string) {
	src := From(L).caller(L)
	if src == nil || src.Contrib == "" || granted(src.Powers, power) {
		return
	}
	kind, _, _ := strings.Cut(power, ":")
	Raise(L, fault.New(fault.Permission, what, "needs capability %q", power).
		WithHint("not granted: %q is not among the needs in its contrib.lua", kind))
}

// granted reports whether powers hold one: "fs.read:/a" covers "fs.read:/a/b",
// and "fs.read" covers both.
func granted(powers []string, power string) bool {
	return slices.ContainsFunc(powers, func(have string) bool {
		kind, path, _ := strings.Cut(power, ":")
		haveKind, havePath, _ := strings.Cut(have, ":")
		havePath = strings.TrimSuffix(havePath, "/")
		return kind == haveKind && (havePath == "" || path == havePath || strings.HasPrefix(path, havePath+"/"))
	})
}

// caller returns the module whose code runs, or nil when it is none of the
// bundle's.
func (s *State) caller(L *lua.LState) *source {
	file, _ := position(L)
	return s.bundle.byFile(file)
}

// position returns the file and line of the nearest Lua code on the stack.
func position(L *lua.LState) (file string, line int) {
	for level := 0; ; level++ {
		dbg, ok := L.GetStack(level)
		if !ok {
			return "", 0
		}
		if _, err := L.GetInfo("Sl", dbg, lua.LNil); err == nil && dbg.CurrentLine > 0 {
			return dbg.Source, dbg.CurrentLine
		}
	}
}
