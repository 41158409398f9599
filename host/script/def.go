package script

import (
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// Def is what a constructor such as api.account{} returns: a kind and its
// options. It is also what calling a class in main gives: the class and its
// arguments, for the host to make an instance of in a worker.
type Def struct {
	Kind string // "account", "rule", "imap"; "object" for a class's
	At   string // file:line of the constructor's call
	// Root definitions have the id "kind name" wherever they stand; others
	// have the path from the definition that holds them.
	Root    bool
	Options wire.Map // may hold Datums; Plain makes them encodable
	Class   string   // id of the class that was called
	Args    any      // what it was called with
	// Go is for the host: what it made of the options. It does not travel.
	Go any

	value    *lua.LUserData
	settable []string
	name     string
}

// NewDef makes a definition and its userdata. Scripts can read its options
// (def.name), and while the top level runs assign functions to those named in
// settable (function app.main(ctx) ... end). The place is the caller's line.
func NewDef(L *lua.LState, kind string, options wire.Map, settable ...string) *Def {
	d := &Def{Kind: kind, At: Where(L), Options: options, settable: settable}
	d.value = New(L, d)
	return d
}

// Value returns the definition as a Lua value.
func (d *Def) Value() *lua.LUserData { return d.value }

// Name returns the option "name", or the name it was given, or "".
func (d *Def) Name() string {
	if name, ok := d.Options["name"].(string); ok && name != "" {
		return name
	}
	return d.name
}

// SetName names a definition whose options do not.
func (d *Def) SetName(name string) { d.name = name }

// DataKind implements Datum.
func (d *Def) DataKind() string { return "definition" }

// Data implements Datum.
func (d *Def) Data() (any, error) {
	m := wire.Map{"kind": d.Kind}
	if d.Class != "" {
		m["class"], m["args"] = d.Class, d.Args
	}
	if d.Options != nil {
		m["options"] = d.Options
	}
	return m, nil
}

func (d *Def) String() string {
	switch {
	case d.Class != "":
		return "definition of " + d.Class
	case d.Name() != "":
		return fmt.Sprintf("%s %q", d.Kind, d.Name())
	}
	return d.Kind
}

// openDefs registers definitions, and the decoders of what the host itself puts
// into data.
func (s *State) openDefs(L *lua.LState) {
	Register(L, Type[handle]{Name: "handle"})
	Register(L, Type[*Def]{
		Name:   "definition",
		String: (*Def).String,
		Index: func(L *lua.LState, d *Def, key lua.LValue) (lua.LValue, bool) {
			if v, ok := d.Options[key.String()]; ok {
				return ToLua(L, v), true
			}
			if key.String() == "name" {
				return ToLua(L, d.Name()), true
			}
			return lua.LNil, true
		},
		Meta: map[string]lua.LGFunction{"__newindex": func(L *lua.LState) int {
			Check[*Def](L, 1).assign(L, L.CheckString(2), L.Get(3))
			return 0
		}},
	})
	s.RegisterData("definition", func(L *lua.LState, v any) (lua.LValue, error) {
		m, _ := v.(wire.Map)
		kind, _ := m["kind"].(string)
		options, _ := m["options"].(wire.Map)
		d := NewDef(L, kind, options)
		d.Class, _ = m["class"].(string)
		d.Args = m["args"]
		return d.value, nil
	})
	s.RegisterData("function", func(L *lua.LState, v any) (lua.LValue, error) {
		id, _ := v.(string)
		f, ok := s.funcs[id]
		if !ok {
			return nil, fault.New(fault.Internal, "", "there is no function %q in this state", id)
		}
		return f.fn, nil
	})
	s.RegisterData("class", func(L *lua.LState, v any) (lua.LValue, error) {
		id, _ := v.(string)
		c, ok := s.classes[id]
		if !ok {
			return nil, fault.New(fault.Internal, "", "there is no class %q in this state", id)
		}
		return c.table, nil
	})
}

// assign is an assignment to a field of a definition.
func (d *Def) assign(L *lua.LState, name string, v lua.LValue) {
	if !slices.Contains(d.settable, name) {
		Raise(L, fault.New(fault.Config, "", "cannot assign %s of %s", name, d).
			WithHint("give options in the table: api.%s { %s = ... }", d.Kind, name))
	}
	RequirePhase(L, Define, "assigning "+name)
	fn, ok := v.(*lua.LFunction)
	if !ok {
		Raise(L, fault.New(fault.Config, "", "%s of %s must be a function, got %s", name, d, typeName(v)))
	}
	if d.Options == nil {
		d.Options = wire.Map{}
	}
	d.Options[name] = NewFunc(L, fn)
}

// Func is a function among options. Its id is its path from the definition it
// stands in ("account work/rules[3].move"), known once the top level has run.
type Func struct {
	state *State
	fn    *lua.LFunction
	id    string
}

// NewFunc makes the Datum of a function that stands in options.
func NewFunc(L *lua.LState, fn *lua.LFunction) *Func { return &Func{state: From(L), fn: fn} }

// ID returns the function's id, "" before the top level has ended or when it is
// not part of the app.
func (f *Func) ID() string { return f.id }

// At returns file:line of the function.
func (f *Func) At() string {
	if f.fn.Proto == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", f.fn.Proto.SourceName, f.fn.Proto.LineDefined)
}

// Value returns the function. Use it inside Do of its state.
func (f *Func) Value() *lua.LFunction { return f.fn }

// Call calls the function, inside Do of its state.
func (f *Func) Call(L *lua.LState, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	return f.state.Call(L, f.fn, nret, args...)
}

// DataKind implements Datum.
func (f *Func) DataKind() string { return "function" }

// Data implements Datum: the id, by which another state finds the same function.
func (f *Func) Data() (any, error) {
	if f.id == "" {
		return nil, (&fault.Error{Code: fault.Config, At: f.At(), Message: "this function cannot be found by a worker"}).
			WithHint("define it at the top level, in an option of an account or a method of a class")
	}
	return f.id, nil
}

// Func finds a function by its id in this state.
func (s *State) Func(id string) (*Func, bool) {
	f, ok := s.funcs[id]
	return f, ok
}
