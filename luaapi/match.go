package luaapi

import (
	"fmt"
	"maps"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// match is a predicate as scripts hold it: data, and callable on a message.
type match struct {
	expr *predicate.Expr
	// functions are those of m.fn, by the names that stand for them in expr
	// until their ids are known.
	functions map[string]*script.Func
	ready     *predicate.Predicate // compiled at first use
}

// DataKind is part of script.Datum.
func (*match) DataKind() string { return "predicate" }

// Data is part of script.Datum: the tree, with the functions themselves where
// their ids will be.
func (m *match) Data() (any, error) { return m.withFunctions(m.expr.Encode()), nil }

func (m *match) withFunctions(node wire.Map) wire.Map {
	if node["op"] == string(predicate.Fn) {
		if f := m.functions[text(node, "name")]; f != nil {
			node["name"] = f
		}
	}
	args, _ := node["args"].([]any)
	for _, arg := range args {
		m.withFunctions(arg.(wire.Map))
	}
	return node
}

// plainExpr returns a predicate as its decoder takes it, with the ids of its
// functions: the top level has run.
func plainExpr(m *match) (wire.Value, error) {
	data, err := m.Data()
	if err != nil {
		return nil, err
	}
	plain, err := script.Plain(data)
	if err != nil {
		return nil, err
	}
	return withIDs(plain), nil
}

// withIDs returns a copy of an encoded predicate with the bare id where Plain put
// the encoded form of a function.
func withIDs(node wire.Value) wire.Value {
	m, ok := node.(wire.Map)
	if !ok {
		return node
	}
	m = maps.Clone(m)
	if encoded, ok := m["name"].(wire.Map); ok {
		m["name"] = encoded["value"]
	}
	if args, ok := m["args"].([]any); ok {
		copied := make([]any, len(args))
		for i, arg := range args {
			copied[i] = withIDs(arg)
		}
		m["args"] = copied
	}
	return m
}

// exprOf reads the plain form, in any state.
func exprOf(v any) (*predicate.Expr, error) { return predicate.Decode(withIDs(v)) }

// joinFunctions returns the functions of both.
func joinFunctions(a, b *match) map[string]*script.Func {
	if len(a.functions) == 0 {
		return b.functions
	}
	if len(b.functions) == 0 {
		return a.functions
	}
	out := maps.Clone(a.functions)
	maps.Copy(out, b.functions)
	return out
}

func isPredicate(v any) bool { _, ok := v.(*match); return ok }

func predicateType() options.Type {
	return options.Object("a predicate", "imapfw.Predicate", isPredicate)
}

func predicateObject() object[*match] {
	combine := func(with func(a, b *predicate.Expr) *predicate.Expr) lua.LGFunction {
		return func(L *lua.LState) int {
			a, b := script.Check[*match](L, 1), script.Check[*match](L, 2)
			L.Push(script.New(L, &match{expr: with(a.expr, b.expr), functions: joinFunctions(a, b)}))
			return 1
		}
	}
	return object[*match]{
		name:   "Predicate",
		doc:    "What is said about a message. a + b: either, a * b: both, a - b: a and not b, -a: not a.",
		string: func(m *match) string { return m.expr.String() },
		meta: map[string]lua.LGFunction{
			"__add": combine((*predicate.Expr).Or),
			"__mul": combine((*predicate.Expr).And),
			"__sub": combine((*predicate.Expr).Minus),
			"__unm": func(L *lua.LState) int {
				m := script.Check[*match](L, 1)
				L.Push(script.New(L, &match{expr: m.expr.Not(), functions: m.functions}))
				return 1
			},
			"__call": callMatch,
		},
		operators: []string{
			"add(imapfw.Predicate): imapfw.Predicate", "mul(imapfw.Predicate): imapfw.Predicate",
			"sub(imapfw.Predicate): imapfw.Predicate", "unm: imapfw.Predicate",
			"call(imapfw.Message): boolean",
		},
	}
}

// matchFunctions are the predicates that take an argument.
func matchFunctions() []function {
	leaf := func(op predicate.Op, params, doc string, make func(L *lua.LState) *predicate.Expr) function {
		return function{name: "match." + string(op), params: params, returns: "imapfw.Predicate", doc: doc,
			call: func(L *lua.LState) int {
				L.Push(script.New(L, &match{expr: make(L).Where(script.Where(L))}))
				return 1
			}}
	}
	text := func(op predicate.Op, doc string) function {
		return leaf(op, "text: string|imapfw.Regex", doc, func(L *lua.LState) *predicate.Expr {
			return predicate.OnText(op, "", textOf(L, 1))
		})
	}
	size := func(op predicate.Op, doc string) function {
		return leaf(op, "size: imapfw.Size", doc, func(L *lua.LState) *predicate.Expr {
			return predicate.OnSize(op, checkSize(L, 1))
		})
	}
	age := func(op predicate.Op, doc string) function {
		return leaf(op, "age: imapfw.Age", doc, func(L *lua.LState) *predicate.Expr {
			return predicate.OnAge(op, checkAge(L, 1))
		})
	}
	name := func(op predicate.Op, params, doc string) function {
		return leaf(op, params, doc, func(L *lua.LState) *predicate.Expr { return predicate.OnName(op, L.CheckString(1)) })
	}
	return []function{
		text(predicate.From, "The sender, decoded: a substring without regard to case, or api.re."),
		text(predicate.To, "The To field."),
		text(predicate.Cc, "The Cc field."),
		text(predicate.Bcc, "The Bcc field."),
		text(predicate.Subject, "The subject, decoded."),
		text(predicate.List, "The List-Id field."),
		leaf(predicate.Header, "name: string, text?: string|imapfw.Regex", "Any field of the header; without a text: the field is there.",
			func(L *lua.LState) *predicate.Expr {
				var m predicate.Match
				if L.Get(2) != lua.LNil {
					m = textOf(L, 2)
				}
				return predicate.OnText(predicate.Header, L.CheckString(1), m)
			}),
		text(predicate.Body, "The readable text. The whole message is read for it: slow."),
		text(predicate.Text, "The header or the readable text. Slow."),
		leaf(predicate.HasAttachment, "kind?: string", "It has an attachment; with a kind, one whose name ends so: \"pdf\". Slow.",
			func(L *lua.LState) *predicate.Expr {
				return predicate.OnName(predicate.HasAttachment, L.OptString(1, ""))
			}),
		name(predicate.Folder, "pattern: string", "The folder's name, by a pattern with * and %."),
		name(predicate.Keyword, "name: string", "A keyword."),
		size(predicate.Larger, "Larger than a size."),
		size(predicate.Smaller, "Smaller than a size."),
		age(predicate.Older, "Arrived longer ago."),
		age(predicate.Newer, "Arrived at most so long ago."),
		leaf(predicate.SentBefore, "date: string", "The Date field is before a day, \"2026-11-02\".", func(L *lua.LState) *predicate.Expr {
			day, err := time.ParseInLocation(time.DateOnly, L.CheckString(1), time.Local)
			if err != nil {
				script.ArgError(L, 1, "%q is no date such as 2026-11-02", L.CheckString(1))
			}
			return predicate.Before(day)
		}),
		{name: "match.fn", params: "fn: fun(msg: imapfw.Message): boolean, string?", returns: "imapfw.Predicate",
			doc: "What a function says. It is called once for each message: the others cost less.", call: matchFunction},
	}
}

// matchFunction is api.match.fn.
func matchFunction(L *lua.LState) int {
	fn, at := L.CheckFunction(1), script.Where(L)
	f := script.NewFunc(L, fn)
	name := fmt.Sprintf("%s %p", at, f)
	L.Push(script.New(L, &match{
		expr:      predicate.OnName(predicate.Fn, name).Where(at),
		functions: map[string]*script.Func{name: f},
	}))
	return 1
}

// matchValues are the predicates without an argument.
func matchValues() []value {
	leaf := func(op predicate.Op, doc string) value {
		return value{name: "match." + string(op), kind: "imapfw.Predicate", doc: doc, make: func(L *lua.LState) lua.LValue {
			return script.New(L, &match{expr: predicate.Leaf(op)})
		}}
	}
	return []value{
		leaf(predicate.All, "Every message."),
		leaf(predicate.Seen, "It was read."),
		leaf(predicate.Flagged, "It is flagged."),
		leaf(predicate.Answered, "It was answered."),
		leaf(predicate.Draft, "It is a draft."),
		leaf(predicate.Deleted, "It is marked deleted."),
		leaf(predicate.Reply, "It answers another message."),
		leaf(predicate.Auto, "A machine sent it."),
	}
}
