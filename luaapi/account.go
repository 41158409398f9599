package luaapi

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

const kindAccount = "account"

// accountTable declares the options of api.account.
func accountTable() *options.Table {
	folders := foldersOption()
	folders.Type = options.AnyOf(folders.Type, options.Func("fun(folder: imapfw.Folder): boolean"))
	folders.Help = "patterns of far names (* % ! and \\Attributes, the last match wins), or a function"
	own := []options.Option{
		folders,
		{Name: "name", Type: options.String(), DefaultText: "the file's name", Help: "unique in the app; names the state", Check: isName},
		{Name: "far", Type: storeType(), Required: true, Help: "the reference, a server as a rule"},
		{Name: "near", Type: storeType(), Required: true, Help: "the copy"},
		{Name: "rename", Type: renameType(), Help: "how far folder names become near ones, and back"},
		{Name: "state", Type: options.Text(),
			DefaultText: "$XDG_STATE_HOME/imapfw/NAME", Help: "folder of what is remembered between two runs"},
	}
	return &options.Table{
		Name: "api.account", Class: "imapfw.AccountOptions",
		Doc:     "Two stores that are kept in step.",
		Options: append(own, engineOptions()...),
		Check:   checkAccount,
	}
}

// foldersOption selects folders by the names that an engine sees.
func foldersOption() options.Option {
	return options.Option{Name: "folders", Type: options.ListOf(options.String()), Check: checkPatterns,
		Help: "patterns of names (* % ! and \\Attributes, the last match wins)"}
}

// checkAccount refuses stores that are one and the same.
func checkAccount(m wire.Map) []error {
	far, near := storeOf(m["far"]), storeOf(m["near"])
	if far != nil && far == near {
		return []error{problem("near", "far and near are the same store")}
	}
	return nil
}

func checkPatterns(v any) error {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	_, err := naming.ParsePatterns(textsOf(list))
	return err
}

// textsOf returns a list of strings that was checked before.
func textsOf(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, one := range list {
		if s, ok := one.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func storeOf(v any) *script.Def {
	d, _ := v.(*script.Def)
	return d
}

// isName refuses names that cannot name workers and folders of the state.
func isName(v any) error {
	name, ok := v.(string)
	if !ok {
		return nil
	}
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\:\x00\r\n\t ") {
		return fmt.Errorf("%q cannot be a name: use letters, digits, \"-\", \"_\" and \".\"", name)
	}
	return nil
}

func accountFunction() function {
	table := accountTable()
	return function{
		name: "account", params: "options: " + table.Class, returns: "imapfw.Account", doc: table.Doc + " A file that returns it is an app.",
		in: script.Define,
		call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
			_, err := requireSync(L, script.From(L))
			must(L, err)
			d := script.NewDef(L, kindAccount, m)
			d.Root = true
			return d.Value()
		}),
	}
}
