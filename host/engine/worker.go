package engine

import (
	"context"
	"io"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/spool"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is the kind of worker that an engine is, for the registry.
const Kind = "engine"

// The names of an engine's channels: two repositories and the state.
const (
	ChannelFar   = "far"
	ChannelNear  = "near"
	ChannelState = "state"
)

// Script is a subclass of the engine that a script wrote. Open is called before
// the run, and gives the hooks it overrides; Close after it.
type Script interface {
	Open(ctx context.Context) (Hooks, error)
	Close()
}

// Functions run the functions of a predicate, until they are closed.
type Functions struct {
	Message func(ctx context.Context, id string, v *predicate.View) (bool, error)
	Close   func()
}

// Factory makes engines as workers. script finds the subclass that Spec.Class
// names; it is not asked for an engine without one. functions runs those of the
// predicate on what is kept near; it is not asked where there are none. Both may
// be nil.
func Factory(script func(env worker.Env) (Script, error), functions func(env worker.Env) Functions) worker.Factory {
	return func(env worker.Env) (worker.Worker, error) {
		params, err := ParseParams(env.Spec.Params)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{ChannelFar, ChannelNear, ChannelState} {
			if env.Channels[name] == nil {
				return nil, fault.New(fault.Config, "", "engine %q has no channel called %q", env.Spec.Name, name)
			}
		}
		w := &engineWorker{env: env, params: params}
		if params.Messages != nil {
			if w.keep.Messages, err = predicate.Compile(params.Messages); err != nil {
				return nil, err
			}
			if w.keep.Messages.HasFn() {
				if functions == nil {
					return nil, fault.New(fault.Config, "", "engine %q has nobody to run the functions of its predicate", env.Spec.Name)
				}
				fns := functions(env)
				w.keep.Call, w.close = fns.Message, fns.Close
			}
		}
		if env.Spec.Class == "" {
			return w, nil
		}
		if script == nil {
			return nil, fault.New(fault.Config, "", "engine %q is of class %q, and there are no scripts here", env.Spec.Name, env.Spec.Class)
		}
		w.script, err = script(env)
		return w, err
	}
}

// engineWorker runs an engine once. Its life is its Run: nobody calls it.
type engineWorker struct {
	env    worker.Env
	params Params
	script Script
	hooks  Hooks
	keep   Keep
	close  func() // of the functions of keep; nil where there are none
}

var _ worker.Runner = (*engineWorker)(nil)

func (w *engineWorker) Start(ctx context.Context) error {
	if w.script == nil {
		return nil
	}
	var err error
	if w.hooks, err = w.script.Open(ctx); err != nil {
		w.script.Close()
	}
	return err
}

func (w *engineWorker) Handle(_ context.Context, call *worker.Call) (wire.Value, error) {
	return nil, fault.New(fault.Unsupported, call.Op, "an engine answers no calls")
}

func (w *engineWorker) Stop(context.Context) error {
	if w.close != nil {
		w.close()
	}
	if w.script != nil {
		w.script.Close()
	}
	return nil
}

// Run brings both sides in step. Its error is what stopped it, or tells that
// some folders or messages failed; an interrupt is none.
func (w *engineWorker) Run(ctx context.Context) error {
	far, near := endpoint.Proxy(w.env.Channels[ChannelFar]), endpoint.Proxy(w.env.Channels[ChannelNear])
	for _, store := range []driver.Store{far, near} {
		if err := store.Open(ctx); err != nil {
			return err
		}
		defer store.Close()
	}
	far, near, err := w.params.Select.around(far, near)
	if err != nil {
		return err
	}
	var record *timing.Recorder
	if w.params.Timing {
		record = timing.New()
		defer func() { w.env.Emit(endpoint.EventTiming, record.Figures().Value()) }()
	}
	kept, done := spoolOf(w.params.Policy.Undo)
	defer done()
	report, err := New(Config{
		Name: w.env.Spec.Name, Far: far, Near: near, State: state.Proxy(w.env.Channels[ChannelState]),
		Policy: w.params.Policy, Once: w.params.Once,
		Keep: w.keep, Scope: w.params.Scope,
		Job: w.params.Job, Args: w.params.Args,
		FarNames: w.params.Select.farNames,
		Convert:  w.params.Convert, DryRun: w.params.DryRun,
		Spool: kept, Lanes: w.params.Lanes, Attempts: w.params.Attempts, Hooks: w.hooks, Draining: w.env.Draining,
		Timing: record, Log: w.env.Log, Emit: w.env.Emit,
	}).Run(ctx)
	switch {
	case err == nil:
		return report.Err()
	case w.drained() && fault.CodeOf(err) == fault.Stopped && ctx.Err() == nil:
		return nil
	}
	return err
}

// spoolOf is where what is removed is kept, if anywhere, and what ends its use.
func spoolOf(u Undo) (Spool, func()) {
	if !u.On || u.Path == "" {
		return nil, func() {}
	}
	s := spool.New(u.Path)
	return folderSpool{s}, s.Close
}

// folderSpool is a spool.Spool as a Spool.
type folderSpool struct{ *spool.Spool }

func (s folderSpool) Open(name string) (io.Closer, mail.Body, error) { return s.Spool.Open(name) }

func (w *engineWorker) drained() bool {
	select {
	case <-w.env.Draining:
		return true
	default:
		return false
	}
}
