package luaapi

import (
	"context"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// kindWorker is the kind of worker that a user's own class is.
const kindWorker = "worker"

// workerCore is the Go object of an instance of a worker class.
type workerCore struct {
	env   worker.Env
	inbox chan *request
	sent  *worker.Group
	life  context.Context // of what was sent
}

// workerMethods are the methods of a user's worker. It either overrides handle,
// or run: a loop of its own that receives.
func workerMethods() []function {
	nothing := func(L *lua.LState) int { script.Self[*workerCore](L); return 0 }
	return []function{
		{name: "init", params: "opts: table", doc: "Is called in the worker, before anything else.", call: nothing},
		{name: "on_start", doc: "The worker is about to take calls.", call: nothing},
		{name: "handle", params: "op: string, args: any", returns: "any", doc: "Answers one call.", call: func(L *lua.LState) int {
			script.Self[*workerCore](L)
			script.Raise(L, fault.New(fault.Unsupported, L.CheckString(2), "the worker does not know this operation"))
			return 0
		}},
		{name: "run", doc: "A life of its own, instead of handle: the worker ends when it returns.", call: nothing},
		{name: "on_stop", doc: "The worker is about to end.", call: nothing},
		{name: "receive", params: "timeout?: imapfw.Age", returns: "imapfw.Request?", doc: "Waits for the next call; nil when the time is over or the worker is to end.", call: workerReceive},
		{name: "call", params: "channel: string, op: string, args?: any", returns: "any", doc: "Calls the worker at the other end of a channel and waits for its answer.", call: workerCall},
		{name: "send", params: "channel: string, op: string, args?: any", doc: "Calls a worker without waiting for its answer. A failure is logged.", call: workerSend},
		{name: "emit", params: "name: string, data?: any", doc: "Tells news to whoever listens in main.", call: func(L *lua.LState) int {
			c := script.Self[*workerCore](L)
			c.env.Emit(L.CheckString(2), plainValue(L, 3))
			return 0
		}},
	}
}

// plainValue returns an argument as plain data.
func plainValue(L *lua.LState, n int) wire.Value {
	v, err := script.FromLua(L.Get(n))
	if err == nil {
		v, err = script.Plain(v)
	}
	if err != nil {
		script.ArgError(L, n, "%v", err)
	}
	return v
}

func (c *workerCore) channel(L *lua.LState, n int) worker.Channel {
	name := L.CheckString(n)
	ch := c.env.Channels[name]
	if ch == nil {
		script.ArgError(L, n, "the worker has no channel %q", name)
	}
	return ch
}

func workerCall(L *lua.LState) int {
	c := script.Self[*workerCore](L)
	reply, err := c.channel(L, 2).Call(script.Context(L), &worker.Call{Op: L.CheckString(3), Args: plainValue(L, 4)})
	must(L, err)
	L.Push(script.ToLua(L, reply))
	return 1
}

func workerSend(L *lua.LState) int {
	c, op, args := script.Self[*workerCore](L), L.CheckString(3), plainValue(L, 4)
	ch := c.channel(L, 2)
	c.sent.Go("send "+op, func() error {
		if _, err := ch.Call(c.life, &worker.Call{Op: op, Args: args}); err != nil {
			c.env.Log.Error("a message was not taken", "to", ch.Name(), "op", op, "error", err)
		}
		return nil
	})
	return 0
}

func workerReceive(L *lua.LState) int {
	c, ctx := script.Self[*workerCore](L), script.Context(L)
	var expired <-chan time.Time
	if L.Get(2) != lua.LNil {
		timer := time.NewTimer(checkAge(L, 2))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case r := <-c.inbox:
		L.Push(script.New(L, r))
		return 1
	case <-expired:
	case <-c.env.Draining:
	case <-ctx.Done():
	}
	L.Push(lua.LNil)
	return 1
}

// userWorker runs a worker class.
type userWorker struct {
	services *services
	env      worker.Env
	state    *script.State
	inst     *script.Instance
	inbox    chan *request
	sent     worker.Group
	end      context.CancelFunc // of what was sent
	over     chan struct{}      // closed when the loop has ended
}

// loopingWorker is a userWorker whose class overrides run.
type loopingWorker struct{ *userWorker }

var _ worker.Runner = loopingWorker{}

func (s *services) newUserWorker(env worker.Env) (worker.Worker, error) {
	w := &userWorker{services: s, env: env, inbox: make(chan *request), over: make(chan struct{})}
	if loops, _ := env.Spec.Params["loops"].(bool); loops {
		return loopingWorker{w}, nil
	}
	return w, nil
}

func (w *userWorker) Start(ctx context.Context) error {
	state, err := w.services.newLuaState(ctx, w.env.Spec.Name, w.env.Log)
	if err != nil {
		return err
	}
	var life context.Context
	life, w.end = context.WithCancel(context.Background())
	core := &workerCore{env: w.env, inbox: w.inbox, sent: &w.sent, life: life}
	err = state.Do(ctx, func(L *lua.LState) (err error) {
		if w.inst, err = state.Instantiate(L, w.env.Spec.Class, core, w.env.Spec.Params["args"]); err == nil {
			_, err = w.inst.Call(L, "on_start", 0)
		}
		return err
	})
	if err != nil {
		w.end()
		state.Close()
		return err
	}
	w.state = state
	return nil
}

func (w *userWorker) Handle(ctx context.Context, call *worker.Call) (wire.Value, error) {
	var reply wire.Value
	err := w.state.Do(ctx, func(L *lua.LState) error {
		results, err := w.inst.Call(L, "handle", 1, lua.LString(call.Op), script.ToLua(L, call.Args))
		if err != nil {
			return err
		}
		if reply, err = script.FromLua(results[0]); err == nil {
			reply, err = script.Plain(reply)
		}
		return err
	})
	return reply, err
}

func (w *userWorker) Stop(ctx context.Context) error {
	err := w.state.Do(ctx, func(L *lua.LState) error {
		_, err := w.inst.Call(L, "on_stop", 0)
		return err
	})
	defer context.AfterFunc(ctx, w.end)()
	if sendErr := w.sent.Wait(); err == nil {
		err = sendErr
	}
	w.end()
	w.state.Close()
	return err
}

// Handle leaves the call to the loop and waits for its answer.
func (w loopingWorker) Handle(ctx context.Context, call *worker.Call) (wire.Value, error) {
	r := &request{op: call.Op, args: call.Args, reply: make(chan answer, 1)}
	select {
	case w.inbox <- r:
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Stopped, call.Op, context.Cause(ctx))
	case <-w.over:
		return nil, fault.New(fault.Stopped, call.Op, "the worker has ended")
	}
	select {
	case a := <-r.reply:
		return a.value, a.err
	case <-ctx.Done():
	case <-w.over:
	}
	select { // an answer that was given counts
	case a := <-r.reply:
		return a.value, a.err
	default:
		return nil, fault.New(fault.Stopped, call.Op, "the worker ended without an answer")
	}
}

// Concurrency lets calls queue up while the loop is busy.
func (w loopingWorker) Concurrency() int { return 64 }

func (w loopingWorker) Run(ctx context.Context) error {
	defer close(w.over)
	return w.state.Do(ctx, func(L *lua.LState) error {
		_, err := w.inst.Call(L, "run", 0)
		return err
	})
}
