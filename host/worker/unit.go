package worker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/wire"
)

// unit is a worker that runs in this process, on a goroutine or inline.
type unit struct {
	host   *Host
	spec   Spec
	inline bool
	owner  *unit       // who spawned it
	onExit func(error) // called once, if it was started
	log    *slog.Logger
	events outlet

	worker Worker
	inbox  chan *request // goroutine: calls for the loop
	slots  chan struct{} // as many as may be handled at once

	life, run             context.Context
	cancelLife, cancelRun context.CancelCauseFunc
	unhook                func() bool   // from the host's runs
	busy                  tally         // handlers, the loop, Run
	ready                 chan struct{} // closed when Start returned well
	closing               chan struct{} // closed when no call is taken any more
	gone                  chan struct{} // closed when it has ended, after onExit

	mu       sync.Mutex
	started  bool
	pending  func(begin bool) // an end that was asked for before it had started
	ending   bool
	cause    error // why it ends, when nobody asked it to
	children []*unit
	exit     error // valid after gone
}

func (h *Host) newUnit(spec Spec, owner *unit) *unit {
	u := &unit{
		host: h, spec: spec, owner: owner, inline: spec.Backend == Inline,
		log:   h.log.With("worker", spec.Name),
		inbox: make(chan *request),
		ready: make(chan struct{}), closing: make(chan struct{}), gone: make(chan struct{}),
	}
	u.events = outlet{worker: spec.Name, pump: h.pump, strict: h.opt.Strict}
	u.life, u.cancelLife = context.WithCancelCause(withLink(h.life, spec.Name))
	u.run, u.cancelRun = context.WithCancelCause(u.life)
	u.unhook = context.AfterFunc(h.runs, func() { u.cancelRun(context.Cause(h.runs)) })
	return u
}

func (u *unit) name() string           { return u.spec.Name }
func (u *unit) channels() []string     { return slices.Collect(maps.Values(u.spec.Channels)) }
func (u *unit) local() bool            { return !u.host.opt.Strict }
func (u *unit) ended() <-chan struct{} { return u.gone }

// start builds the worker and starts it, on its own goroutine or, inline, here.
func (u *unit) start(ctx context.Context) error {
	if err := u.host.add(u); err != nil {
		return err
	}
	started := newReply()
	if u.inline {
		started.set(nil, u.begin(ctx))
	} else {
		u.spawn("worker "+u.spec.Name, func() {
			defer started.set(nil, fault.New(fault.Crashed, "start worker "+u.spec.Name, "Start ended its goroutine"))
			err := u.begin(ctx)
			started.set(nil, err)
			if err == nil {
				u.loop()
			}
		})
	}
	<-started.done
	if started.err != nil {
		u.forget()
		return u.outgoingError(started.err)
	}
	if runner, ok := u.worker.(Runner); ok {
		u.spawn("run worker "+u.spec.Name, func() { u.runAll(runner) })
	}
	u.mu.Lock()
	u.started = true
	pending := u.pending
	u.mu.Unlock()
	close(u.ready)
	if pending != nil {
		pending(true)
	}
	return nil
}

// spawn starts a goroutine that belongs to the unit. A panic in it is the end
// of the worker.
func (u *unit) spawn(op string, fn func()) {
	u.busy.add()
	u.host.tasks.spawn(op, func() {
		defer u.busy.done()
		fn()
	}, func(err error) { u.fail(err) })
}

// begin runs the factory and Start.
func (u *unit) begin(ctx context.Context) error {
	env, err := u.env()
	if err != nil {
		return err
	}
	ctx, release := u.within(ctx)
	defer release()
	return Guard("start worker "+u.spec.Name, func() error {
		if u.worker, err = u.host.opt.Registry[u.spec.Kind](env); err != nil {
			return err
		}
		n := 1
		if c, ok := u.worker.(Concurrent); ok {
			n = max(c.Concurrency(), 1)
		}
		_, runs := u.worker.(Runner)
		u.slots = make(chan struct{}, n)
		u.events.holds = n == 1 && !runs
		return u.worker.Start(ctx)
	})
}

func (u *unit) env() (Env, error) {
	spec, setup := u.spec, u.host.opt.Setup
	if u.host.opt.Strict {
		params, err := wire.CloneAs("params", spec.Params)
		if err != nil {
			return Env{}, err
		}
		spec.Params, _ = params.(wire.Map)
		if setup, err = wire.CloneAs("setup", setup); err != nil {
			return Env{}, err
		}
	} else if err := wire.CheckAs("params", spec.Params); err != nil {
		return Env{}, err
	}
	channels := map[string]Channel{}
	for own, target := range spec.Channels {
		channels[own] = &channel{host: u.host, owner: spec.Name, target: target}
	}
	return Env{
		Spec: spec, Channels: channels, Log: u.log, Setup: setup,
		Emit: u.events.emit, Spawn: u.spawnWorker, Draining: u.host.drain.Done(),
	}, nil
}

// within returns a context for the worker's own code: it ends with ctx and with
// the worker's life, and has the worker in its chain.
func (u *unit) within(ctx context.Context) (context.Context, func()) {
	return lifetime.Join(withLink(ctx, u.spec.Name), u.life)
}

// runAll is the life of a Runner. When Run returns the worker ends.
func (u *unit) runAll(runner Runner) {
	err, _ := guard("run worker "+u.spec.Name, func() error { return runner.Run(u.run) })
	u.mu.Lock()
	asked := u.ending && u.cause == nil
	u.mu.Unlock()
	if asked && cancelled(err) {
		err = nil // it was told to end, and did
	}
	// One that ended well has answered what it took; those answers get out.
	ctx, cancel := context.WithTimeout(context.Background(), u.host.opt.Grace)
	u.end(ctx, cancel, err, !asked && err != nil)
}

func cancelled(err error) bool {
	return err != nil && (fault.CodeOf(err) == fault.Stopped || isContextError(err))
}

// spawnWorker is Env.Spawn.
func (u *unit) spawnWorker(ctx context.Context, spec Spec) (Channel, error) {
	if err := checkName(spec.Name); err != nil {
		return nil, err
	}
	if u.host.opt.Registry[spec.Kind] == nil {
		return nil, fault.New(fault.Config, "", "worker %q is of the unknown kind %q", spec.Name, spec.Kind)
	}
	for own, target := range spec.Channels {
		if !reaches(u, target) {
			return nil, fault.New(fault.Config, "", "channel %q of worker %q leads to %q, which is out of its reach", own, spec.Name, target)
		}
	}
	spec.Name, spec.Backend = u.spec.Name+"/"+spec.Name, Goroutine
	if u.inline {
		spec.Backend = Inline
	}
	child := u.host.newUnit(spec, u)
	child.onExit = func(err error) { u.childEnded(child, err) }
	u.mu.Lock()
	if u.ending {
		u.mu.Unlock()
		return nil, fault.New(fault.Stopped, "start worker "+spec.Name, "its owner is ending")
	}
	u.children = append(u.children, child)
	u.mu.Unlock()
	if err := child.start(ctx); err != nil {
		u.drop(child)
		return nil, err
	}
	return &spawned{channel{host: u.host, owner: u.spec.Name, target: spec.Name}, child}, nil
}

func (u *unit) drop(child *unit) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.children = slices.DeleteFunc(u.children, func(c *unit) bool { return c == child })
}

// childEnded takes the owner down with a worker of its own that failed.
func (u *unit) childEnded(child *unit, err error) {
	u.drop(child)
	if err != nil {
		u.fail(&fault.Error{Code: fault.CodeOf(err), Op: "worker " + child.spec.Name,
			Worker: child.spec.Name, Temporary: fault.IsTemporary(err), Err: err})
	}
}
