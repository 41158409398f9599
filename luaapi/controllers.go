package luaapi

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The kinds of controllers, as the builders know them.
const (
	controllerNameTrans = "nametrans"
	controllerFilter    = "filter"
	controllerDryRun    = "dry_run"
	controllerTrace     = "trace"
	controllerThrottle  = "throttle"
	controllerRetry     = "retry"
	controllerFake      = "fake"
	controllerClass     = "class"        // a class in Lua
	controllerNearNames = "near_folders" // a function for far names, in front of near ones
)

// controllerKind returns the kind of a controller class of the api; "" for
// Controller itself, which does nothing.
func controllerKind(name string) string {
	switch name {
	case "NameTrans":
		return controllerNameTrans
	case "Filter":
		return controllerFilter
	case "DryRun":
		return controllerDryRun
	case "Trace":
		return controllerTrace
	case "Throttle":
		return controllerThrottle
	case "Retry":
		return controllerRetry
	case "Fake":
		return controllerFake
	}
	return ""
}

// isController reports whether a value is what calling a controller class gave.
func isController(v any) bool {
	d, ok := v.(*script.Def)
	return ok && d.Class != ""
}

// controllerChain turns definitions of controllers into plain data. Where a
// script's class extends one of the api's, it stands around that one.
func (p *program) controllerChain(v any) ([]endpoint.Controller, error) {
	var chain []endpoint.Controller
	list, _ := v.([]any)
	for _, one := range list {
		d, _ := one.(*script.Def)
		class, known := p.state.Class(d.Class)
		if !known || !isBelow(class, classController) {
			return nil, fault.New(fault.Config, "", "%s is no controller", d.Class).
				WithHint("a controller is made by a class that extends api.Controller")
		}
		if id := scriptClass(class); id != "" {
			args, err := plainOf(d.Args)
			if err != nil {
				return nil, err
			}
			chain = append(chain, endpoint.Controller{Kind: controllerClass, Options: wire.Map{"class": id, "args": args}})
		}
		if kind := controllerKind(class.API().Name()); kind != "" {
			args, err := plainControllerArgs(d.Args)
			if err != nil {
				return nil, err
			}
			chain = append(chain, endpoint.Controller{Kind: kind, Options: args})
		}
	}
	if p.opt.DryRun {
		chain = append(chain, endpoint.Controller{Kind: controllerDryRun, Options: wire.Map{}})
	}
	return chain, nil
}

// controllerClasses are the controllers of the api. Calling one makes a
// definition, like calling a class of the script's own.
func controllerClasses() []class {
	table := func(t *options.Table, convert func(m wire.Map) any) func(L *lua.LState, n int) any {
		return func(L *lua.LState, n int) any {
			if L.Get(n) == lua.LNil && n > L.GetTop() {
				L.Push(L.NewTable())
			}
			return convert(t.Read(L, n))
		}
	}
	same := func(m wire.Map) any { return m }
	return []class{
		{name: "NameTrans", base: classController, doc: "Gives folders other names: a list of api.rename steps.",
			params: "renames: imapfw.Rename[]", args: nameTransArgs},
		{name: "Filter", base: classController, doc: "Hides folders and messages: folder patterns and predicates, all of which must hold. What is hidden is not taken for removed.",
			params: "what: (imapfw.Predicate|string)[]", args: filterArgs},
		{name: "DryRun", base: classController, doc: "Writes nothing.", params: "options?: {}", args: table(emptyTable("api.DryRun"), same)},
		{name: "Trace", base: classController, doc: "Logs every request.", params: "options?: imapfw.TraceOptions", args: table(traceTable(), same)},
		{name: "Throttle", base: classController, doc: "Slows requests down.", params: "options: imapfw.ThrottleOptions", args: table(throttleTable(), same)},
		{name: "Retry", base: classController, doc: "Tries again what failed for the time being.", params: "options?: imapfw.RetryOptions", args: table(retryTable(), same)},
		{name: "Fake", base: classController, doc: "Makes requests fail, for tests.", params: "script: imapfw.Mishap[]", args: fakeArgs},
	}
}

// plainControllerArgs returns the arguments of a controller of the api as its
// builder takes them: plain data, times in milliseconds.
func plainControllerArgs(args any) (wire.Map, error) {
	m, _ := args.(wire.Map)
	out := wire.Map{}
	for name, v := range m {
		switch v := v.(type) {
		case time.Duration:
			out[name] = v.Milliseconds()
		case *match:
			expr, err := plainExpr(v)
			if err != nil {
				return nil, err
			}
			out[name] = expr
		case []any:
			list, err := plainControllerList(name, v)
			if err != nil {
				return nil, err
			}
			out[name] = list
		default:
			out[name] = v
		}
	}
	return out, nil
}

func plainControllerList(name string, list []any) (wire.List, error) {
	if name == "rename" {
		steps, err := renamesOf(list)
		return naming.Encode(steps), err
	}
	out := make(wire.List, len(list))
	for i, v := range list {
		if m, ok := v.(wire.Map); ok {
			plain, err := plainControllerArgs(m)
			if err != nil {
				return nil, err
			}
			v = plain
		}
		out[i] = v
	}
	return out, nil
}

// controllerBuilders are the kinds of controllers that chains are made of.
func (s *services) controllerBuilders() map[string]endpoint.ControllerBuilder {
	builders := endpoint.Standard(nil)
	for _, kind := range []string{controllerNameTrans, controllerFilter} {
		builders[kind] = s.withFunctions(kind)
	}
	builders[controllerClass] = func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
		return newScripted(inner, s.newLuaState, env.Spec.Name, env.Log, text(o, "class"), o["args"]), nil
	}
	builders[controllerNearNames] = s.nearFolders
	return builders
}
