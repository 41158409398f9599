package script

import (
	"context"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// Instance is one object of a class in one state: a Go object, and the fields
// scripts give it (self.count = 0).
type Instance struct {
	class  *Class
	core   any
	value  *lua.LUserData
	fields *lua.LTable
}

// instanceMeta makes the metatable of a class's instances.
func (c *Class) instanceMeta(L *lua.LState) *lua.LTable {
	meta := L.CreateTable(0, 5)
	methods := c.methods
	meta.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		if ud, ok := L.Get(1).(*lua.LUserData); ok {
			if i, ok := ud.Value.(*Instance); ok {
				if v := i.fields.RawGet(L.Get(2)); v != lua.LNil {
					L.Push(v)
					return 1
				}
			}
		}
		L.Push(L.GetTable(methods, L.Get(2)))
		return 1
	}))
	meta.RawSetString("__newindex", L.NewFunction(func(L *lua.LState) int {
		SelfInstance(L).fields.RawSet(L.Get(2), L.Get(3))
		return 0
	}))
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LString("object of " + c.id))
		return 1
	}))
	meta.RawSetString("__metatable", lua.LFalse)
	meta.RawSetString("__name", lua.LString(c.name))
	return meta
}

func (c *Class) newInstance(core any) *Instance {
	i := &Instance{class: c, core: core, fields: &lua.LTable{Metatable: lua.LNil}}
	i.value = &lua.LUserData{Value: i, Env: i.fields, Metatable: c.object}
	return i
}

// Instantiate makes an instance with core as its Go object and runs its init
// with args, inside Do. When init raises there is no instance; core is the
// caller's to close.
func (s *State) Instantiate(L *lua.LState, classID string, core any, args wire.Value) (*Instance, error) {
	c, ok := s.classes[classID]
	if !ok {
		return nil, fault.New(fault.Config, "", "there is no class %q in %s", classID, s.describe()).
			WithHint("define classes at the top level so that workers can find them")
	}
	i := c.newInstance(core)
	var opts lua.LValue
	if _, err := s.Call(L, L.NewFunction(func(L *lua.LState) int {
		opts = ToLua(L, args) // a decoder may raise
		return 0
	}), 0); err != nil {
		return nil, err
	}
	if opts == lua.LNil {
		opts = L.NewTable()
	}
	if _, err := i.Call(L, "init", 0, opts); err != nil {
		return nil, err
	}
	return i, nil
}

// SelfInstance returns the instance that is argument 1, or raises.
func SelfInstance(L *lua.LState) *Instance {
	i, ok := Is[*Instance](L.Get(1))
	if !ok {
		Raise(L, fault.New(fault.Script, "", "expected an object as self, got %s", TypeName(L.Get(1))).
			WithHint("call methods with a colon, object:method(...), and super with Name.super.method(self, ...)"))
	}
	return i
}

// Self returns the Go object of the instance that is argument 1, or raises.
func Self[T any](L *lua.LState) T {
	i := SelfInstance(L)
	core, ok := i.core.(T)
	if !ok {
		Raise(L, fault.New(fault.Script, "", "an object of %s does not have this method", i.class.name))
	}
	return core
}

// Class returns the instance's class.
func (i *Instance) Class() *Class { return i.class }

// Core returns the instance's Go object.
func (i *Instance) Core() any { return i.core }

// Value returns the instance as a Lua value.
func (i *Instance) Value() *lua.LUserData { return i.value }

// Call calls a method, inside Do.
func (i *Instance) Call(L *lua.LState, method string, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	fn := L.GetField(i.class.methods, method)
	if fn.Type() != lua.LTFunction {
		return nil, fault.New(fault.Script, "", "%s has no method %q", i.class.name, method)
	}
	s := i.class.state
	if s.opts.Slow != nil {
		defer s.running.Store(s.running.Swap(&callee{fn: fn, method: method}))
	}
	results, err := s.Call(L, fn, nret, append([]lua.LValue{i.value}, args...)...)
	if err != nil {
		return nil, inMethod(err, i.class.name, method)
	}
	return results, nil
}

// inMethod notes the method in the error of a script that did not say more.
func inMethod(err error, class, method string) error {
	f, ok := err.(*fault.Error)
	if !ok || f.Op != "" || f.Code != fault.Script {
		return err
	}
	noted := *f
	noted.Op = class + ":" + method
	return &noted
}

// CallMethod calls a method with plain values, from any goroutine: it uses Do.
func (s *State) CallMethod(ctx context.Context, i *Instance, method string, args ...wire.Value) (results []wire.Value, err error) {
	err = s.Do(ctx, func(L *lua.LState) error {
		values := make([]lua.LValue, len(args))
		for n, arg := range args {
			values[n] = ToLua(L, arg)
		}
		returned, err := i.Call(L, method, lua.MultRet, values...)
		if err != nil {
			return err
		}
		results = make([]wire.Value, len(returned))
		for n, v := range returned {
			if results[n], err = FromLua(v); err != nil {
				return fault.Wrap(fault.Script, fmt.Sprintf("result %d of %s:%s", n+1, i.class.name, method), err)
			}
		}
		return nil
	})
	return results, err
}
