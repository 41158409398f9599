package script

import (
	"context"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// run is one Do.
type run struct {
	ctx    context.Context // of the caller, with the call chain
	caller context.Context // without the state's own time limit
}

// chain is the states that are inside Do, as far as a context knows.
type chain struct {
	state *State
	up    *chain
}

type chainKey struct{}

// Do runs fn as the owner of the state. It waits its turn, honouring ctx; when
// ctx's call chain is inside a Do of this state already, it returns
// fault.SelfCall instead of waiting for itself. ctx ends what Lua runs
// (fault.Stopped). A panic comes back as fault.Crashed, what Lua raised as the
// *fault.Error it is.
func (s *State) Do(ctx context.Context, fn func(L *lua.LState) error) error {
	above, _ := ctx.Value(chainKey{}).(*chain)
	for c := above; c != nil; c = c.up {
		if c.state == s {
			return fault.New(fault.SelfCall, "", "%s would wait for itself", s.describe())
		}
	}
	select {
	case <-s.turn:
	default:
		select {
		case <-s.turn:
		case <-ctx.Done():
			return s.stopped(ctx)
		}
	}
	defer func() { s.turn <- struct{}{} }()
	if s.closed {
		return fault.New(fault.Stopped, "", "%s has ended", s.describe())
	}
	if ctx.Err() != nil {
		return s.stopped(ctx)
	}
	return s.own(context.WithValue(ctx, chainKey{}, &chain{s, above}), fn)
}

// own runs fn with the turn held.
func (s *State) own(ctx context.Context, fn func(L *lua.LState) error) error {
	r := &run{ctx: ctx, caller: ctx}
	if s.opts.Timeout > 0 {
		timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
		defer cancel()
		r.ctx = timed
	}
	s.run = r
	s.meter.start(r.ctx, s.opts.Steps)
	s.lua.SetContext(s.meter)
	watch := s.watch()
	defer func() {
		watch.end()
		s.running.Store(nil)
		s.lua.RemoveContext()
		s.run = nil
	}()
	// A frame of Lua around fn lets gopher-lua unwind its stack on a panic.
	var failed error
	err := s.lua.GPCall(func(L *lua.LState) int {
		failed = fn(L)
		return 0
	}, lua.LNil)
	if err != nil {
		failed = s.fault(err)
		s.lua.SetTop(0)
	}
	return failed
}

// stopped is the error of a caller whose context ended.
func (s *State) stopped(ctx context.Context) error {
	return &fault.Error{Code: fault.Stopped, Op: s.describe(), Worker: s.opts.Worker, Err: context.Cause(ctx)}
}

func (s *State) describe() string {
	if s.opts.Worker == "" {
		return "script " + s.bundle.appFile()
	}
	return fmt.Sprintf("script of worker %q", s.opts.Worker)
}

// Context returns the context of the running Do, for host functions that block.
// Use it instead of L.Context(): it carries the call chain, and may be used from
// any goroutine.
func Context(L *lua.LState) context.Context {
	if r := From(L).run; r != nil {
		return r.ctx
	}
	return context.Background()
}

// Call calls a Lua value protected, inside Do, and returns its results (all of
// them when nret is lua.MultRet). Errors are *fault.Error.
func (s *State) Call(L *lua.LState, fn lua.LValue, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	if s.opts.Slow != nil {
		defer s.running.Store(s.running.Swap(&callee{fn: fn}))
	}
	top := L.GetTop()
	if err := L.CallByParam(lua.P{Fn: fn, NRet: nret, Protect: true}, args...); err != nil {
		L.SetTop(top)
		return nil, s.fault(err)
	}
	n := L.GetTop() - top
	results := make([]lua.LValue, n)
	for i := range results {
		results[i] = L.Get(top + 1 + i)
	}
	L.SetTop(top)
	return results, nil
}
