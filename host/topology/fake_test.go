package topology_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// registry returns the workers of the tests: servers, which answer calls, and
// engines, which run.
func registry() worker.Registry {
	return worker.Registry{
		"server": func(env worker.Env) (worker.Worker, error) { return &server{env}, nil },
		"engine": func(env worker.Env) (worker.Worker, error) { return &engine{server{env}}, nil },
	}
}

type server struct{ env worker.Env }

func (s *server) Start(ctx context.Context) error {
	switch s.env.Spec.Params["start"] {
	case "fail":
		return fault.New(fault.Auth, "sign in", "refused")
	case "wait": // for a server that does not answer
		<-ctx.Done()
		return context.Cause(ctx)
	}
	s.env.Emit("started", nil)
	return nil
}

func (s *server) Handle(_ context.Context, call *worker.Call) (wire.Value, error) {
	switch call.Op {
	case "pid":
		return int64(os.Getpid()), nil
	case "panic":
		panic("on purpose")
	}
	return nil, nil
}

func (s *server) Stop(context.Context) error {
	s.env.Emit("stopped", nil)
	if s.env.Spec.Params["stop"] == "fail" {
		return fault.New(fault.IO, "sync", "cannot")
	}
	return nil
}

// engine runs as its params say; a "batch" is what it must finish once drained.
type engine struct{ server }

func (e *engine) Run(ctx context.Context) error {
	e.env.Emit("running", nil)
	switch e.env.Spec.Params["run"] {
	case "done":
		return nil
	case "fail":
		return fault.New(fault.Network, "sync", "dropped").AsTemporary()
	case "fatal":
		return fault.New(fault.Guard, "sync", "too many removals")
	case "stubborn": // it does not look at Draining
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-e.env.Draining:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-time.After(10 * time.Millisecond): // the batch in flight
		e.env.Emit("batch", nil)
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.env.Spec.Params["run"] == "drain and say so" {
		return fault.New(fault.Stopped, "sync", "interrupted")
	}
	return nil
}

// lab is a topology and its master under test, and what they said.
type lab struct {
	*topology.Topology
	*topology.Master
	t    *testing.T
	host *worker.Host
	ctx  context.Context

	mu     sync.Mutex
	events []worker.Event
	heard  chan struct{}
	log    bytes.Buffer
}

func newLab(t *testing.T, change ...func(*topology.Options)) *lab {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	l := &lab{Topology: topology.NewTopology(), t: t, ctx: ctx, heard: make(chan struct{}, 1<<12)}
	argv, err := worker.SelfCommand("test-child")
	require.NoError(t, err)
	l.host = worker.NewHost(worker.Options{Registry: registry(), Command: argv, OnEvent: l.event, Grace: 5 * time.Second})
	opt := topology.Options{
		Host: l.host, Log: slog.New(slog.NewTextHandler(l, nil)),
		Restart: topology.Backoff{Limit: 3, First: time.Millisecond, Longest: 2 * time.Millisecond},
	}
	for _, c := range change {
		c(&opt)
	}
	l.Master = topology.New(opt)
	t.Cleanup(func() {
		_ = l.Close(context.Background()) // many of these workers fail by design
		_ = l.host.Close(context.Background())
		cancel()
	})
	return l
}

func (l *lab) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (l *lab) logged() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}

func (l *lab) event(e worker.Event) {
	l.mu.Lock()
	l.events = append(l.events, e)
	l.mu.Unlock()
	l.heard <- struct{}{}
}

// await waits until an event of a worker was heard n times.
func (l *lab) await(n int, name, event string) {
	l.t.Helper()
	for len(l.who(event, name)) < n {
		select {
		case <-l.heard:
		case <-l.ctx.Done():
			l.t.Fatalf("no event %q of %q", event, name)
		}
	}
}

// who returns the workers that emitted an event, in order; only one of them
// where its name is given.
func (l *lab) who(event string, only ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, e := range l.events {
		if e.Name == event && (len(only) == 0 || e.Worker == only[0]) {
			names = append(names, e.Worker)
		}
	}
	return names
}

type declare func(topology.Declaration) (*topology.Manager, error)

// server declares a worker that answers calls.
func (l *lab) server(d declare, name string, channels ...*topology.Manager) *topology.Manager {
	return l.make(d, topology.Declaration{Name: name, Worker: "server"}, channels)
}

// engine declares an engine that runs in a way.
func (l *lab) engine(name, run string, channels ...*topology.Manager) *topology.Manager {
	return l.make(l.EngineManager, topology.Declaration{Name: name, Worker: "engine", Params: wire.Map{"run": run}}, channels)
}

func (l *lab) make(d declare, decl topology.Declaration, channels []*topology.Manager) *topology.Manager {
	l.t.Helper()
	decl.Channels = map[string]*topology.Manager{}
	for _, c := range channels {
		decl.Channels[c.Name()] = c
	}
	m, err := d(decl)
	require.NoError(l.t, err)
	return m
}

// account declares what an account usually has, around an engine.
func (l *lab) account(run string) []*topology.Manager {
	log := l.server(l.LoggerManager, "log")
	far := l.server(l.RepositoryManager, "far", log)
	near := l.server(l.RepositoryManager, "near", log)
	state := l.server(l.StateManager, "state")
	return []*topology.Manager{log, far, near, state, l.engine("sync", run, far, near, state)}
}

func (l *lab) start(managers ...*topology.Manager) {
	l.t.Helper()
	require.NoError(l.t, l.Start(l.ctx, managers...))
}

func (l *lab) wait() topology.Result {
	l.t.Helper()
	r, err := l.Wait(l.ctx)
	require.NoError(l.t, err)
	return r
}

func (l *lab) ask(name, op string) (wire.Value, error) {
	return l.Channel(name).Call(l.ctx, &worker.Call{Op: op})
}
