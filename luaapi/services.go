package luaapi

import (
	"context"
	"log/slog"
	"sync"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/repository"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// services are what the workers of one process share.
type services struct {
	bundle   *script.Bundle
	secrets  *secrets
	memories *memories
	dryRun   bool
	sinks    *logSinks
}

func newServices(bundle *script.Bundle, dryRun bool, memories *memories, sinks *logSinks) *services {
	return &services{bundle: bundle, secrets: newSecrets(), memories: memories, dryRun: dryRun, sinks: sinks}
}

// setup is what child processes are given to make the same services.
func (s *services) setup() wire.Value {
	return wire.Map{"bundle": s.bundle.Encode(), "dry_run": s.dryRun}
}

// ChildRegistry makes the registry of a child process from Env.Setup. It is what
// worker.ServeChild is to be given.
func ChildRegistry(setup wire.Value) (worker.Registry, error) {
	f := readMap(setup)
	dryRun := f.bool("dry_run")
	if f.err != nil {
		return nil, f.err
	}
	bundle, err := script.Decode(f.m["bundle"], Modules())
	if err != nil {
		return nil, err
	}
	return newServices(bundle, dryRun, &memories{}, &logSinks{}).registry(), nil
}

// registry holds the factory of every kind of worker.
func (s *services) registry() worker.Registry {
	builders := endpoint.Builders{Drivers: s.driverBuilders(), Controllers: s.controllerBuilders()}
	return worker.Registry{
		repository.Kind: repository.Factory(builders),
		endpoint.Kind:   endpoint.Factory(builders),
		state.Kind:      s.newState,
		engine.Kind:     engine.Factory(s.newEngine),
		kindLogger:      s.newLogger,
		kindWorker:      s.newUserWorker,
	}
}

// newEngine makes the subclass of an engine.
func (s *services) newEngine(env worker.Env) (engine.Script, error) {
	return &scriptedEngine{make: s.newLuaState, worker: env.Spec.Name, log: env.Log,
		class: env.Spec.Class, args: env.Spec.Params["args"]}, nil
}

// newLuaState makes the Lua state of a worker.
func (s *services) newLuaState(ctx context.Context, name string, log *slog.Logger) (*script.State, error) {
	return s.bundle.NewState(ctx, script.Options{
		Worker: name, Phase: script.Work, Log: log,
		Slow: func(r script.Running) {
			log.Warn("a script takes long", "worker", r.Worker, "what", r.What, "since", r.Since)
		},
	})
}

// logSinks are the loggers of a process that are open: the slog.Handler of the
// command, and one for each LoggerManager.
type logSinks struct {
	base slog.Handler // nil: none

	mu   sync.RWMutex
	list []slog.Handler
}

func (l *logSinks) add(h slog.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, h)
}

func (l *logSinks) remove(h slog.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, have := range l.list {
		if have == h {
			l.list = append(l.list[:i:i], l.list[i+1:]...)
			return
		}
	}
}

// all returns the handlers that are open now.
func (l *logSinks) all() []slog.Handler {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]slog.Handler, 0, len(l.list)+1)
	if l.base != nil {
		out = append(out, l.base)
	}
	return append(out, l.list...)
}

// handler returns the slog.Handler that writes to whatever is open when a record
// comes.
func (l *logSinks) handler() slog.Handler { return fanout{sinks: l} }

// fanout is a slog.Handler over the sinks. Attributes and groups are kept and
// applied to each record, since the sinks change.
type fanout struct {
	sinks *logSinks
	with  func(slog.Handler) slog.Handler
}

func (f fanout) dress(h slog.Handler) slog.Handler {
	if f.with == nil {
		return h
	}
	return f.with(h)
}

func (f fanout) Enabled(ctx context.Context, level slog.Level) bool {
	for _, h := range f.sinks.all() {
		if h.Enabled(ctx, level) {
			return true
		}
	}
	return false
}

func (f fanout) Handle(ctx context.Context, r slog.Record) error {
	var first error
	for _, h := range f.sinks.all() {
		if !h.Enabled(ctx, r.Level) {
			continue
		}
		if err := f.dress(h).Handle(ctx, r.Clone()); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (f fanout) WithAttrs(attrs []slog.Attr) slog.Handler {
	return fanout{f.sinks, func(h slog.Handler) slog.Handler { return f.dress(h).WithAttrs(attrs) }}
}

func (f fanout) WithGroup(name string) slog.Handler {
	return fanout{f.sinks, func(h slog.Handler) slog.Handler { return f.dress(h).WithGroup(name) }}
}

// unknownClass is the error of a class that is not what a worker needs.
func unknownClass(class, want string) error {
	return fault.New(fault.Config, "", "%s is no %s", class, want)
}
