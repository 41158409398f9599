package script_test

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

var errServer = errors.New("server said no")

// core is the Go object of the test classes.
type core struct{ folders []string }

// batch is a Go type that scripts see.
type batch struct{ n int }

// predicate is a Datum.
type predicate struct{ text string }

func (p *predicate) DataKind() string   { return "predicate" }
func (p *predicate) Data() (any, error) { return p.text, nil }

// testModules is a small api: a constructor, classes, failures.
func testModules() []script.Module {
	return []script.Module{
		{Name: "imapfw.api", Open: openAPI},
		{Name: "imapfw.core.engine", Open: func(_ *script.State, L *lua.LState) lua.LValue { return L.NewTable() }},
	}
}

func openAPI(s *script.State, L *lua.LState) lua.LValue {
	script.Register(L, script.Type[*batch]{
		Name: "Batch",
		Methods: map[string]lua.LGFunction{"where": func(L *lua.LState) int {
			script.Check[*batch](L, 1)
			p := script.Check[*predicate](L, 2)
			L.Push(lua.LString("where " + p.text))
			return 1
		}},
		Fields: map[string]func(*lua.LState, *batch) lua.LValue{
			"count": func(_ *lua.LState, b *batch) lua.LValue { return lua.LNumber(b.n) },
		},
		Set: map[string]func(*lua.LState, *batch, lua.LValue){
			"limit": func(_ *lua.LState, b *batch, v lua.LValue) { b.n = int(lua.LVAsNumber(v)) },
		},
	})
	script.Register(L, script.Type[*predicate]{Name: "Predicate", String: func(p *predicate) string { return p.text }})
	s.RegisterData("predicate", func(L *lua.LState, v any) (lua.LValue, error) {
		return script.New(L, &predicate{v.(string)}), nil
	})

	repository := s.NewClass(L, script.ClassSpec{Module: "imapfw.api", Name: "Repository", Methods: map[string]lua.LGFunction{
		"init": func(L *lua.LState) int {
			script.Self[*core](L)
			return 0
		},
		"stop": func(L *lua.LState) int { return 0 },
	}})
	imap := s.NewClass(L, script.ClassSpec{Module: "imapfw.api", Name: "ImapRepository", Base: repository, Methods: map[string]lua.LGFunction{
		"list_folders": func(L *lua.LState) int {
			c := script.Self[*core](L)
			L.Push(script.ToLua(L, toList(c.folders)))
			return 1
		},
		"fail": func(L *lua.LState) int {
			script.Raise(L, (&fault.Error{Code: fault.Network, Op: "fetch", Folder: "INBOX", Account: "work", Temporary: true, Err: errServer}).WithHint("try later"))
			return 0
		},
		"panics": func(*lua.LState) int {
			var c *core
			c.folders = nil
			return 0
		},
	}})
	controller := s.NewClass(L, script.ClassSpec{Module: "imapfw.api", Name: "Controller", New: func(*lua.LState, wire.Value) (any, error) {
		return &core{folders: []string{"own"}}, nil
	}})

	t := L.NewTable()
	for _, c := range []*script.Class{repository, imap, controller} {
		t.RawSetString(c.Name(), c.Table())
	}
	for name, fn := range map[string]lua.LGFunction{
		"account": func(L *lua.LState) int { return define(L, "account", true) },
		"rule":    func(L *lua.LState) int { return define(L, "rule", false) },
		"app":     func(L *lua.LState) int { return define(L, "app", true) },
		"batch": func(L *lua.LState) int {
			L.Push(script.New(L, &batch{n: 3}))
			return 1
		},
		"match": func(L *lua.LState) int {
			L.Push(script.New(L, &predicate{L.CheckString(1)}))
			return 1
		},
		"in_main": func(L *lua.LState) int {
			script.RequirePhase(L, script.Main, "api.EngineManager")
			return 0
		},
		"run": func(L *lua.LState) int {
			script.RequirePower(L, "exec", "api.run")
			L.Push(lua.LString("ran"))
			return 1
		},
		"plain_error": func(L *lua.LState) int {
			script.Raise(L, fmt.Errorf("reading: %w", errServer))
			return 0
		},
		"lines": func(L *lua.LState) int {
			text, err := script.From(L).ReadFile(L, L.CheckString(1), "api.lines")
			if err != nil {
				script.Raise(L, err)
			}
			L.Push(lua.LString(text))
			return 1
		},
		"echo": func(L *lua.LState) int {
			v, err := script.FromLua(L.Get(1))
			if err != nil {
				script.Raise(L, err)
			}
			L.Push(script.ToLua(L, v))
			return 1
		},
		"iterate": func(L *lua.LState) int {
			n := 0
			L.Push(script.Iterator(L, func(L *lua.LState) ([]lua.LValue, error) {
				if n++; n > 3 {
					return nil, nil
				}
				return []lua.LValue{lua.LNumber(n)}, nil
			}))
			return 1
		},
	} {
		t.RawSetString(name, L.NewFunction(fn))
	}
	return t
}

func toList(names []string) []any {
	list := make([]any, len(names))
	for i, n := range names {
		list[i] = n
	}
	return list
}

// define is a constructor without checks.
func define(L *lua.LState, kind string, root bool) int {
	options := wire.Map{}
	t := L.CheckTable(1)
	t.ForEach(func(k, v lua.LValue) { options[k.String()] = read(L, v) })
	d := script.NewDef(L, kind, options, "main")
	d.Root = root
	L.Push(d.Value())
	return 1
}

func read(L *lua.LState, v lua.LValue) any {
	switch v := v.(type) {
	case *lua.LFunction:
		return script.NewFunc(L, v)
	case *lua.LTable:
		if c, ok := script.AsClass(v); ok {
			return c
		}
		if v.Len() > 0 {
			list := []any{}
			for i := 1; i <= v.Len(); i++ {
				list = append(list, read(L, v.RawGetInt(i)))
			}
			return list
		}
		m := wire.Map{}
		v.ForEach(func(k, v lua.LValue) { m[k.String()] = read(L, v) })
		return m
	}
	got, err := script.FromLua(v)
	if err != nil {
		script.Raise(L, err)
	}
	return got
}
