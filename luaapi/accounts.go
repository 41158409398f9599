package luaapi

import (
	"context"
	"errors"
	"io"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/worker"
)

// enqueue lets an account be synced, now or when one of those that run is done.
func (p *program) enqueue(a *account) error {
	if a.synced {
		return nil
	}
	a.synced = true
	if err := a.declare(); err != nil {
		return err
	}
	if p.master == nil {
		for _, m := range a.managers {
			p.started = append(p.started, m.Manager)
		}
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending++
	p.waiting = append(p.waiting, a)
	p.fill()
	return nil
}

// fill starts accounts that wait, as many as may run. The lock is held.
func (p *program) fill() {
	for p.running < p.jobs && len(p.waiting) > 0 {
		a := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.running++
		p.tasks.Go("sync "+a.name, func() error {
			err := a.sync(p.master.Linger())
			p.mu.Lock()
			defer p.mu.Unlock()
			if err != nil {
				p.fail(err)
			}
			p.running--
			p.pending--
			p.fill()
			p.change()
			return nil
		})
	}
}

// fail notes what an account could not do. The lock is held.
func (p *program) fail(err error) {
	p.failed = append(p.failed, err)
	f := &fault.Error{}
	if !errors.As(err, &f) {
		f = &fault.Error{Code: fault.CodeOf(err), Temporary: fault.IsTemporary(err), Err: err}
	}
	p.failures = append(p.failures, failure{f})
	p.change()
}

// sync runs one account: its workers are started, and stopped when its engine is
// done, so that its connections are not held while others wait. What the engine
// ended with is the master's to tell.
func (a *account) sync(ctx context.Context) error {
	managers := make([]*topology.Manager, len(a.managers))
	for i, m := range a.managers {
		managers[i] = m.Manager
	}
	if drained(a.program.master) {
		return nil
	}
	if err := a.program.start(ctx, managers...); err != nil {
		if drained(a.program.master) {
			return nil
		}
		return inAccount(err, a.name)
	}
	engine := managers[len(managers)-1]
	if err := a.program.master.Done(ctx, engine.Name()); err != nil {
		return nil // the run is over; the master stops everything
	}
	record := a.program.opt.Timing
	return inAccount(record.Do(timing.Stop, func() error { return a.program.master.Release(ctx, managers...) }), a.name)
}

// start starts workers.
func (p *program) start(ctx context.Context, managers ...*topology.Manager) error {
	return p.opt.Timing.Do(timing.Start, func() error { return p.master.Start(ctx, managers...) })
}

func drained(m *topology.Master) bool {
	select {
	case <-m.Draining():
		return true
	default:
		return false
	}
}

func inAccount(err error, name string) error {
	if err == nil || name == "" {
		return err
	}
	if f := (&fault.Error{}); errors.As(err, &f) && f.Error() == err.Error() {
		named := *f
		named.Account = name
		return &named
	}
	return &fault.Error{Code: fault.CodeOf(err), Account: name, Err: err}
}

// next returns the next failure of a worker or an account, and io.EOF when there
// will be none.
func (p *program) next(ctx context.Context) (*fault.Error, error) {
	for {
		p.mu.Lock()
		if len(p.failures) > 0 {
			f := p.failures[0]
			p.failures = p.failures[1:]
			p.mu.Unlock()
			return f.err, nil
		}
		pending, changed := p.pending, p.changed
		p.mu.Unlock()
		round, cancel := context.WithCancel(ctx)
		stop := func() {}
		if pending > 0 {
			stop = afterClosed(changed, cancel)
		}
		err, end := p.master.NextError(round)
		woken := round.Err() != nil && ctx.Err() == nil
		cancel()
		stop()
		switch {
		case end == nil:
			return p.named(err), nil
		case errors.Is(end, io.EOF) && pending > 0:
			// All engines are done, and more accounts will start.
			select {
			case <-changed:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		case woken:
		default:
			return nil, end
		}
	}
}

// named notes the account that a failed worker belongs to.
func (p *program) named(err *fault.Error) *fault.Error {
	if name := p.accountOfWorker(err.Worker); name != "" {
		named := *err
		named.Account = name
		return &named
	}
	return err
}

// accountOfWorker returns the account that a worker belongs to, "" where it
// belongs to none.
func (p *program) accountOfWorker(worker string) string {
	for _, a := range p.accounts {
		for _, m := range a.managers {
			if m.Name() == worker {
				return a.name
			}
		}
	}
	return ""
}

// afterClosed calls do once a channel is closed, unless stopped before. stop
// waits for its goroutine.
func afterClosed(ch <-chan struct{}, do func()) (stop func()) {
	quit := make(chan struct{})
	var group worker.Group
	group.Go("wait for an account", func() error {
		select {
		case <-ch:
			do()
		case <-quit:
		}
		return nil
	})
	return func() {
		close(quit)
		_ = group.Wait() // it returns nil
	}
}

// wait waits until every account and every engine is done, or the run is
// stopped.
func (p *program) wait(ctx context.Context) (topology.Result, error) {
	for {
		p.mu.Lock()
		pending, changed := p.pending, p.changed
		p.mu.Unlock()
		if pending == 0 {
			return p.master.Wait(ctx)
		}
		// From now on failures end the run, unless somebody reads them.
		over, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = p.master.Wait(over)
		select {
		case <-changed:
		case <-ctx.Done():
			return topology.Result{}, context.Cause(ctx)
		}
	}
}
