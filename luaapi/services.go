package luaapi

import (
	"context"
	"log/slog"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/engine"
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
	timing   bool // workers tell where their time goes
	sinks    *logSinks
}

func newServices(bundle *script.Bundle, dryRun, timing bool, memories *memories, sinks *logSinks) *services {
	return &services{bundle: bundle, secrets: newSecrets(), memories: memories, dryRun: dryRun, timing: timing, sinks: sinks}
}

// setup is what child processes are given to make the same services.
func (s *services) setup() wire.Value {
	return wire.Map{"bundle": s.bundle.Encode(), "dry_run": s.dryRun, "timing": s.timing}
}

// ChildRegistry makes the registry of a child process from Env.Setup. It is what
// worker.ServeChild is to be given.
func ChildRegistry(setup wire.Value) (worker.Registry, error) {
	f := readMap(setup)
	dryRun, timing := f.bool("dry_run"), f.bool("timing")
	if f.err != nil {
		return nil, f.err
	}
	bundle, err := script.Decode(f.m["bundle"], Modules())
	if err != nil {
		return nil, err
	}
	return newServices(bundle, dryRun, timing, &memories{}, &logSinks{}).registry(), nil
}

// registry holds the factory of every kind of worker.
func (s *services) registry() worker.Registry {
	builders := endpoint.Builders{Drivers: s.driverBuilders(), Controllers: s.controllerBuilders()}
	return worker.Registry{
		repository.Kind: repository.Factory(builders),
		endpoint.Kind:   endpoint.Factory(builders),
		state.Kind:      s.newState,
		engine.Kind:     engine.Factory(s.newEngine, s.keepFunctions),
		kindLogger:      s.newLogger,
		kindWorker:      s.newUserWorker,
	}
}

// newEngine makes the subclass of an engine.
func (s *services) newEngine(env worker.Env) (engine.Script, error) {
	return &scriptedEngine{make: s.newLuaState, worker: env.Spec.Name, log: env.Log,
		class: env.Spec.Class, args: env.Spec.Params["args"]}, nil
}

// keepFunctions run the functions of a predicate on what is kept near, in a Lua
// state of their own that is made with the first call.
func (s *services) keepFunctions(env worker.Env) engine.Functions {
	fns := &functionState{make: s.newLuaState, env: env}
	return engine.Functions{Message: fns.functions().Message, Close: fns.close}
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
