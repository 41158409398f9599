package script

import (
	"fmt"
	"regexp"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/wire"
)

// ClassSpec declares a base class of the api.
type ClassSpec struct {
	Module  string                    // "imapfw.api"
	Name    string                    // "ImapRepository"
	Base    *Class                    // nil for a root
	Methods map[string]lua.LGFunction // self is argument 1: Self[T](L)
	// Args reads what the class was called with (argument n) in main; nil:
	// any plain data. It is inherited.
	Args func(L *lua.LState, n int) any
	// New makes the Go object of an instance that a script makes itself in the
	// worker phase. nil: only the host makes instances. It is inherited.
	New func(L *lua.LState, args wire.Value) (any, error)
}

// Class is a class in one state. Scripts see a table; its methods are behind it,
// so that every write can be judged.
type Class struct {
	state   *State
	id      string
	name    string
	at      string
	base    *Class
	api     bool
	args    func(L *lua.LState, n int) any
	make    func(L *lua.LState, args wire.Value) (any, error)
	table   *lua.LTable // what scripts see
	methods *lua.LTable
	object  *lua.LTable // metatable of instances
}

// classKey marks the metatable of a class's table and holds the *Class.
const classKey = "imapfw.class"

// NewClass registers a base class of the api in a state. Its table refuses
// writes. Every root gets an init that does nothing, unless it has one.
func (s *State) NewClass(L *lua.LState, spec ClassSpec) *Class {
	c := &Class{id: spec.Module + ":" + spec.Name, name: spec.Name, base: spec.Base, api: true, args: spec.Args, make: spec.New}
	s.build(L, c)
	for name, fn := range spec.Methods {
		c.methods.RawSetString(name, L.NewFunction(fn))
	}
	if spec.Base == nil && spec.Methods["init"] == nil {
		c.methods.RawSetString("init", L.NewFunction(func(L *lua.LState) int {
			SelfInstance(L)
			return 0
		}))
	}
	return c
}

// build makes a class's tables and registers it.
func (s *State) build(L *lua.LState, c *Class) {
	c.state = s
	c.methods = L.CreateTable(0, 8)
	if c.base != nil {
		c.methods.RawSetString("super", c.base.table)
		up := L.CreateTable(0, 1)
		up.RawSetString("__index", c.base.methods)
		c.methods.Metatable = up
		if c.args == nil {
			c.args = c.base.args
		}
		if c.make == nil {
			c.make = c.base.make
		}
	} else {
		c.methods.RawSetString("extend", L.NewFunction(extend))
	}
	c.table = lualib.Freeze(L, c.methods, c.write)
	meta := c.table.Metatable.(*lua.LTable)
	meta.RawSetString(classKey, &lua.LUserData{Value: c, Metatable: lua.LNil})
	meta.RawSetString("__call", L.NewFunction(c.call))
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LString("class " + c.id))
		return 1
	}))
	c.object = c.instanceMeta(L)
	s.classes[c.id] = c
}

// write is an assignment to a class: the definition of a method.
func (c *Class) write(L *lua.LState) int {
	name := L.Get(2).String()
	switch {
	case c.api:
		Raise(L, fault.New(fault.Script, "", "cannot change %s.%s: %s is part of the api", c.name, name, c.name).
			WithHint("subclass it: local Mine = api.%s:extend \"Mine\"", c.name))
	case name == "super" || name == "extend":
		Raise(L, fault.New(fault.Script, "", "%s.%s cannot be redefined", c.name, name))
	}
	RequirePhase(L, Define, fmt.Sprintf("defining %s.%s", c.name, name))
	c.methods.RawSet(L.Get(2), L.Get(3))
	return 0
}

var className = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// extend is Class:extend "Name".
func extend(L *lua.LState) int {
	base, s := CheckClass(L, 1), From(L)
	RequirePhase(L, Define, fmt.Sprintf("%s:extend", base.name))
	name := L.CheckString(2)
	if !className.MatchString(name) {
		ArgError(L, 2, "%q is not a name for a class", name)
	}
	module := "main"
	if src := s.caller(L); src != nil {
		module = src.Name
	}
	c := &Class{id: module + ":" + name, name: name, at: Where(L), base: base}
	if other, taken := s.classes[c.id]; taken {
		Raise(L, fault.New(fault.Config, "", "there are two classes %q in this module", name).
			WithHint("the other is at %s; workers find a class by its name", other.at))
	}
	s.build(L, c)
	L.Push(c.table)
	return 1
}

// call is Name { opts }: a definition in main, an instance in a worker.
func (c *Class) call(L *lua.LState) int {
	s := From(L)
	if s.phase != Work {
		d := NewDef(L, "object", nil)
		d.Class = c.id
		d.Args = c.readArgs(L)
		L.Push(d.value)
		return 1
	}
	if c.make == nil {
		Raise(L, fault.New(fault.Script, "", "objects of %s are made by the host", c.name).
			WithHint("call the class in main, where it becomes a definition"))
	}
	args := c.readArgs(L)
	core, err := c.make(L, args)
	if err != nil {
		Raise(L, err)
	}
	i := c.newInstance(core)
	L.Push(L.GetField(c.methods, "init"))
	L.Push(i.value)
	L.Push(L.Get(2))
	L.Call(2, 0)
	L.Push(i.value)
	return 1
}

func (c *Class) readArgs(L *lua.LState) any {
	if L.GetTop() > 2 {
		Raise(L, fault.New(fault.Script, "", "%s takes one table of options", c.name))
	}
	if c.args != nil {
		return c.args(L, 2)
	}
	args, err := FromLua(L.Get(2))
	if err != nil {
		Raise(L, fault.New(fault.Config, c.name, "%s", err.Error()).
			WithHint("its init runs in a worker; define functions as methods of the class, at the top level"))
	}
	return args
}

// classOf returns the class a table is, or nil.
func classOf(t *lua.LTable) *Class {
	meta, ok := t.Metatable.(*lua.LTable)
	if !ok {
		return nil
	}
	c, _ := Is[*Class](meta.RawGetString(classKey))
	return c
}

// AsClass returns the class a value is.
func AsClass(v lua.LValue) (*Class, bool) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil, false
	}
	c := classOf(t)
	return c, c != nil
}

// CheckClass returns the class that is argument n, or raises.
func CheckClass(L *lua.LState, n int) *Class {
	c, ok := AsClass(L.Get(n))
	if !ok {
		Expected(L, n, "a class")
	}
	return c
}

// Class finds a class by id ("full:GmailRepository").
func (s *State) Class(id string) (*Class, bool) {
	c, ok := s.classes[id]
	return c, ok
}
