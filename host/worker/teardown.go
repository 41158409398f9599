package worker

import (
	"context"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// stop ends the unit and waits for it. When ctx ends, so does its life.
func (u *unit) stop(ctx context.Context) error {
	u.end(ctx, func() {}, nil, false)
	select {
	case <-u.gone:
	case <-ctx.Done():
		u.cancelLife(fault.New(fault.Stopped, "", "worker %q did not stop in time", u.spec.Name))
		<-u.gone
	}
	return u.exit
}

// kill ends the unit at once and does not wait.
func (u *unit) kill(cause error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	u.end(ctx, cancel, cause, true)
	u.cancelLife(cause)
}

// fail ends the unit because of what went wrong inside it.
func (u *unit) fail(cause error) {
	ctx, cancel := context.WithTimeout(context.Background(), u.host.opt.Grace)
	u.end(ctx, cancel, cause, true)
}

// end begins the end of the unit, once; ctx bounds it and is released when it
// is over. hard means that calls in flight are cut off.
func (u *unit) end(ctx context.Context, release func(), cause error, hard bool) {
	if hard {
		why := cause
		if why == nil {
			why = fault.New(fault.Stopped, "", "worker %q is done", u.spec.Name)
		}
		defer u.cancelLife(why)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case !u.started && u.pending == nil:
		u.pending = func(begin bool) {
			if begin {
				u.end(ctx, release, cause, hard)
			} else {
				release()
			}
		}
		return
	case !u.started || u.ending:
		if u.cause == nil {
			u.cause = cause
		}
		release()
		return
	}
	u.ending, u.cause = true, cause
	close(u.closing)
	u.host.tasks.spawn("end worker "+u.spec.Name, func() {
		defer release()
		u.publish(u.teardown(ctx))
	}, u.publish)
}

// teardown waits for what runs, then stops the worker and what it spawned.
func (u *unit) teardown(ctx context.Context) error {
	u.cancelRun(fault.New(fault.Stopped, "", "worker %q is told to stop", u.spec.Name))
	if !u.wait(ctx, u.busy.idle()) {
		return fault.New(fault.Internal, "stop worker "+u.spec.Name, "a call or its run ignores that its context ended")
	}
	stopped := newReply()
	u.host.tasks.spawn("stop worker "+u.spec.Name, func() {
		stopped.set(nil, u.worker.Stop(withLink(ctx, u.spec.Name)))
	}, func(err error) { stopped.set(nil, err) })
	if !u.wait(ctx, stopped.done) {
		return fault.New(fault.Internal, "stop worker "+u.spec.Name, "its Stop ignores that its context ended")
	}
	u.stopChildren(ctx)
	return stopped.err
}

// wait reports whether something is over in time. When ctx ends it cuts off
// what is in flight, and gives it the grace to notice.
func (u *unit) wait(ctx context.Context, over <-chan struct{}) bool {
	select {
	case <-over:
		return true
	case <-ctx.Done():
	}
	late := fault.New(fault.Stopped, "", "worker %q did not stop in time", u.spec.Name)
	select {
	case <-over: // both were true
		return true
	default:
		u.mu.Lock()
		if u.cause == nil {
			u.cause = late
		}
		u.mu.Unlock()
		u.cancelLife(late)
	}
	timer := time.NewTimer(u.host.opt.Grace)
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-timer.C:
		return false
	}
}

// stopChildren stops what the worker spawned, the youngest first. A failure is
// in u.cause, by way of childEnded.
func (u *unit) stopChildren(ctx context.Context) {
	u.mu.Lock()
	children := slices.Clone(u.children)
	u.mu.Unlock()
	for _, child := range slices.Backward(children) {
		_ = child.stop(ctx)
	}
}

// publish makes the end of the unit known. Why it ended comes before what went
// wrong while it did.
func (u *unit) publish(err error) {
	u.mu.Lock()
	if u.cause != nil {
		if err != nil && !cancelled(err) {
			u.log.Warn("while the worker ended", "error", err)
		}
		err = u.cause
	}
	u.exit = u.outgoingError(err)
	u.mu.Unlock()
	u.unhook()
	u.cancelLife(fault.New(fault.Stopped, "", "worker %q has ended", u.spec.Name))
	u.host.remove(u.spec.Name, u.exit)
	u.onExit(u.exit)
	close(u.gone)
}

// forget undoes a start that failed.
func (u *unit) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), u.host.opt.Grace)
	defer cancel()
	u.mu.Lock()
	u.ending = true
	if u.pending != nil {
		u.pending(false)
	}
	u.pending = func(bool) {}
	u.mu.Unlock()
	u.stopChildren(ctx)
	u.unhook()
	u.cancelLife(fault.New(fault.Stopped, "", "worker %q did not start", u.spec.Name))
	u.host.discard(u.spec.Name)
	close(u.gone)
}
