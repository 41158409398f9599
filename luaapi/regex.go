package luaapi

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
)

// regex is api.re "...": text that is matched by a regular expression.
type regex struct{ source string }

// DataKind is part of script.Datum.
func (*regex) DataKind() string { return "regex" }

// Data is part of script.Datum.
func (r *regex) Data() (any, error) { return r.source, nil }

func regexObject() object[*regex] {
	return object[*regex]{
		name: "Regex", doc: "A regular expression in the syntax of Go.",
		string: func(r *regex) string { return "re " + strings.TrimSpace(r.source) },
	}
}

func reFunction() function {
	return function{name: "re", params: "pattern: string", returns: "imapfw.Regex",
		doc: "A regular expression, in the syntax of Go (RE2), for the predicates about text.",
		call: func(L *lua.LState) int {
			source := L.CheckString(1)
			if _, err := regexp.Compile(source); err != nil {
				script.Raise(L, badPattern(source, err))
			}
			L.Push(script.New(L, &regex{source}))
			return 1
		}}
}

// badPattern points at what is wrong with a pattern.
func badPattern(source string, err error) error {
	bad := fault.New(fault.Config, "", "api.re: bad pattern: %v", err)
	var at *syntax.Error
	if !errors.As(err, &at) {
		return bad
	}
	bad.Message = "api.re: " + string(at.Code)
	if i := strings.Index(source, at.Expr); i >= 0 && at.Expr != "" {
		bad.Message += "\n  " + source + "\n  " + strings.Repeat(" ", i) + "^"
	}
	return bad
}

// textOf reads what a leaf about text looks for.
func textOf(L *lua.LState, n int) predicate.Match {
	if r, ok := script.Is[*regex](L.Get(n)); ok {
		return predicate.Match{Regexp: r.source}
	}
	s, ok := L.Get(n).(lua.LString)
	if !ok {
		script.ArgError(L, n, "expected a string or api.re \"...\", got %s", L.Get(n).Type())
	}
	if s == "" {
		script.ArgError(L, n, "an empty text is in every message")
	}
	return predicate.Match{Substring: string(s)}
}
