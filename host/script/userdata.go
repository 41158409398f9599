package script

import (
	"fmt"
	"reflect"
	"sort"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// Type describes a Go type that scripts see as userdata. Values are borrowed:
// what holds a connection or a file is owned and closed by Go, since Lua has no
// finalisers here.
type Type[T any] struct {
	Name    string // "Batch", in messages
	Methods map[string]lua.LGFunction
	Fields  map[string]func(L *lua.LState, v T) lua.LValue
	Set     map[string]func(L *lua.LState, v T, to lua.LValue)          // assignable fields
	String  func(v T) string                                            // tostring; nil: the name
	Meta    map[string]lua.LGFunction                                   // __add, __call, __len, ...
	Index   func(L *lua.LState, v T, key lua.LValue) (lua.LValue, bool) // other keys
}

// typeInfo is a registered type in one state.
type typeInfo struct {
	name string
	meta *lua.LTable
}

// Register makes T known to a state. Reading a field that T does not have
// raises: in scripts it is a misspelt one.
func Register[T any](L *lua.LState, t Type[T]) {
	s := From(L)
	meta := L.CreateTable(0, 6+len(t.Meta))
	methods := L.CreateTable(0, len(t.Methods))
	for name, fn := range t.Methods {
		methods.RawSetString(name, L.NewFunction(fn))
	}
	meta.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		v, key := Check[T](L, 1), L.Get(2)
		name, isName := key.(lua.LString)
		if isName {
			if get := t.Fields[string(name)]; get != nil {
				L.Push(get(L, v))
				return 1
			}
			if m := methods.RawGetString(string(name)); m != lua.LNil {
				L.Push(m)
				return 1
			}
		}
		if t.Index != nil {
			if got, ok := t.Index(L, v, key); ok {
				L.Push(got)
				return 1
			}
		}
		Raise(L, noField(t.Name, key, t.Fields, t.Methods))
		return 0
	}))
	meta.RawSetString("__newindex", L.NewFunction(func(L *lua.LState) int {
		v, key := Check[T](L, 1), L.Get(2).String()
		set := t.Set[key]
		if set == nil {
			Raise(L, fault.New(fault.Script, "", "cannot assign %s.%s: it is read-only", t.Name, key))
		}
		set(L, v, L.Get(3))
		return 0
	}))
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int {
		text := t.Name
		if t.String != nil {
			text = t.String(Check[T](L, 1))
		}
		L.Push(lua.LString(text))
		return 1
	}))
	for event, fn := range t.Meta {
		meta.RawSetString(event, L.NewFunction(fn))
	}
	meta.RawSetString("__metatable", lua.LFalse)
	meta.RawSetString("__name", lua.LString(t.Name))
	s.types[reflect.TypeFor[T]()] = &typeInfo{t.Name, meta}
}

// noField is the error of reading a field that is not there.
func noField[A, B any](typ string, key lua.LValue, fields map[string]A, methods map[string]B) error {
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	for name := range methods {
		known = append(known, name)
	}
	sort.Strings(known)
	err := fault.New(fault.Script, "", "%s has no field %q", typ, key.String())
	if near := syntax.Nearest(key.String(), known); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	return err
}

// New wraps v as a userdata of its registered type.
func New[T any](L *lua.LState, v T) *lua.LUserData {
	info := From(L).types[reflect.TypeFor[T]()]
	if info == nil {
		panic(fmt.Sprintf("script: type %v is not registered", reflect.TypeFor[T]()))
	}
	return &lua.LUserData{Value: v, Metatable: info.meta}
}

// Is returns v as a T.
func Is[T any](v lua.LValue) (T, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		got, ok := ud.Value.(T)
		return got, ok
	}
	var zero T
	return zero, false
}

// Check returns argument n as a T, or raises
// "bad argument #1 to 'where': expected Batch, got table".
func Check[T any](L *lua.LState, n int) T {
	v, ok := Is[T](L.Get(n))
	if !ok {
		want := reflect.TypeFor[T]().String()
		if info := From(L).types[reflect.TypeFor[T]()]; info != nil {
			want = info.name
		}
		Expected(L, n, want)
	}
	return v
}

// Opt returns argument n as a T, or the zero value when it is nil.
func Opt[T any](L *lua.LState, n int) (v T) {
	if L.Get(n) == lua.LNil {
		return v
	}
	return Check[T](L, n)
}

// Expected raises "bad argument #n to 'f': expected what, got table".
func Expected(L *lua.LState, n int, what string) {
	got := typeName(L.Get(n))
	if n > L.GetTop() {
		got = "nothing"
	}
	ArgError(L, n, "expected %s, got %s", what, got)
}

// ArgError raises "bad argument #n to 'f': text" at the user's line.
func ArgError(L *lua.LState, n int, format string, args ...any) {
	to := ""
	if dbg, ok := L.GetStack(0); ok {
		if _, err := L.GetInfo("n", dbg, lua.LNil); err == nil && dbg.Name != "" {
			to = " to " + quoteName(dbg.Name)
		}
	}
	Raise(L, fault.New(fault.Script, "", "bad argument #%d%s: %s", n, to, fmt.Sprintf(format, args...)))
}

// typeName says what a value is, for messages.
func typeName(v lua.LValue) string {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		if t, ok := v.(*lua.LTable); ok {
			if c := classOf(t); c != nil {
				return "class " + c.name
			}
		}
		return v.Type().String()
	}
	switch v := ud.Value.(type) {
	case *raised:
		return "error"
	case *Instance:
		return v.class.name
	case *Def:
		return v.Kind
	case Datum:
		return v.DataKind()
	}
	if meta, ok := ud.Metatable.(*lua.LTable); ok {
		if name, ok := meta.RawGetString("__name").(lua.LString); ok {
			return string(name)
		}
	}
	return "userdata"
}

// TypeName says what a value is, for messages: "table", "Batch", "class Redact".
func TypeName(v lua.LValue) string { return typeName(v) }

// Iterator returns a function for the generic for; next returns no values at
// the end.
func Iterator(L *lua.LState, next func(L *lua.LState) ([]lua.LValue, error)) *lua.LFunction {
	return L.NewFunction(func(L *lua.LState) int {
		values, err := next(L)
		if err != nil {
			Raise(L, err)
		}
		for _, v := range values {
			L.Push(v)
		}
		return len(values)
	})
}

// List returns a real table of the values (ipairs and # work).
func List(L *lua.LState, values []lua.LValue) *lua.LTable {
	t := L.CreateTable(len(values), 0)
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return t
}
