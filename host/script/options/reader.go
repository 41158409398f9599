package options

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/script/syntax"
	"github.com/imapfw/imapfw/host/wire"
)

// reader reads one call's table and notes every mistake.
type reader struct {
	L        *lua.LState
	top      *Table
	mistakes []mistake
	broken   bool // holds a stand-in: its mistake was reported before
	secret   bool // the option being read
}

type mistake struct {
	path  []any
	text  string
	hint  string
	known *Table // list its options
	code  fault.Code
}

func newReader(L *lua.LState, t *Table) *reader {
	return &reader{L: L, top: t}
}

// options reads the outer table.
func (r *reader) options(v lua.LValue) wire.Map {
	if v == lua.LNil {
		r.fail(nil, "expected a table of options, got nothing", "")
		return nil
	}
	m, _ := r.table(r.top, v, nil)
	return m
}

// table reads a table of options.
func (r *reader) table(t *Table, v lua.LValue, path []any) (wire.Map, bool) {
	if !isPlainTable(v) {
		if len(path) == 0 {
			r.fail(path, "expected a table of options, got "+script.TypeName(v), "")
		} else {
			r.expected(path, "a table", v)
		}
		return nil, false
	}
	before := len(r.mistakes)
	m, given := wire.Map{}, map[string]bool{}
	table := lualib.Contents(v.(*lua.LTable))
	for k, v := table.Next(lua.LNil); k != lua.LNil; k, v = table.Next(k) {
		r.option(t, m, given, k, v, path)
	}
	for i := range t.Options {
		o := &t.Options[i]
		switch {
		case given[o.Name]:
		case o.Required:
			r.fail(path, strconv.Quote(o.Name)+" is missing"+within(path), "")
			r.mistakes[len(r.mistakes)-1].known = t
		case o.Default != nil:
			m[o.Name] = o.Default
		}
	}
	fine := len(r.mistakes) == before
	if fine && !r.broken && t.Check != nil {
		for _, err := range t.Check(m) {
			r.check(path, err)
		}
		fine = len(r.mistakes) == before
	}
	return m, fine
}

// option reads one key of a table.
func (r *reader) option(t *Table, m wire.Map, given map[string]bool, k, v lua.LValue, path []any) {
	here := append(path[:len(path):len(path)], keyPart(k))
	var o *Option
	switch key := k.(type) {
	case lua.LString:
		o = t.find(string(key))
	case lua.LNumber:
		o = t.at(int(key))
	}
	if o == nil {
		r.unknown(t, m, k, v, here)
		return
	}
	if given[o.Name] {
		r.fail(here, strconv.Quote(o.Name)+" is given twice: by name and by position", "")
		return
	}
	given[o.Name] = true
	r.secret = o.Secret
	defer func() { r.secret = false }()
	got, ok := r.value(o.Type, v, here)
	if !ok {
		return
	}
	if o.Check != nil {
		if err := o.Check(got); err != nil {
			r.check(here, err)
			return
		}
	}
	m[o.Name] = got
}

// unknown is an option the table does not have.
func (r *reader) unknown(t *Table, m wire.Map, k, v lua.LValue, here []any) {
	name, isName := k.(lua.LString)
	if !isName {
		r.fail(here, fmt.Sprintf("unexpected value at position %s: options have names", k.String()), "")
		r.mistakes[len(r.mistakes)-1].known = t
		return
	}
	if t.Open {
		if got, ok := r.value(Any(), v, here); ok {
			m[string(name)] = got
		}
		return
	}
	r.fail(here, fmt.Sprintf("unknown option %q", string(name))+within(here[:len(here)-1]), "")
	r.suggest(string(name), t.names())
	r.mistakes[len(r.mistakes)-1].known = t
}

// value reads a value of a type.
func (r *reader) value(t Type, v lua.LValue, path []any) (any, bool) {
	if isStandIn(v) {
		r.broken = true
		return nil, false
	}
	return t.read(r, v, path)
}

func (r *reader) fail(path []any, text, hint string) {
	r.mistakes = append(r.mistakes, mistake{path: append([]any(nil), path...), text: text, hint: hint, code: fault.Config})
}

// check notes the error of a Check.
func (r *reader) check(path []any, err error) {
	var p *problem
	if errors.As(err, &p) {
		path = append(path[:len(path):len(path)], p.option)
	}
	r.fail(path, err.Error(), "")
	m := &r.mistakes[len(r.mistakes)-1]
	var f *fault.Error
	if errors.As(err, &f) {
		m.code, m.hint = f.Code, f.Hint
		bare := *f
		bare.Hint = ""
		m.text = bare.Error()
	}
}

// expected notes a value of the wrong type.
func (r *reader) expected(path []any, words string, v lua.LValue) {
	got := script.TypeName(v)
	switch v := v.(type) {
	case lua.LString:
		if got = strconv.Quote(string(v)); len(got) > 60 || r.secret {
			got = "another string"
		}
	case lua.LNumber, lua.LBool:
		got = v.String()
	default:
		got = "a " + got
	}
	r.fail(path, fmt.Sprintf("%s must be %s, got %s", pathText(path), words, got), "")
}

// suggest adds "did you mean" to the last mistake.
func (r *reader) suggest(name string, known []string) {
	if near := syntax.Nearest(name, known); near != "" {
		r.mistakes[len(r.mistakes)-1].hint = fmt.Sprintf("did you mean %q?", near)
	}
}

// errors turns the mistakes into errors, in order of their lines.
func (r *reader) errors() []error {
	if len(r.mistakes) == 0 {
		return nil
	}
	at := script.Locate(r.L)
	type placed struct {
		line int
		err  error
	}
	var all []placed
	for _, m := range r.mistakes {
		line := at.Key(r.top.Name, m.path)
		text := &script.Mistake{Text: m.text, Excerpt: redact(at.Excerpt(line, 2))}
		if m.known != nil && m.known.Name != "" {
			text.More = "  options of " + m.known.Name + ": " + strings.Join(m.known.names(), " ") + "  (imapfw help " + r.top.Name + ")"
		}
		all = append(all, placed{line, &fault.Error{Code: m.code, Op: r.top.Name, At: at.At(line), Hint: m.hint, Err: text}})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].line < all[j].line })
	list := make([]error, len(all))
	for i, p := range all {
		list[i] = p.err
	}
	return list
}

// secretLine finds a string that is likely a password, whatever the option's
// spelling. It is compiled for the first mistake.
var secretLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b((?:p\w*w\w*d\w*|pass\w*|\w*secret\w*|\w*token\w*)\s*=\s*)("[^"]*"?|'[^']*'?)`)
})

func redact(excerpt string) string {
	return secretLine().ReplaceAllStringFunc(excerpt, func(s string) string {
		m := secretLine().FindStringSubmatch(s)
		if strings.Contains(strings.ToLower(m[1]), "command") {
			return s
		}
		return m[1] + `"..."`
	})
}

// within tells which inner table a mistake is in.
func within(path []any) string {
	if len(path) == 0 {
		return ""
	}
	return " in " + pathText(path)
}

// pathText writes a path as the user would: tls.mode, folders[2].
func pathText(path []any) string {
	var b strings.Builder
	for i, part := range path {
		switch part := part.(type) {
		case int:
			if i == 0 {
				fmt.Fprintf(&b, "value %d", part)
			} else {
				fmt.Fprintf(&b, "[%d]", part)
			}
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(part)
		}
	}
	return b.String()
}
