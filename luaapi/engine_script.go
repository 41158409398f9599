package luaapi

import (
	"context"
	"log/slog"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// scriptedEngine is an engine class in Lua: the hooks it overrides, and nothing
// for the others.
type scriptedEngine struct {
	make   maker
	worker string
	log    *slog.Logger
	class  string
	args   wire.Value

	state *script.State
	inst  *script.Instance
}

var _ engine.Script = (*scriptedEngine)(nil)

// Open makes the instance.
func (e *scriptedEngine) Open(ctx context.Context) (engine.Hooks, error) {
	state, err := e.make(ctx, e.worker, e.log)
	if err != nil {
		return engine.Hooks{}, err
	}
	err = state.Do(ctx, func(L *lua.LState) (err error) {
		e.inst, err = state.Instantiate(L, e.class, &engineCore{}, e.args)
		return err
	})
	if err != nil {
		state.Close()
		return engine.Hooks{}, err
	}
	e.state = state
	return e.hooks(), nil
}

// Close frees the state.
func (e *scriptedEngine) Close() {
	if e.state != nil {
		e.state.Close()
		e.state = nil
	}
}

func (e *scriptedEngine) hooks() engine.Hooks {
	over := e.inst.Class().Overrides
	var h engine.Hooks
	if over("on_start") {
		h.OnStart = func(ctx context.Context) error { return e.call(ctx, "on_start", nil, nil) }
	}
	if over("on_folder") {
		h.OnFolder = e.onFolder
	}
	if over("on_plan") {
		h.OnPlan = e.onPlan
	}
	if over("on_guard") {
		h.OnGuard = e.onGuard
	}
	if over("on_message") {
		h.OnMessage = e.onMessage
	}
	if over("on_conflict") {
		h.OnConflict = e.onConflict
	}
	if over("on_error") {
		h.OnError = e.onError
	}
	if over("on_done") {
		h.OnDone = func(ctx context.Context, r *engine.Report) error {
			return e.call(ctx, "on_done", func(L *lua.LState) []lua.LValue { return []lua.LValue{script.ToLua(L, r.Value())} }, nil)
		}
	}
	return h
}

// call calls a method; see gets its first two results.
func (e *scriptedEngine) call(ctx context.Context, method string, args func(L *lua.LState) []lua.LValue, see func(first, second lua.LValue) error) error {
	return e.state.Do(ctx, func(L *lua.LState) error {
		var list []lua.LValue
		if args != nil {
			list = args(L)
		}
		results, err := e.inst.Call(L, method, 2, list...)
		if err != nil || see == nil {
			return err
		}
		return see(results[0], results[1])
	})
}

func (e *scriptedEngine) wrong(method string, got lua.LValue, want string) error {
	err := fault.New(fault.Script, method+" of "+e.class, "it returned %s, not %s", show(got), want)
	err.Worker = e.worker
	return err
}

// show is a Lua value as an error names it.
func show(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return "\"" + string(v) + "\""
	case lua.LBool, lua.LNumber:
		return v.String()
	}
	return "a " + v.Type().String()
}

// because is a reason that a script gave, or did not.
func because(v lua.LValue) string {
	if s, ok := v.(lua.LString); ok && s != "" {
		return string(s)
	}
	return "no reason given"
}

func (e *scriptedEngine) onFolder(ctx context.Context, f engine.FolderPair) (keep bool, reason string, err error) {
	err = e.call(ctx, "on_folder",
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, &f)} },
		func(verdict, why lua.LValue) error {
			switch verdict {
			case lua.LNil, lua.LTrue:
				keep = true
			case lua.LFalse:
				reason = because(why)
			default:
				return e.wrong("on_folder", verdict, "true, false or nil")
			}
			return nil
		})
	return keep, reason, err
}

// onPlan stops the run before anything is written when the script raises. What
// it refuses is a guard's refusal, with its own exit code.
func (e *scriptedEngine) onPlan(ctx context.Context, p *engine.Plan) error {
	err := e.call(ctx, "on_plan",
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, p)} },
		func(result, why lua.LValue) error {
			switch {
			case result == lua.LNil:
				return nil
			case result == lua.LFalse:
				for _, s := range p.Steps("", "", 0) {
					p.Drop(s.ID, nil, because(why))
				}
				return nil
			}
			if same, ok := script.Is[*engine.Plan](result); !ok || same != p {
				return e.wrong("on_plan", result, "the plan, false or nil")
			}
			return nil
		})
	if fault.CodeOf(err) == fault.Refused && err != nil {
		return &fault.Error{Code: fault.Guard, Op: "plan", Worker: e.worker, Err: err}
	}
	return err
}

func (e *scriptedEngine) onGuard(ctx context.Context, p *engine.Plan, a *engine.Alarm) (goOn bool, reason string, err error) {
	err = e.call(ctx, "on_guard",
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, p), script.New(L, a)} },
		func(verdict, why lua.LValue) error {
			switch verdict {
			case lua.LNil, lua.LString("stop"):
			case lua.LString("go"):
				goOn, reason = true, because(why)
			default:
				return e.wrong("on_guard", verdict, "\"stop\", \"go\" or nil")
			}
			return nil
		})
	return goOn, reason, err
}

func (e *scriptedEngine) onMessage(ctx context.Context, b *engine.Batch) error {
	m := newMessages(b.Folder, b.Metas)
	m.asked = mail.WantSize | mail.WantDate
	m.describe = func(ctx context.Context, _ mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
		ds, err := b.Describe(ctx)
		if err != nil {
			return err
		}
		return fn(ds)
	}
	return e.state.Do(ctx, func(L *lua.LState) error {
		for _, one := range m.list {
			if err := e.askMessage(L, b, one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *scriptedEngine) askMessage(L *lua.LState, b *engine.Batch, m *message) error {
	results, err := e.inst.Call(L, "on_message", 2, lua.LString(b.Op), script.New(L, m))
	switch {
	case err != nil && !itemFailed(script.Context(L), err):
		return err
	case err != nil:
		b.Fail(m.view.Meta.Key, err)
	case results[0] == lua.LString("skip"), results[0] == lua.LFalse:
		b.Skip(m.view.Meta.Key, because(results[1]))
	case results[0] != lua.LNil && results[0] != lua.LTrue:
		return e.wrong("on_message", results[0], "\"skip\" or nil")
	}
	return nil
}

func (e *scriptedEngine) onConflict(ctx context.Context, c engine.ConflictCase) (decision engine.Conflict, err error) {
	err = e.call(ctx, "on_conflict",
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, &c)} },
		func(verdict, _ lua.LValue) error {
			switch v, _ := verdict.(lua.LString); engine.Conflict(v) {
			case engine.ConflictRemove, engine.ConflictKeep, engine.ConflictFar, engine.ConflictNear:
				decision = engine.Conflict(v)
			default:
				if verdict != lua.LNil {
					return e.wrong("on_conflict", verdict, "\"remove\", \"keep\", \"far\", \"near\" or nil")
				}
			}
			return nil
		})
	return decision, err
}

func (e *scriptedEngine) onError(ctx context.Context, failure error) (decision engine.Decision, err error) {
	err = e.call(ctx, "on_error",
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.ErrorValue(L, failure)} },
		func(verdict, _ lua.LValue) error {
			switch v, _ := verdict.(lua.LString); engine.Decision(v) {
			case engine.Skip, engine.Retry, engine.Abort:
				decision = engine.Decision(v)
			default:
				if verdict != lua.LNil {
					return e.wrong("on_error", verdict, "\"retry\", \"skip\", \"abort\" or nil")
				}
			}
			return nil
		})
	return decision, err
}
