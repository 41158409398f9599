package topology

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/worker"
)

// Options are what a Master is made with.
type Options struct {
	// Host runs the workers. The master is the only reader of its Exits; it
	// does not close it.
	Host *worker.Host
	Log  *slog.Logger // nil is silence
	// Decide is asked about every worker that failed, one at a time, on a
	// goroutine of the master's: other exits are heard meanwhile. Nil, or Default: as the master decides by
	// itself. It may call the master, but for Close.
	Decide  func(worker.Exit) Decision
	Restart Backoff
	// Grace is how long engines may take to finish the batch in flight when the
	// run is stopped; 0 is 10 seconds. StopTimeout is how long each worker may
	// take to stop; 0 is 30 seconds.
	Grace, StopTimeout time.Duration
}

// Master starts workers, hears how they end, and stops them. Its methods may be
// called from any goroutine.
type Master struct {
	opt  Options
	host *worker.Host
	log  *slog.Logger

	linger       context.Context // ends at the second interrupt
	cancelLinger context.CancelCauseFunc
	quiet        context.Context // ends when nothing is restarted any more
	cancelQuiet  context.CancelCauseFunc
	tasks        worker.Group // the supervisor and what stops
	restarts     worker.Group
	once         sync.Once     // starts the supervisor
	closed       chan struct{} // closed by Close: the supervisor may end

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced by change
	members    map[string]*member
	started    []*Manager
	exits      int           // that are still to be heard
	failing    []worker.Exit // that are still to be decided about
	deciding   bool          // somebody does
	reading    bool          // somebody reads the errors
	waiting    bool
	undecided  []worker.Exit // that end the run, unless somebody reads the errors
	errors     []*fault.Error
	failed     []worker.Exit
	cause      error
	stopping   bool
	stopped    bool
	cleanup    error // what went wrong while stopping
	interrupts int
}

// member is a manager that was started.
type member struct {
	manager  *Manager
	running  bool
	done     bool      // it ended and will not be started again
	ignore   int       // exits to come that we caused
	attempts int       // restarts in a row
	since    time.Time // its last start
}

// Result is how a run ended.
type Result struct {
	// Err is why the run was stopped; nil when all engines ended by themselves.
	Err error
	// Failed are the workers that failed without stopping the run, in order.
	Failed []worker.Exit
	// Interrupted reports that the user asked for the end.
	Interrupted bool
}

// New returns a Master that has started nothing yet. It must be closed.
func New(opt Options) *Master {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Grace == 0 {
		opt.Grace = 10 * time.Second
	}
	if opt.StopTimeout == 0 {
		opt.StopTimeout = 30 * time.Second
	}
	opt.Restart = opt.Restart.withDefaults()
	m := &Master{
		opt: opt, host: opt.Host, log: opt.Log, members: map[string]*member{},
		closed: make(chan struct{}), changed: make(chan struct{}),
	}
	m.linger, m.cancelLinger = context.WithCancelCause(context.Background())
	m.quiet, m.cancelQuiet = context.WithCancelCause(m.linger)
	return m
}

// Start starts managers in order, but for those that others have channels to,
// which come first; repositories and states in a row are started at the same time,
// since most of their time is a server's. When one fails, those that were started
// before it are stopped in reverse order, and the error names it. It may be
// called again for more of them.
func (m *Master) Start(ctx context.Context, managers ...*Manager) error {
	m.once.Do(func() { m.tasks.Go("supervise", m.supervise) })
	ctx, release := lifetime.Join(ctx, m.quiet)
	defer release()
	var started []*Manager
	for _, wave := range startWaves(startOrder(managers)) {
		good, err := m.startWave(ctx, wave)
		started = append(started, good...)
		if err != nil {
			m.undo(started)
			return err
		}
	}
	return nil
}

// startWave starts managers at the same time, and returns those that were started.
// The first failure cuts short the start of the others, and is the error.
func (m *Master) startWave(ctx context.Context, wave []*Manager) (started []*Manager, err error) {
	group, ctx := errgroup.WithContext(ctx)
	good := make([]bool, len(wave))
	for i, manager := range wave {
		group.Go(func() error {
			err := fault.Contain("start worker "+manager.Name(), func() error { return m.start(ctx, manager) })
			if err != nil {
				return &fault.Error{Code: fault.CodeOf(err), Op: "start worker " + manager.Name(),
					Worker: manager.Name(), Temporary: fault.IsTemporary(err), Err: err}
			}
			good[i] = true
			return nil
		})
	}
	err = group.Wait()
	for i, manager := range wave {
		if good[i] {
			started = append(started, manager)
		}
	}
	return started, err
}

// start starts one worker and counts the exit that it owes.
func (m *Master) start(ctx context.Context, manager *Manager) error {
	name := manager.Name()
	m.mu.Lock()
	if m.quiet.Err() != nil || ctx.Err() != nil {
		defer m.mu.Unlock()
		return fault.New(fault.Stopped, "", "the run is over")
	}
	before, mb := m.members[name], &member{manager: manager}
	if before != nil {
		if before.running {
			defer m.mu.Unlock()
			return fault.New(fault.Exists, "", "it runs already")
		}
		mb.attempts, mb.ignore = before.attempts, before.ignore
	}
	mb.running, mb.since = true, time.Now()
	m.members[name] = mb
	if !slices.Contains(m.started, manager) {
		m.started = append(m.started, manager)
	}
	m.exits++
	m.mu.Unlock()

	err := m.host.Start(ctx, manager.spec)
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.exits--
		mb.running = false
		if before == nil {
			delete(m.members, name)
			m.started = slices.DeleteFunc(m.started, func(s *Manager) bool { return s == manager })
		}
		m.change()
	}
	return err
}

// undo stops workers because a later one did not start.
func (m *Master) undo(started []*Manager) {
	for _, manager := range slices.Backward(started) {
		if err := m.stopOne(manager); err != nil {
			m.log.Warn("stopped after a failed start", "worker", manager.Name(), "error", err)
		}
	}
}

// stopOne stops a worker that is not to be missed.
func (m *Master) stopOne(manager *Manager) error {
	m.mu.Lock()
	mb := m.members[manager.Name()]
	if !mb.running {
		m.mu.Unlock()
		return nil
	}
	mb.ignore++
	mb.done = true
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), m.opt.StopTimeout)
	defer cancel()
	return m.host.Stop(ctx, manager.Name())
}

// Restart stops a worker, where it runs, and starts it again.
func (m *Master) Restart(ctx context.Context, name string) error {
	m.mu.Lock()
	mb := m.members[name]
	m.mu.Unlock()
	if mb == nil {
		return fault.New(fault.NotFound, "restart "+name, "no worker of that name was started")
	}
	if err := m.stopOne(mb.manager); err != nil {
		m.log.Warn("stopped for a restart", "worker", name, "error", err)
	}
	m.mu.Lock()
	mb.running = false
	m.mu.Unlock()
	return m.start(ctx, mb.manager)
}

// Wait waits until all engines are done (where there are none, the users' own
// workers), or until everything is stopped, and returns how the run went. What
// still runs then goes on until Stop. A worker whose failure ends the run by
// default does so from now on. The error is that of ctx.
func (m *Master) Wait(ctx context.Context) (Result, error) {
	m.mu.Lock()
	m.waiting = true
	for _, exit := range m.undecided {
		m.fatal(exit)
	}
	m.undecided = nil
	m.mu.Unlock()
	err := m.until(ctx, func() bool { return m.stopped || !m.stopping && m.allDone() })
	m.mu.Lock()
	defer m.mu.Unlock()
	return Result{Err: m.cause, Failed: slices.Clone(m.failed), Interrupted: m.interrupts > 0}, err
}

// NextError returns the next failure of a worker, and io.EOF when all engines
// are done or everything is stopped. Whoever calls it decides what becomes of
// the run: from the first call on no failure stops it by default. The other
// error is that of ctx.
func (m *Master) NextError(ctx context.Context) (*fault.Error, error) {
	m.mu.Lock()
	m.reading = true
	for _, exit := range m.undecided {
		m.without(exit)
	}
	m.undecided = nil
	m.mu.Unlock()
	err := m.until(ctx, func() bool { return len(m.errors) > 0 || m.stopped || m.allDone() })
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.errors) == 0 {
		return nil, io.EOF
	}
	next := m.errors[0]
	m.errors = m.errors[1:]
	return next, nil
}

// until waits for a condition, which is asked for under the lock.
func (m *Master) until(ctx context.Context, holds func() bool) error {
	for {
		m.mu.Lock()
		ok, changed := holds(), m.changed
		m.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change wakes everybody in until. The lock is held.
func (m *Master) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// allDone reports whether nothing is left to wait for. The lock is held.
func (m *Master) allDone() bool {
	kind := WorkerManager
	for _, mb := range m.members {
		if mb.manager.kind == EngineManager {
			kind = EngineManager
		}
	}
	for _, mb := range m.members {
		if mb.manager.kind == kind && !mb.done {
			return false
		}
	}
	return true
}

// Channel returns a way to call a worker from the main script.
func (m *Master) Channel(name string) worker.Channel { return m.host.Channel(name) }
