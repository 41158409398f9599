// Package options declares the options of the script api once: the checks, the
// help, the editor stubs and the reference page all come from the same tables,
// so they cannot drift apart.
package options

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// Option is one option of a table.
type Option struct {
	Name     string
	Type     Type
	Required bool
	Default  any    // in the form Read returns; nil: none
	Help     string // one line
	// DefaultText says in words what a default that is no constant is:
	// "993, or 143".
	DefaultText string
	Position    int  // may also be given as the n-th value (api.rule { "name", ... }); from 1
	Secret      bool // its value never enters a message
	// Check looks at a value of the right type; its error is reported at the
	// option's line.
	Check func(v any) error
}

// Table declares the options of one constructor. It is immutable once used.
type Table struct {
	Name    string // "api.imap": what the script calls
	Class   string // in the editor stubs: "imapfw.ImapOptions"
	Returns string // in the editor stubs: "imapfw.Store"; "" for a table that is only part of others
	Doc     string // one or more sentences
	Options []Option
	// Check looks at the whole when every option is right by itself; each
	// error is reported. Use Problem to name the option to blame.
	Check func(m wire.Map) []error
	// Open keeps unknown options instead of refusing them, as plain values.
	Open bool
}

// Problem is an error about one option, for Table.Check.
func Problem(option string, err error) error { return &problem{option, err} }

type problem struct {
	option string
	err    error
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

// Read reads argument n, with defaults filled in, or raises one error with
// every mistake, each at the line of its own key. Options that are absent and
// have no default are not in the result.
func (t *Table) Read(L *lua.LState, n int) wire.Map {
	m, mistakes := t.read(L, L.Get(n))
	if len(mistakes) > 0 {
		script.Raise(L, script.Together(mistakes))
	}
	return m
}

// Constructor returns a Go function for scripts that reads its only argument by
// the table and gives it to build. While the top level runs, mistakes are
// reported together with those of other constructors at its end; build is not
// called, and what the script gets instead fits everywhere.
func (t *Table) Constructor(build func(L *lua.LState, m wire.Map) lua.LValue) lua.LGFunction {
	return func(L *lua.LState) int {
		s := script.From(L)
		if L.GetTop() > 1 {
			script.ArgError(L, 2, "%s takes one table", t.Name)
		}
		r := newReader(L, t)
		m := r.options(L.Get(1))
		switch mistakes := r.errors(); {
		case len(mistakes) > 0 && s.Phase() != script.Define:
			script.Raise(L, script.Together(mistakes))
		case len(mistakes) > 0:
			for _, err := range mistakes {
				s.Report(L, err)
			}
			L.Push(standIn(L))
		case r.broken:
			L.Push(standIn(L))
		default:
			L.Push(build(L, m))
		}
		return 1
	}
}

func (t *Table) read(L *lua.LState, v lua.LValue) (wire.Map, []error) {
	r := newReader(L, t)
	m := r.options(v)
	return m, r.errors()
}

func (t *Table) find(name string) *Option {
	for i := range t.Options {
		if t.Options[i].Name == name {
			return &t.Options[i]
		}
	}
	return nil
}

func (t *Table) at(position int) *Option {
	for i := range t.Options {
		if t.Options[i].Position == position && position > 0 {
			return &t.Options[i]
		}
	}
	return nil
}

func (t *Table) names() []string {
	names := make([]string, len(t.Options))
	for i := range t.Options {
		names[i] = t.Options[i].Name
	}
	return names
}
