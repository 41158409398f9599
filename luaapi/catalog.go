package luaapi

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

// function is one function of the api: what scripts call, and what editors and
// the reference page say about it.
type function struct {
	name string // "from", or "match.from" in the table of entries
	// params are as LuaLS writes them, "name: type" or "name?: type", joined by
	// ", "; returns likewise, without names.
	params, returns string
	doc             string
	// in holds the phases in which it may be called; 0 means any.
	in script.Phase
	// power is what a contrib script must have been granted to call it.
	power string
	call  lua.LGFunction
}

// what is how errors name the function.
func (f function) what(owner string) string { return owner + f.name }

// guarded returns the function as scripts get it.
func (f function) guarded(what string) lua.LGFunction {
	if f.in == 0 && f.power == "" {
		return f.call
	}
	return func(L *lua.LState) int {
		if f.in != 0 {
			script.RequirePhase(L, f.in, what)
		}
		if f.power != "" {
			script.RequirePower(L, f.power, what)
		}
		return f.call(L)
	}
}

// param is one parameter as the stubs need it.
type param struct{ name, kind string }

func splitParams(list string) []param {
	var out []param
	for _, one := range splitTop(list) {
		name, kind, _ := strings.Cut(one, ":")
		out = append(out, param{strings.TrimSpace(name), strings.TrimSpace(kind)})
	}
	return out
}

// splitTop splits at the commas that are not inside brackets.
func splitTop(list string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range list {
		switch c {
		case '(', '{', '<', '[':
			depth++
		case ')', '}', '>', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(list[from:i]))
				from = i + 1
			}
		}
	}
	if rest := strings.TrimSpace(list[from:]); rest != "" {
		out = append(out, rest)
	}
	return out
}

// signature is the function as a caller writes it: "from(text)".
func (f function) signature() string {
	var names []string
	for _, p := range splitParams(f.params) {
		names = append(names, strings.TrimSuffix(p.name, "?"))
	}
	return f.name + "(" + strings.Join(names, ", ") + ")"
}

// value is a name of the api that is no function.
type value struct {
	name, kind, doc string
	make            func(L *lua.LState) lua.LValue
}

// object is a Go type that scripts see as userdata.
type object[T any] struct {
	name    string // "Message"; "imapfw.Message" for editors
	doc     string
	fields  []field[T]
	methods []function
	string  func(v T) string
	meta    map[string]lua.LGFunction
	// operators are lines of the stub: "add(imapfw.Predicate): imapfw.Predicate".
	operators []string
	index     func(L *lua.LState, v T, key lua.LValue) (lua.LValue, bool)
}

// field is one field of an object.
type field[T any] struct {
	name, kind, doc string
	get             func(L *lua.LState, v T) lua.LValue
}

func (o object[T]) register(L *lua.LState) {
	t := script.Type[T]{
		Name: o.name, String: o.string, Meta: o.meta, Index: o.index,
		Methods: map[string]lua.LGFunction{},
		Fields:  map[string]func(L *lua.LState, v T) lua.LValue{},
	}
	for _, f := range o.fields {
		t.Fields[f.name] = f.get
	}
	for _, m := range o.methods {
		t.Methods[m.name] = m.guarded(m.what(o.name + ":"))
	}
	script.Register(L, t)
}

// docs returns the object as the stubs and the reference page need it.
func (o object[T]) docs() objectDoc {
	d := objectDoc{name: o.name, doc: o.doc, methods: o.methods, operators: o.operators}
	for _, f := range o.fields {
		d.fields = append(d.fields, fieldDoc{f.name, f.kind, f.doc})
	}
	return d
}

// objectDoc is an object without its Go type.
type objectDoc struct {
	name, doc string
	fields    []fieldDoc
	methods   []function
	operators []string
}

type fieldDoc struct{ name, kind, doc string }

// described is anything that can be registered in a state and documented.
type described interface {
	register(L *lua.LState)
	docs() objectDoc
}
