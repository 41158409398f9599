package luaapi

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
)

// Modules are the host modules that scripts can require.
func Modules() []script.Module {
	return []script.Module{{Name: apiName, Open: open}}
}

// functions lists the functions of the api. A name with a dot is in a table of
// its own.
func functions() []function {
	var list []function
	list = append(list, accountFunction(), appFunction())
	list = append(list, imapFunction("imap"), maildirFunction("maildir"), memoryFunction("memory"))
	list = append(list, renameFunctions()...)
	list = append(list, matchFunctions()...)
	list = append(list, reFunction())
	list = append(list, secretFunctions()...)
	list = append(list, valueFunctions()...)
	list = append(list, logFunctions()...)
	list = append(list, managerFunctions()...)
	list = append(list, imapFunction("ImapEndpoint"), maildirFunction("MaildirEndpoint"),
		memoryFunction("MemoryEndpoint"), stateFunction("StateEndpoint"))
	return list
}

// values lists the names of the api that are no functions.
func values() []value { return matchValues() }

// objects lists the Go types that scripts see.
func objects() []described {
	return []described{
		secretObject(), regexObject(), predicateObject(), messageObject(), folderObject(),
		planObject(), stepObject(), pairObject(), alarmObject(), conflictObject(), stateChangeObject(),
		managerObject(), contextObject(), accountObject(), requestObject(),
	}
}

// Tables lists the option tables of the api, for help and reference pages.
func Tables() []*options.Table {
	return []*options.Table{
		accountTable(), appTable(), imapTable("api.imap"), tlsTable(), maildirTable("api.maildir"), memoryTable("api.memory"),
		stateTable("api.StateEndpoint"), pairTable("api.rename.pair"),
		repositoryTable(), engineTable(), loggerTable(), workerTable(),
		traceTable(), throttleTable(), retryTable(), mishapTable(),
	}
}

// open builds the module in a state.
func open(s *script.State, L *lua.LState) lua.LValue {
	for _, o := range objects() {
		o.register(L)
	}
	registerData(s)
	api := L.NewTable()
	for name, c := range registerClasses(s, L) {
		api.RawSetString(name, c.Table())
	}
	for _, f := range functions() {
		setName(L, api, f.name, L.NewFunction(f.guarded("api."+f.name)))
	}
	for _, v := range values() {
		setName(L, api, v.name, v.make(L))
	}
	api.ForEach(func(k, v lua.LValue) {
		if t, ok := v.(*lua.LTable); ok {
			if _, isClass := script.AsClass(t); !isClass {
				api.RawSet(k, script.Freeze(L, "api."+k.String(), t, "it is part of the api"))
			}
		}
	})
	return api
}

// setName sets a name of the module, in a table of its own where it has a dot.
func setName(L *lua.LState, api *lua.LTable, name string, v lua.LValue) {
	table := api
	if group, rest, ok := strings.Cut(name, "."); ok {
		name = rest
		if table, ok = api.RawGetString(group).(*lua.LTable); !ok {
			table = L.NewTable()
			api.RawSetString(group, table)
		}
	}
	table.RawSetString(name, v)
}

// registerData tells a state how to rebuild what may stand in class arguments.
func registerData(s *script.State) {
	s.RegisterData("secret", func(L *lua.LState, v any) (lua.LValue, error) {
		which, err := secretOf(v)
		if err != nil {
			return nil, err
		}
		return script.New(L, which), nil
	})
	s.RegisterData("predicate", func(L *lua.LState, v any) (lua.LValue, error) {
		expr, err := exprOf(v)
		if err != nil {
			return nil, err
		}
		return script.New(L, &match{expr: expr}), nil
	})
	s.RegisterData("regex", func(L *lua.LState, v any) (lua.LValue, error) {
		source, _ := v.(string)
		return script.New(L, &regex{source}), nil
	})
}
