package luaapi

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
)

// manager is a declared worker as scripts hold it.
type manager struct {
	*topology.Manager
	// Of a repository: where its mail is, and what decides which of it is seen.
	place place
	scope wire.Value
	lanes int
	// attempts is how often an engine tries what fails for a reason that may
	// pass; 0 where the store does not say.
	attempts int
	// Of a state: the engine that uses it.
	owner string
}

func managerObject() object[*manager] {
	return object[*manager]{
		name:   "Manager",
		doc:    "A declared worker. It does nothing before ctx:start.",
		string: func(m *manager) string { return fmt.Sprintf("%s manager %s", m.Kind(), m.Name()) },
		fields: []field[*manager]{
			{"name", "string", "the worker's name", func(_ *lua.LState, m *manager) lua.LValue { return lua.LString(m.Name()) }},
			{"kind", "string", "\"repository\", \"state\", \"engine\", \"logger\" or \"worker\"",
				func(_ *lua.LState, m *manager) lua.LValue { return lua.LString(m.Kind()) }},
		},
	}
}

func nameOption(def string) options.Option {
	o := options.Option{Name: "name", Type: options.String(), Help: "unique in the run", Check: isName}
	if def != "" {
		o.Default = def
	} else {
		o.Required = true
	}
	return o
}

func backendOption() options.Option {
	return options.Option{Name: "backend", Type: options.Enum("goroutine", "process", "inline"), Default: "goroutine",
		Help: "where the worker runs: in this process, in a child process, or in whoever calls it"}
}

// classOption takes a class that is one of the api's, or extends it.
func classOption(help string, bases ...string) options.Option {
	return options.Option{
		Name: "class", Help: help,
		Type: options.Object("a class that extends api."+bases[0], "imapfw."+bases[0], func(v any) bool {
			c, ok := v.(*script.Class)
			for _, base := range bases {
				if ok && isBelow(c, base) {
					return true
				}
			}
			return false
		}),
	}
}

func managerType(what string, kinds ...topology.Kind) options.Type {
	return options.Object(what, "imapfw.Manager", func(v any) bool {
		m, ok := v.(*manager)
		for _, kind := range kinds {
			if ok && m.Kind() == kind {
				return true
			}
		}
		return false
	})
}

func repositoryTable() *options.Table {
	return &options.Table{
		Name: "api.RepositoryManager", Class: "imapfw.RepositoryManagerOptions",
		Doc: "Declares a repository and its endpoints, or the state.",
		Options: []options.Option{
			nameOption(""),
			classOption("who answers the engines; by default what the endpoint is for", classRepository, classStateRepository),
			{Name: "endpoint", Required: true, Help: "where the mail is, or the state",
				Type: options.Object("an endpoint such as api.ImapEndpoint{}", "imapfw.Store", func(v any) bool {
					d, ok := v.(*script.Def)
					return ok && (isStore(d) || d.Kind == kindState)
				})},
			{Name: "controllers", Help: "what stands between the repository and its driver, the outermost first",
				Type: options.ListOf(options.Object("a controller such as api.Filter{}", "imapfw.Controller", isController))},
			backendOption(),
			{Name: "max_endpoints", Type: options.Int(1, 16), Default: int64(1), Help: "how many endpoints there may be at most"},
		},
		Check: checkRepository,
	}
}

// checkRepository refuses a class that is not for the kind of the endpoint.
func checkRepository(m wire.Map) []error {
	c, _ := m["class"].(*script.Class)
	d := storeOf(m["endpoint"])
	if c == nil || d == nil {
		return nil
	}
	want := repositoryClass(d.Kind)
	if api := c.API().Name(); api != want && api != classRepository {
		return []error{problem("class", "%s is for another kind of store: the endpoint is for api.%s", c.Name(), want)}
	}
	return nil
}

// repositoryClass is the class of the api for a kind of endpoint.
func repositoryClass(kind string) string {
	switch kind {
	case kindImap:
		return classImapRepository
	case kindMaildir:
		return classMaildirRepository
	case kindMemory:
		return classMemoryRepository
	}
	return classStateRepository
}

func engineTable() *options.Table {
	own := []options.Option{
		nameOption(""),
		foldersOption(),
		classOption("who plans and decides; api.SyncEngine by default", classSyncEngine),
		backendOption(),
		{Name: "far", Type: managerType("a repository manager", topology.RepositoryManager), Required: true, Help: "the reference"},
		{Name: "near", Type: managerType("a repository manager", topology.RepositoryManager), Required: true, Help: "the copy"},
		{Name: "state", Type: managerType("the manager of a state", topology.StateManager), Required: true, Help: "what is remembered between two runs"},
	}
	return &options.Table{
		Name: "api.EngineManager", Class: "imapfw.EngineManagerOptions",
		Doc:     "Declares an engine between two repositories.",
		Options: append(own, engineOptions()...),
		Check: func(m wire.Map) []error {
			if m["far"] != nil && m["far"] == m["near"] {
				return []error{problem("near", "far and near are the same repository")}
			}
			return nil
		},
	}
}

func loggerTable() *options.Table {
	return &options.Table{
		Name: "api.LoggerManager", Class: "imapfw.LoggerManagerOptions",
		Doc: "Declares a place the log goes to.",
		Options: []options.Option{
			nameOption("log"),
			{Name: "level", Type: options.Enum("debug", "info", "warn", "error"), Default: "info", Help: "the lowest level that is written"},
			{Name: "file", Type: options.Text(), Help: "the file it is appended to"},
			{Name: "format", Type: options.Enum("text", "json"), Default: "text", Help: "how lines are written"},
			classOption("who writes", classLogger),
		},
		Check: func(m wire.Map) []error {
			if m["file"] == nil && m["class"] == nil {
				return []error{problem("file", "the log needs a file, or a class that writes it")}
			}
			return nil
		},
	}
}

func workerTable() *options.Table {
	return &options.Table{
		Name: "api.WorkerManager", Class: "imapfw.WorkerManagerOptions",
		Doc: "Declares a worker of your own class.",
		Options: []options.Option{
			nameOption(""),
			required(classOption("your class", classWorker)),
			backendOption(),
			{Name: "channels", Help: "whom it may call, by its own names for them",
				Type: options.MapOf(managerType("a manager", topology.RepositoryManager, topology.StateManager, topology.EngineManager, topology.WorkerManager))},
			{Name: "opts", Type: options.Any(), Help: "plain data for its init"},
		},
		Check: func(m wire.Map) []error {
			if c, ok := m["class"].(*script.Class); ok && scriptClass(c) == "" {
				return []error{problem("class", "api.Worker does nothing by itself: extend it")}
			}
			return nil
		},
	}
}

func required(o options.Option) options.Option {
	o.Required = true
	return o
}

// managerFunctions are the constructors of managers. They work in main only.
func managerFunctions() []function {
	one := func(name string, table *options.Table, declare func(p *program, m wire.Map) (*manager, error)) function {
		return function{name: name, params: "options: " + table.Class, returns: "imapfw.Manager", doc: table.Doc, in: script.Main,
			call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
				made, err := declare(programOf(L), m)
				must(L, err)
				return script.New(L, made)
			})}
	}
	return []function{
		one("RepositoryManager", repositoryTable(), (*program).declareRepository),
		one("EngineManager", engineTable(), (*program).declareEngine),
		one("LoggerManager", loggerTable(), (*program).declareLogger),
		one("WorkerManager", workerTable(), (*program).declareWorker),
	}
}
