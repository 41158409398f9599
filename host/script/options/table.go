// Package options declares the options of the script api once: the checks, the
// help, the editor stubs and the reference page all come from the same tables.
package options

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/wire"
)

// Type says what a value may be. Make one with the functions of this package.
type Type struct{ kind any }

// Option is one option of a table.
type Option struct {
	Name     string
	Type     Type
	Required bool
	Default  wire.Value // plain, in the form Read returns; nil: no default
	Help     string     // one line
	Position int        // may also be given as the n-th positional value (api.rule { "name", ... })
	// Check looks at a value of the right type; its error is reported at the
	// option's line.
	Check func(v wire.Value) error
}

// Table declares the options of one constructor.
type Table struct {
	Name    string // "api.imap": what the script calls
	Class   string // name in the editor stubs: "imapfw.ImapOptions"
	Doc     string
	Options []Option
	// Check looks at the whole; each error is reported. Use Problem to name
	// the option to blame.
	Check func(m wire.Map) []error
}

// Types of values. Read returns, in this order: bool, int64, float64, string,
// int64 octets, time.Duration, a string of the list, *script.Func, []any,
// map[string]any, wire.Map, the Datum or *script.Def or *script.Class inside
// the userdata, the first that fits, any plain value.
func Bool() Type                                          { return Type{} }
func Int(min, max int64) Type                             { return Type{} }
func Number() Type                                        { return Type{} }
func String() Type                                        { return Type{} }
func Size() Type                                          { return Type{} } // 20000000, "20M" -> int64
func Age() Type                                           { return Type{} } // "30d" -> time.Duration
func Enum(words ...string) Type                           { return Type{} }
func Func(signature string) Type                          { return Type{} } // "fun(folder: imapfw.Folder): boolean"
func ListOf(t Type) Type                                  { return Type{} }
func MapOf(t Type) Type                                   { return Type{} }
func Sub(t *Table) Type                                   { return Type{} } // a table of options of its own
func Object(what, class string, is func(v any) bool) Type { return Type{} } // "a store", "imapfw.Store"
func AnyOf(types ...Type) Type                            { return Type{} }
func Any() Type                                           { return Type{} } // any plain value

// Read reads argument n, with defaults filled in, or raises one error with
// every mistake, each at the line of its own key.
func (t *Table) Read(L *lua.LState, n int) wire.Map { panic("options: this part is being built") }

// Constructor returns a Go function for scripts that reads its only argument by
// the table and gives it to build. While the top level runs, mistakes are
// collected: the app's definition goes on, and all are reported together.
func (t *Table) Constructor(build func(L *lua.LState, m wire.Map) lua.LValue) lua.LGFunction {
	panic("options: this part is being built")
}

// Problem is an error about one option.
func Problem(option, format string, args ...any) error { panic("options: this part is being built") }

// Help is the text of `imapfw help api.imap`.
func (t *Table) Help() string { panic("options: this part is being built") }

// Markdown is the table's section of the reference page.
func (t *Table) Markdown() string { panic("options: this part is being built") }

// Stub is the LuaLS class of the table.
func (t *Table) Stub() string { panic("options: this part is being built") }
