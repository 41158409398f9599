package luaapi

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

func emptyTable(name string) *options.Table {
	return &options.Table{Name: name, Class: "imapfw.NoOptions"}
}

func traceTable() *options.Table {
	return &options.Table{Name: "api.Trace", Class: "imapfw.TraceOptions", Doc: "How requests are logged.", Options: []options.Option{
		{Name: "level", Type: options.Enum("debug", "info"), Default: "debug", Help: "of the log"},
	}}
}

func throttleTable() *options.Table {
	return &options.Table{Name: "api.Throttle", Class: "imapfw.ThrottleOptions", Doc: "How fast a store may be used.", Options: []options.Option{
		{Name: "octets", Type: options.Size(), Help: "of content, per second"},
		{Name: "calls", Type: options.Number(0, 1e6), Help: "requests per second"},
	}}
}

func retryTable() *options.Table {
	return &options.Table{Name: "api.Retry", Class: "imapfw.RetryOptions", Doc: "How often and when to try again.", Options: []options.Option{
		{Name: "tries", Type: options.Int(1, 100), Default: int64(3), Help: "how often in all"},
		{Name: "wait", Type: options.Age(), Default: time.Second, Help: "before the second try; then twice as long each time"},
		{Name: "most", Type: options.Age(), Default: 30 * time.Second, Help: "the longest wait"},
	}}
}

func mishapTable() *options.Table {
	return &options.Table{Name: "api.Fake", Class: "imapfw.Mishap", Doc: "Something that goes wrong.", Options: []options.Option{
		{Name: "op", Type: options.Text(), Help: "which requests: \"folders\", \"changes\", \"bodies\", \"deliver\", ...; all without it"},
		{Name: "folder", Type: options.Text(), Help: "of which folder"},
		{Name: "key", Type: options.Text(), Help: "of which message"},
		{Name: "skip", Type: options.Int(0, 1e6), Default: int64(0), Help: "how many go well first"},
		{Name: "times", Type: options.Int(0, 1e6), Default: int64(0), Help: "how many are hit; 0 is all"},
		{Name: "delay", Type: options.Age(), Help: "waited first"},
		{Name: "code", Type: options.Text(), Help: "of the error; none without it"},
		{Name: "text", Type: options.Text(), Help: "of the error"},
		{Name: "temporary", Type: options.Bool(), Default: false, Help: "whether the error is"},
		{Name: "after", Type: options.Bool(), Default: false, Help: "the request is done, and its answer lost"},
		{Name: "cut", Type: options.Size(), Help: "how much of the content goes by first"},
	}}
}

// nameTransArgs reads a list of renames.
func nameTransArgs(L *lua.LState, n int) any {
	list := wire.List{}
	t := L.CheckTable(n)
	for i := 1; i <= t.Len(); i++ {
		d, ok := script.Is[*script.Def](t.RawGetInt(i))
		if !ok || d.Kind != kindRename {
			script.ArgError(L, n, "value %d is a %s, no rename such as api.rename.strip_prefix \"[Gmail]/\"", i, script.TypeName(t.RawGetInt(i)))
		}
		list = append(list, d)
	}
	if len(list) == 0 {
		script.ArgError(L, n, "api.NameTrans needs a list of api.rename steps")
	}
	return wire.Map{"rename": list}
}

// filterArgs reads a list of folder patterns and predicates.
func filterArgs(L *lua.LState, n int) any {
	args := wire.Map{}
	var patterns wire.List
	var all *match
	t := L.CheckTable(n)
	for i := 1; i <= t.Len(); i++ {
		switch v := t.RawGetInt(i).(type) {
		case lua.LString:
			patterns = append(patterns, string(v))
		default:
			m, ok := script.Is[*match](v)
			if !ok {
				script.ArgError(L, n, "value %d is a %s, neither a predicate nor a folder pattern", i, script.TypeName(v))
			}
			if all != nil {
				m = &match{expr: all.expr.And(m.expr), functions: joinFunctions(all, m)}
			}
			all = m
		}
	}
	if all != nil {
		args["messages"] = all
	}
	if len(patterns) > 0 {
		if _, err := naming.ParsePatterns(textsOf([]any(patterns))); err != nil {
			script.Raise(L, err)
		}
		args["folders"] = patterns
	}
	if len(args) == 0 {
		script.ArgError(L, n, "api.Filter needs predicates or folder patterns")
	}
	return args
}

func fakeArgs(L *lua.LState, n int) any {
	mishaps := wire.List{}
	t := L.CheckTable(n)
	for i := 1; i <= t.Len(); i++ {
		L.Push(t.RawGetInt(i))
		mishaps = append(mishaps, mishapTable().Read(L, L.GetTop()))
		L.Pop(1)
	}
	return wire.Map{"script": mishaps}
}
