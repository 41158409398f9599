package luaapi

import (
	"context"
	"errors"
	"io"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/worker"
)

// timedOut is the code of the error that ctx:wait raises when its time is over.
const timedOut fault.Code = "timeout"

// contextObject is what main(ctx) is given: the master of the run.
func contextObject() object[*program] {
	self := func(L *lua.LState) *program { return script.Check[*program](L, 1) }
	return object[*program]{
		name:   "Context",
		doc:    "The run, as main sees it. It is the master of all workers.",
		string: func(*program) string { return "context" },
		fields: []field[*program]{
			{"dry_run", "boolean", "nothing is to be written", func(_ *lua.LState, p *program) lua.LValue { return lua.LBool(p.opt.DryRun) }},
			{"jobs", "integer", "how many accounts may be worked on at once", func(_ *lua.LState, p *program) lua.LValue { return lua.LNumber(p.jobs) }},
		},
		methods: []function{
			{name: "args", returns: "string[]", doc: "What stands after the app on the command line.", call: func(L *lua.LState) int {
				L.Push(listOf(L, self(L).opt.Args))
				return 1
			}},
			{name: "accounts", returns: "imapfw.AccountRun[]", doc: "The accounts of the app that were selected.", call: func(L *lua.LState) int {
				accounts := self(L).accounts
				values := make([]lua.LValue, len(accounts))
				for i, a := range accounts {
					values[i] = script.New(L, a)
				}
				L.Push(script.List(L, values))
				return 1
			}},
			{name: "account", params: "name: string", returns: "imapfw.AccountRun", doc: "An account that was selected.", call: func(L *lua.LState) int {
				p, name := self(L), L.CheckString(2)
				for _, a := range p.accounts {
					if a.name == name {
						L.Push(script.New(L, a))
						return 1
					}
				}
				script.ArgError(L, 2, "there is no account %q in this run", name)
				return 0
			}},
			{name: "start", params: "managers: imapfw.Manager[]", doc: "Starts workers, those that others call first. When one cannot start, those before it are stopped.", call: contextStart},
			{name: "errors", returns: "fun(): imapfw.Error?", doc: "For the generic for: the failures of workers, as they come, until all engines are done. Who reads them decides: no failure ends the run by itself.",
				call: func(L *lua.LState) int {
					p := self(L)
					L.Push(script.Iterator(L, func(L *lua.LState) ([]lua.LValue, error) { return p.nextError(L) }))
					return 1
				}},
			{name: "stop", params: "err?: imapfw.Error", doc: "Stops everything; the error, where it is the first, is why.", call: func(L *lua.LState) int {
				p := self(L)
				var why error
				if e, ok := script.AsError(L.Get(2)); ok {
					why = e
				} else if L.Get(2) != lua.LNil {
					why = fault.New(fault.Script, "", "%s", L.ToStringMeta(L.Get(2)).String())
				}
				must(L, p.act(L, func(ctx context.Context) error { return p.master.Stop(ctx, why) }))
				return 0
			}},
			{name: "restart", params: "name: string", doc: "Stops a worker and starts it again.", call: func(L *lua.LState) int {
				p, name := self(L), L.CheckString(2)
				must(L, p.act(L, func(ctx context.Context) error { return p.master.Restart(ctx, name) }))
				return 0
			}},
			{name: "kill", doc: "Ends everything at once.", call: func(L *lua.LState) int {
				if p := self(L); p.master != nil {
					p.master.Kill()
				}
				return 0
			}},
			{name: "wait", params: "timeout?: imapfw.Age", returns: "integer", doc: "Waits until all engines are done, and returns the exit code.", call: contextWait},
			{name: "report", params: "engine: string", returns: "table?", doc: "What an engine that has ended told about its run.", call: func(L *lua.LState) int {
				p, name := self(L), L.CheckString(2)
				if report := p.reports.of(name); report != nil {
					L.Push(script.ToLua(L, report))
					return 1
				}
				return 0
			}},
			{name: "call", params: "worker: string, op: string, args?: any", returns: "any", doc: "Calls a worker and waits for its answer.", call: contextCall},
		},
	}
}

func accountObject() object[*account] {
	return object[*account]{
		name:   "AccountRun",
		doc:    "An account of the app in this run.",
		string: func(a *account) string { return "account " + a.name },
		fields: []field[*account]{
			{"name", "string", "its name", func(_ *lua.LState, a *account) lua.LValue { return lua.LString(a.name) }},
		},
		methods: []function{
			{name: "sync", doc: "Syncs the account: at once, or when one of those before it is done. It does not wait.", call: func(L *lua.LState) int {
				a := script.Check[*account](L, 1)
				must(L, a.program.enqueue(a))
				return 0
			}},
			{name: "managers", returns: "imapfw.Manager[]", doc: "The managers of the account (far, near, state, sync), for ctx:start.", call: func(L *lua.LState) int {
				a := script.Check[*account](L, 1)
				must(L, a.declare())
				values := make([]lua.LValue, len(a.managers))
				for i, m := range a.managers {
					values[i] = script.New(L, m)
				}
				L.Push(script.List(L, values))
				return 1
			}},
		},
	}
}

// act does something with the master, while on_exit can be asked. Without one
// nothing is done: only the declarations count.
func (p *program) act(L *lua.LState, do func(ctx context.Context) error) error {
	if p.master == nil {
		return nil
	}
	return p.blocking(L, do)
}

func contextStart(L *lua.LState) int {
	p := script.Check[*program](L, 1)
	var managers []*topology.Manager
	list := L.CheckTable(2)
	for i := 1; i <= list.Len(); i++ {
		m, ok := script.Is[*manager](list.RawGetInt(i))
		if !ok {
			script.ArgError(L, 2, "value %d is a %s, no manager", i, script.TypeName(list.RawGetInt(i)))
		}
		managers = append(managers, m.Manager)
	}
	if p.master == nil {
		p.started = append(p.started, managers...)
		return 0
	}
	must(L, p.act(L, func(ctx context.Context) error { return p.start(ctx, managers...) }))
	return 0
}

// nextError returns the next failure for ctx:errors(), and nothing at the end.
func (p *program) nextError(L *lua.LState) ([]lua.LValue, error) {
	if p.master == nil {
		return nil, nil
	}
	var next *fault.Error
	err := p.blocking(L, func(ctx context.Context) (err error) {
		next, err = p.next(ctx)
		return err
	})
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []lua.LValue{script.ErrorValue(L, next)}, nil
}

func contextWait(L *lua.LState) int {
	p := script.Check[*program](L, 1)
	if p.master == nil {
		L.Push(lua.LNumber(ExitDone))
		return 1
	}
	limit := time.Duration(0)
	if L.Get(2) != lua.LNil {
		limit = checkAge(L, 2)
	}
	var result topology.Result
	err := p.blocking(L, func(ctx context.Context) (err error) {
		if limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, limit,
				fault.New(timedOut, "wait", "the run is not over after %v", limit).AsTemporary())
			defer cancel()
		}
		result, err = p.wait(ctx)
		return err
	})
	must(L, err)
	L.Push(lua.LNumber(p.exitCode(result)))
	return 1
}

func contextCall(L *lua.LState) int {
	p, name, op, args := script.Check[*program](L, 1), L.CheckString(2), L.CheckString(3), plainValue(L, 4)
	if p.master == nil {
		return 0
	}
	var reply any
	must(L, p.blocking(L, func(ctx context.Context) (err error) {
		reply, err = p.master.Channel(name).Call(ctx, &worker.Call{Op: op, Args: args})
		return err
	}))
	L.Push(script.ToLua(L, reply))
	return 1
}

// exitCode is that of the whole run.
func (p *program) exitCode(result topology.Result) int {
	codes := []int{ExitCode(result.Err)}
	for _, exit := range result.Failed {
		codes = append(codes, ExitCode(exit.Err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, err := range p.failed {
		codes = append(codes, ExitCode(err))
	}
	if result.Interrupted {
		codes = append(codes, ExitInterrupted)
	}
	return JoinExitCodes(codes...)
}
