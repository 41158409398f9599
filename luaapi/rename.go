package luaapi

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// rename is one step of a renaming. Functions of a pair are found by their ids,
// which are known only once the top level has run.
type rename struct {
	step          naming.Step
	toNear, toFar *script.Func
}

// DataKind is part of script.Datum.
func (*rename) DataKind() string { return "rename" }

// Data is part of script.Datum.
func (r *rename) Data() (wire.Value, error) { return naming.Encode([]naming.Step{r.plain()})[0], nil }

// plain returns the step with the ids of its functions.
func (r *rename) plain() naming.Step {
	step := r.step
	if step.Kind == naming.Pair {
		step.ToNear, step.ToFar = r.toNear.ID(), r.toFar.ID()
	}
	return step
}

func renameObject() object[*rename] {
	return object[*rename]{
		name:   "Rename",
		doc:    "One step from the far name of a folder to its near name, and back.",
		string: func(r *rename) string { return "rename." + string(r.step.Kind) },
	}
}

func isRename(v any) bool { _, ok := v.(*rename); return ok }

// renameType is the type of the option `rename`: a list of steps, or one pair of
// functions.
func renameType() options.Type {
	return options.AnyOf(
		options.ListOf(options.Object("a rename", "imapfw.Rename", isRename)),
		options.Sub(pairTable("rename")))
}

func pairTable(name string) *options.Table {
	return &options.Table{
		Name: name, Class: "imapfw.RenamePair",
		Doc: "Two functions, each the inverse of the other.",
		Options: []options.Option{
			{Name: "to_near", Type: options.Func("fun(name: string): string"), Required: true, Help: "far name to near name"},
			{Name: "to_far", Type: options.Func("fun(name: string): string"), Required: true, Help: "near name to far name"},
		},
	}
}

func pairOf(m wire.Map) *rename {
	toNear, _ := m["to_near"].(*script.Func)
	toFar, _ := m["to_far"].(*script.Func)
	return &rename{step: naming.Step{Kind: naming.Pair}, toNear: toNear, toFar: toFar}
}

// renamesOf returns the steps of the option `rename` as Read returned it.
func renamesOf(v any) []*rename {
	var out []*rename
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if r, ok := one.(*rename); ok {
				out = append(out, r)
			}
		}
	case wire.Map:
		out = append(out, pairOf(v))
	}
	return out
}

func renameFunctions() []function {
	one := func(kind naming.Kind, params, doc string, read func(L *lua.LState) naming.Step) function {
		return function{name: "rename." + string(kind), params: params, returns: "imapfw.Rename", doc: doc,
			call: func(L *lua.LState) int {
				step := read(L)
				step.Kind = kind
				// The whole of one step is known here, so its mistakes are the
				// user's at this line.
				if _, err := naming.NewRename([]naming.Step{step}, nil); err != nil {
					script.Raise(L, err)
				}
				L.Push(script.New(L, &rename{step: step}))
				return 1
			}}
	}
	table := pairTable("api.rename.pair")
	return []function{
		one(naming.StripPrefix, "prefix: string", "Far names lose a prefix: \"[Gmail]/Sent\" becomes \"Sent\".",
			func(L *lua.LState) naming.Step { return naming.Step{Prefix: L.CheckString(1)} }),
		one(naming.AddPrefix, "prefix: string", "Near names get a prefix.",
			func(L *lua.LState) naming.Step { return naming.Step{Prefix: L.CheckString(1)} }),
		one(naming.Map, "names: table<string, string>", "Near names by far name; other names stay.",
			func(L *lua.LState) naming.Step { return naming.Step{Names: checkNames(L, 1)} }),
		one(naming.Flatten, "separator: string", "Another separator stands for \"/\" in near names.",
			func(L *lua.LState) naming.Step { return naming.Step{Separator: L.CheckString(1)} }),
		one(naming.Lower, "", "Near names are in lower case.",
			func(L *lua.LState) naming.Step { return naming.Step{} }),
		{name: "rename.pair", params: "functions: imapfw.RenamePair", returns: "imapfw.Rename", doc: table.Doc,
			call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue { return script.New(L, pairOf(m)) })},
	}
}

// checkNames reads a table of names.
func checkNames(L *lua.LState, n int) map[string]string {
	out := map[string]string{}
	L.CheckTable(n).ForEach(func(k, v lua.LValue) {
		far, ok := k.(lua.LString)
		near, ok2 := v.(lua.LString)
		if !ok || !ok2 {
			script.ArgError(L, n, "far names and near names are strings, not %s = %s", k.Type(), v.Type())
		}
		out[string(far)] = string(near)
	})
	return out
}
