package worker

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// Options are what a Host is made with.
type Options struct {
	// Registry holds the factories of the workers of this process. A worker
	// with the process backend is built from the registry of its child.
	Registry Registry
	// Setup is what Env.Setup gives to every worker, here and in children.
	Setup wire.Value
	// Log gets what the host and its workers have to say; nil is silence.
	Log *slog.Logger
	// Strict makes every backend encode and decode what crosses a channel and
	// refuse Local payloads, so that a worker that works here works anywhere.
	Strict bool
	// Command is the argument vector that makes a child process of this binary
	// call ServeChild; see SelfCommand. Empty: no process backend.
	Command []string
	// Stdout is where the standard output of children goes; nil discards it.
	Stdout *os.File
	// OnEvent is called for every event, one at a time, on a goroutine of the
	// host's. Exits wait behind it: it must not block for long.
	OnEvent func(Event)
	// Grace is how long a worker that was killed, or whose Run failed, may take
	// to end; 0 is 10 seconds.
	Grace time.Duration
}

// Host runs workers and connects them. Its methods may be called from any
// goroutine.
type Host struct {
	opt   Options
	log   *slog.Logger
	tasks tally
	pump  *pump

	// What every worker's contexts come from, and end with.
	life, runs, drain                 context.Context
	cancelLife, cancelRuns, drainOnce context.CancelCauseFunc

	mu      sync.Mutex
	workers map[string]target // running, with those that were spawned
	order   []string          // those that Start started, the oldest first
	past    map[string]error  // how those that ran before ended
	closed  bool
}

// target is a worker that can be called, wherever it runs.
type target interface {
	name() string
	// channels gives the names of the workers it may call.
	channels() []string
	local() bool
	call(ctx context.Context, call *Call) (wire.Value, error)
	open(ctx context.Context, op string, args wire.Value) (Session, error)
	// stop ends it as it should, kill at once. Both wait until it ended; the
	// error is the one of its Exit.
	stop(ctx context.Context) error
	kill(cause error)
	ended() <-chan struct{}
}

// NewHost returns a Host that runs nothing yet. It must be closed.
func NewHost(opt Options) *Host {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Grace == 0 {
		opt.Grace = 10 * time.Second
	}
	h := &Host{opt: opt, log: opt.Log, workers: map[string]target{}, past: map[string]error{}}
	h.pump = newPump(opt.OnEvent, opt.Log)
	h.life, h.cancelLife = context.WithCancelCause(context.Background())
	h.runs, h.cancelRuns = context.WithCancelCause(h.life)
	h.drain, h.drainOnce = context.WithCancelCause(context.Background())
	h.tasks.spawn("deliver events", h.pump.run, func(err error) { h.log.Error("no more events", "error", err) })
	return h
}

// Start starts a worker and returns when its Start did. The workers its
// channels lead to were started before. A name may be used again after its Exit. When
// Start fails the worker is not there and there is no Exit.
func (h *Host) Start(ctx context.Context, spec Spec) error {
	if spec.Backend == "" {
		spec.Backend = Goroutine
	}
	if err := h.check(spec); err != nil {
		return err
	}
	if spec.Backend == Process {
		return h.startChild(ctx, spec)
	}
	u := h.newUnit(spec, nil)
	u.onExit = func(err error) { h.pump.exit(Exit{Worker: spec.Name, Err: err}) }
	return u.start(ctx)
}

// check refuses what cannot be started, before anything is.
func (h *Host) check(spec Spec) error {
	if err := checkName(spec.Name); err != nil {
		return err
	}
	switch spec.Backend {
	case Goroutine, Inline:
		if h.opt.Registry[spec.Kind] == nil {
			return fault.New(fault.Config, "", "worker %q is of the unknown kind %q", spec.Name, spec.Kind)
		}
	case Process:
		if len(h.opt.Command) == 0 {
			return fault.New(fault.Unsupported, "", "worker %q cannot be a process: there is no command for children here", spec.Name)
		}
	default:
		return fault.New(fault.Config, "", "worker %q has the unknown backend %q", spec.Name, spec.Backend)
	}
	specs := []Spec{spec}
	h.mu.Lock()
	for name := range h.past { // it may be about to be restarted
		if name != spec.Name && h.workers[name] == nil {
			specs = append(specs, Spec{Name: name})
		}
	}
	for name, t := range h.workers {
		others := map[string]string{}
		for _, c := range t.channels() {
			if h.workers[c] != nil || c == spec.Name {
				others[c] = c
			}
		}
		if isRoot(name) && name != spec.Name {
			specs = append(specs, Spec{Name: name, Channels: others})
		}
	}
	h.mu.Unlock()
	return CheckGraph(specs)
}

// add puts a worker among those that can be called.
func (h *Host) add(t target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return fault.New(fault.Stopped, "start worker "+t.name(), "the host is closed")
	}
	if h.workers[t.name()] != nil {
		return fault.New(fault.Exists, "start worker "+t.name(), "a worker of that name runs already")
	}
	h.workers[t.name()] = t
	if isRoot(t.name()) {
		h.order = append(h.order, t.name())
	}
	return nil
}

// discard undoes add for a worker that did not start.
func (h *Host) discard(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(name)
}

// remove notes how a worker has ended.
func (h *Host) remove(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(name)
	if isRoot(name) {
		h.past[name] = err
	}
}

func (h *Host) drop(name string) {
	delete(h.workers, name)
	h.order = slices.DeleteFunc(h.order, func(n string) bool { return n == name })
}

// find returns a worker that runs, or says what became of it. Where it failed
// in a way that may pass, so may this error: it may be about to be restarted.
func (h *Host) find(name string) (target, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.workers[name]; t != nil {
		return t, nil
	}
	err, known := h.past[name]
	if !known {
		return nil, fault.New(fault.NotFound, "call "+name, "there is no such worker")
	}
	return nil, &fault.Error{Code: fault.Stopped, Op: "call " + name, Message: "the worker is not running",
		Temporary: fault.IsTemporary(err), Err: err}
}

// Channel returns a way to call a worker from outside all workers. It stays
// valid while the worker is restarted; calls fail with fault.Stopped where it
// does not run.
func (h *Host) Channel(name string) Channel { return &channel{host: h, target: name} }

// Stop ends a worker as it should and waits for its Exit, whose error it
// returns. Calls in flight may finish, Run is cancelled. When ctx ends the
// worker is killed. A worker that ended already is no error.
func (h *Host) Stop(ctx context.Context, name string) error {
	t, err := h.find(name)
	switch {
	case fault.CodeOf(err) == fault.NotFound && err != nil:
		return err
	case err != nil:
		return nil
	}
	return t.stop(ctx)
}

// Kill ends a worker at once and does not wait: calls in flight fail, a child
// process gets SIGKILL. A goroutine cannot be forced: its contexts end, and
// after Options.Grace it is given up.
func (h *Host) Kill(name string) {
	if t, err := h.find(name); err == nil {
		t.kill(fault.New(fault.Stopped, "", "worker %q was killed", name))
	}
}

// Running returns the names of the workers that were started and have not
// ended, the oldest first.
func (h *Host) Running() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.order)
}

// Exits is the upper end of every worker's error link: one Exit for each worker
// that Start started. It is closed by Close, after the last one.
func (h *Host) Exits() <-chan Exit { return h.pump.exits }

// Drain is the first interrupt: it closes Env.Draining of every worker, also of
// those that are started later.
func (h *Host) Drain() { h.drainOnce(nil) }

// Draining is closed by Drain.
func (h *Host) Draining() <-chan struct{} { return h.drain.Done() }

// CancelRuns is the second interrupt: it ends the context of every Run.
func (h *Host) CancelRuns(cause error) { h.cancelRuns(cause) }

// KillAll kills every worker and does not wait.
func (h *Host) KillAll() {
	for _, name := range h.Running() {
		h.Kill(name)
	}
}

// Close stops what still runs, in reverse order of start, waits for every
// goroutine and closes Exits. Calls in flight may finish until ctx ends; then
// the rest is killed. It returns the first error of a worker, or says that some
// could not be ended.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	again := h.closed
	h.closed = true
	h.mu.Unlock()
	var first error
	for running := h.Running(); len(running) > 0; running = h.Running() {
		for _, name := range slices.Backward(running) {
			if err := h.Stop(ctx, name); err != nil && first == nil {
				first = err
			}
		}
	}
	h.cancelLife(fault.New(fault.Stopped, "", "the host is closed"))
	h.drainOnce(nil)
	if !again {
		h.pump.close()
	}
	select {
	case <-h.tasks.idle():
		return first
	case <-time.After(h.opt.Grace):
		return fault.New(fault.Internal, "close the host", "goroutines of its workers did not end")
	}
}
