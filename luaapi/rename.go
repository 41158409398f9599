package luaapi

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// kindRename is a definition of one step of a renaming. It is a definition, and
// no value of its own, so that the functions of a pair get ids.
const kindRename = "rename"

func isRename(v any) bool {
	d, ok := v.(*script.Def)
	return ok && d.Kind == kindRename
}

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

// renamesOf returns the steps of a list of renames, or of one pair, with the ids
// of their functions: the top level has run.
func renamesOf(v any) ([]naming.Step, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case wire.Map:
		step, err := pairStep(v)
		return []naming.Step{step}, err
	case []any:
		var out []naming.Step
		for _, one := range v {
			d, ok := one.(*script.Def)
			if !ok {
				return nil, fault.New(fault.Internal, "read renames", "one is a %T", one)
			}
			step, err := renameStep(d)
			if err != nil {
				return nil, err
			}
			out = append(out, step)
		}
		return out, nil
	}
	return nil, fault.New(fault.Internal, "read renames", "they are a %T", v)
}

func renameStep(d *script.Def) (naming.Step, error) {
	if step, ok := d.Go.(naming.Step); ok {
		return step, nil
	}
	return pairStep(d.Options)
}

func pairStep(m wire.Map) (naming.Step, error) {
	step := naming.Step{Kind: naming.Pair}
	for name, id := range map[string]*string{"to_near": &step.ToNear, "to_far": &step.ToFar} {
		f, ok := m[name].(*script.Func)
		if !ok {
			return step, fault.New(fault.Internal, "read renames", "%s is a %T", name, m[name])
		}
		data, err := f.Data()
		if err != nil {
			return step, err
		}
		*id, _ = data.(string)
	}
	return step, nil
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
				d := script.NewDef(L, kindRename, naming.Encode([]naming.Step{step})[0].(wire.Map))
				d.Go = step
				L.Push(d.Value())
				return 1
			}}
	}
	table := pairTable("api.rename.pair")
	return []function{
		one(naming.StripPrefix, "prefix: string", "Far names lose a prefix: \"[Gmail]/Sent\" becomes \"Sent\".",
			func(L *lua.LState) naming.Step { return naming.Step{Prefix: L.CheckString(1)} }),
		one(naming.AddPrefix, "prefix: string", "Near names get a prefix.",
			func(L *lua.LState) naming.Step { return naming.Step{Prefix: L.CheckString(1)} }),
		one(naming.Map, "names: table<string, string>", "Near names by far name; other names stay. In place of a far name, a special use (\"\\\\Sent\", \"\\\\Trash\", \"\\\\Junk\", \"\\\\Archive\", \"\\\\Drafts\") stands for the folder that the server marks with it, whatever it is called; where it marks none, one is created under the near name.",
			func(L *lua.LState) naming.Step { return naming.Step{Names: checkNames(L, 1)} }),
		one(naming.Flatten, "separator: string", "Another separator stands for \"/\" in near names.",
			func(L *lua.LState) naming.Step { return naming.Step{Separator: L.CheckString(1)} }),
		one(naming.Lower, "", "Near names are in lower case.",
			func(L *lua.LState) naming.Step { return naming.Step{} }),
		{name: "rename.pair", params: "functions: imapfw.RenamePair", returns: "imapfw.Rename", doc: table.Doc,
			call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
				return script.NewDef(L, kindRename, m).Value()
			})},
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
