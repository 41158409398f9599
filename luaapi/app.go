package luaapi

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

const (
	kindApp     = "app"
	defaultJobs = 4
)

// appTable declares the options of api.app.
func appTable() *options.Table {
	account := options.Object("an account", "imapfw.Account", func(v any) bool {
		d, ok := v.(*script.Def)
		return ok && d.Kind == kindAccount
	})
	return &options.Table{
		Name: "api.app", Class: "imapfw.AppOptions",
		Doc: "Several accounts, or a main function of your own.",
		Options: []options.Option{
			{Name: "name", Type: options.String(), DefaultText: "the file's name", Help: "of the app", Check: isName},
			{Name: "accounts", Type: options.ListOf(account), Help: "what is kept in step", Check: checkAccounts},
			{Name: "groups", Type: options.MapOf(options.ListOf(options.String())), Help: "names for several accounts: { home = { \"me\", \"us\" } }"},
			{Name: "jobs", Type: options.Int(1, 64), Default: int64(defaultJobs), Help: "how many accounts are worked on at once"},
			{Name: "needs", Type: options.ListOf(options.String()), Help: "the powers that the app uses: \"net\", \"exec\", ..."},
			{Name: "on_exit", Type: options.Func("fun(exit: imapfw.Exit): \"stop\"|\"restart\"|\"go\"|nil"),
				Help: "decides what happens when a worker ended; nil leaves it to the master"},
			{Name: "main", Type: options.Func("fun(ctx: imapfw.Context): integer?"), Help: "runs once, in the main worker"},
		},
		Check: checkApp,
	}
}

func checkAccounts(v any) error {
	list, _ := v.([]any)
	seen := map[string]bool{}
	for _, one := range list {
		d, ok := one.(*script.Def)
		if !ok {
			continue
		}
		name := d.Name()
		switch {
		case name == "" && len(list) > 1:
			return fmt.Errorf("the account at %s needs a name, since there are several", d.At)
		case name != "" && seen[name]:
			return fmt.Errorf("two accounts are called %q", name)
		}
		seen[name] = true
	}
	return nil
}

// checkApp refuses groups of accounts that are not there. Whether there is
// anything to run is known only after the top level: main may be assigned later.
func checkApp(m wire.Map) []error {
	known := map[string]bool{}
	accounts, _ := m["accounts"].([]any)
	for _, one := range accounts {
		if d, ok := one.(*script.Def); ok {
			known[d.Name()] = true
		}
	}
	var errs []error
	groups, _ := m["groups"].(wire.Map)
	for group, v := range groups {
		if known[group] {
			errs = append(errs, problem("groups", "%q is an account and a group", group))
		}
		for _, name := range textsOf(v) {
			if !known[name] {
				errs = append(errs, problem("groups", "%q names the account %q, which is not there", group, name))
			}
		}
	}
	return errs
}

func appFunction() function {
	table := appTable()
	return function{
		name: "app", params: "options: " + table.Class, returns: "imapfw.App", doc: table.Doc, in: script.Define,
		call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
			d := script.NewDef(L, kindApp, m, "main", "on_exit")
			d.Root = true
			return d.Value()
		}),
	}
}
