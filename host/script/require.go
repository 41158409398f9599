package script

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// require is the require of scripts.
func (s *State) require(L *lua.LState) int {
	name := L.CheckString(1)
	if v, ok := s.loaded[name]; ok {
		L.Push(v)
		return 1
	}
	if i := slices.Index(s.loading, name); i >= 0 {
		Raise(L, fault.New(fault.Config, "", "module %q is being loaded already: %s -> %s",
			name, strings.Join(s.loading[i:], " -> "), name).WithHint("modules cannot require each other in a circle"))
	}
	var v lua.LValue
	if m, ok := s.modules[name]; ok {
		v = m.Open(s, L)
		if t, ok := v.(*lua.LTable); ok && lualib.Contents(t) == t {
			v = Freeze(L, name, t, "subclass it, or keep your own table")
		}
	} else {
		v = s.loadModule(L, name)
	}
	s.loaded[name] = v
	L.Push(v)
	return 1
}

// loadModule runs a module of the bundle.
func (s *State) loadModule(L *lua.LState, name string) lua.LValue {
	src, err := s.bundle.module(L, s, name)
	if err != nil {
		Raise(L, err)
	}
	s.loading = append(s.loading, name)
	depth := len(s.loading)
	results, err := s.Call(L, L.NewFunctionFromProto(src.proto), 1, lua.LString(name))
	s.loading = s.loading[:depth-1]
	if err != nil {
		Raise(L, err)
	}
	if results[0] == lua.LNil {
		return lua.LTrue
	}
	return results[0]
}

// module finds a module in the bundle, and until it is frozen in the files.
func (b *Bundle) module(L *lua.LState, s *State, name string) (*source, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, src := range b.sources {
		if src.Name == name {
			return src, nil
		}
	}
	if b.frozen {
		return nil, fault.New(fault.Config, "", "module %q was not loaded when the app was read", name).
			WithHint("require it at the top level of the file")
	}
	src, err := b.lookup(L, s, name)
	if err != nil {
		return nil, err
	}
	for _, other := range b.sources {
		if other.File == src.File {
			return nil, fault.New(fault.Config, "", "%q and %q are the same file, %s", other.Name, name, src.File)
		}
	}
	if err := src.compile(); err != nil {
		return nil, err
	}
	b.sources = append(b.sources, src)
	return src, nil
}

// lookup finds a module's file.
func (b *Bundle) lookup(L *lua.LState, s *State, name string) (*source, error) {
	if b.compat {
		if src, err := b.resolver.findFile(name); err == nil {
			return src, nil
		}
		path := ""
		if pkg, ok := L.G.Global.RawGetString("package").(*lua.LTable); ok {
			path = lua.LVAsString(pkg.RawGetString("path"))
		}
		return findPath(name, path, filepath.Dir(b.sources[0].File))
	}
	if !moduleName.MatchString(name) {
		return nil, fault.New(fault.Config, "", "%q is not the name of a module", name).
			WithHint("write require \"folder.name\" for folder/name.lua")
	}
	src, err := b.resolver.find(name)
	var e *fault.Error
	if err != nil && errors.As(err, &e) && e.Hint == "" {
		names := make([]string, 0, len(s.modules))
		for known := range s.modules {
			names = append(names, known)
		}
		if near := syntax.Nearest(name, names); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		}
	}
	return src, err
}

// findFile finds a module beside the app, in the imapfilter mode, where names
// may have slashes.
func (r *resolver) findFile(name string) (*source, error) {
	rel := strings.TrimPrefix(strings.ReplaceAll(name, ".", "/"), "/")
	if strings.Contains(name, "..") || rel == "" {
		return nil, fault.New(fault.Config, "", "module %q not found", name)
	}
	return r.search(name, r.roots[:1], rel, "", nil)
}
