package topology

import (
	"context"
	"errors"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/worker"
)

// supervise hears every exit until the master is closed and none is to come.
func (m *Master) supervise() error {
	closed := m.closed
	for {
		select {
		case exit, ok := <-m.host.Exits():
			if !ok {
				return nil
			}
			m.exited(exit)
		case <-closed:
			closed = nil
		}
		m.mu.Lock()
		over := closed == nil && m.exits == 0
		m.mu.Unlock()
		if over {
			return nil
		}
	}
}

// exited notes one exit and sees to its consequences.
func (m *Master) exited(exit worker.Exit) {
	m.mu.Lock()
	mb := m.members[exit.Worker]
	if mb == nil {
		m.mu.Unlock()
		return // not one of ours
	}
	m.exits--
	if mb.ignore > 0 { // we ended it, and its stop returned the error
		mb.ignore--
		if mb.ignore == 0 && mb.done {
			mb.running = false
		}
		m.change()
		m.mu.Unlock()
		return
	}
	mb.running = false
	if m.interrupts > 0 && cancelled(exit.Err) {
		exit.Err = nil // it ended as it was told
	}
	if exit.Err == nil || m.stopping {
		if exit.Err != nil {
			m.log.Warn("another worker failed", "worker", exit.Worker, "error", exit.Err)
		}
		mb.done = true
		m.change()
		m.mu.Unlock()
		return
	}
	m.fail(exit)
	m.mu.Unlock()
}

func cancelled(err error) bool {
	return errors.Is(err, fault.Stopped) || errors.Is(err, context.Canceled)
}

// fail has it decided what becomes of a worker that failed, and of the run.
// That is done one at a time, on a goroutine of its own: a script may take its
// time, or stop the run, while other exits are heard. The lock is held.
func (m *Master) fail(exit worker.Exit) {
	m.failing = append(m.failing, exit)
	if m.deciding {
		return
	}
	m.deciding = true
	m.tasks.Go("decide", func() error {
		for {
			m.mu.Lock()
			if len(m.failing) == 0 {
				m.deciding = false
				m.mu.Unlock()
				return nil
			}
			next := m.failing[0]
			m.failing = m.failing[1:]
			m.mu.Unlock()
			m.decide(next)
		}
	})
}

func (m *Master) decide(exit worker.Exit) {
	decision := Default
	if m.opt.Decide != nil {
		err := worker.Guard("decide about "+exit.Worker, func() error {
			decision = m.opt.Decide(exit)
			return nil
		})
		if err != nil {
			m.log.Error("no decision", "worker", exit.Worker, "error", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.change()
	mb := m.members[exit.Worker]
	byUser := decision != Default
	if !byUser {
		decision = byDefault(mb.manager.kind, exit)
	}
	m.errors = append(m.errors, asFault(exit))
	switch {
	case mb.running: // somebody restarted it meanwhile
		return
	case m.stopping:
		m.log.Warn("another worker failed", "worker", exit.Worker, "error", exit.Err)
		mb.done = true
		return
	}
	if decision == Restart && !m.restart(mb, exit) {
		decision = Stop
	}
	switch {
	case decision == Restart:
	case decision == Go || m.reading && !byUser:
		m.without(exit)
	case byUser || m.waiting:
		m.fatal(exit)
	default: // until somebody waits for the run, or reads the errors
		m.undecided = append(m.undecided, exit)
	}
}

// without lets the run go on without a worker. The lock is held.
func (m *Master) without(exit worker.Exit) {
	m.failed = append(m.failed, exit)
	m.members[exit.Worker].done = true
	m.change()
}

// fatal makes a failure the end of the run. The first one is its cause. The
// lock is held.
func (m *Master) fatal(exit worker.Exit) {
	m.members[exit.Worker].done = true
	if m.stopping {
		m.log.Warn("another worker failed", "worker", exit.Worker, "error", exit.Err)
	}
	m.begin(asFault(exit))
}

// asFault says which worker failed.
func asFault(exit worker.Exit) *fault.Error {
	return &fault.Error{Code: fault.CodeOf(exit.Err), Op: "worker " + exit.Worker, Worker: exit.Worker,
		Temporary: fault.IsTemporary(exit.Err), Err: exit.Err}
}

// restart arranges for a worker to be started again, and reports false where
// that was done too often in a row, or the run is about to end. The lock is held.
func (m *Master) restart(mb *member, exit worker.Exit) bool {
	if time.Since(mb.since) > m.opt.Restart.Healthy {
		mb.attempts = 0
	}
	if mb.attempts >= m.opt.Restart.Limit || m.quiet.Err() != nil {
		return false
	}
	mb.attempts++
	pause := m.opt.Restart.pause(mb.attempts)
	m.log.Warn("worker failed, it will be restarted", "worker", exit.Worker, "error", exit.Err, "in", pause, "attempt", mb.attempts)
	m.restarts.Go("restart "+exit.Worker, func() error {
		select {
		case <-time.After(pause):
		case <-m.quiet.Done():
			m.given(mb, exit)
			return nil
		}
		m.mu.Lock()
		replaced := m.members[exit.Worker] != mb // somebody else restarted it
		m.mu.Unlock()
		if replaced {
			return nil
		}
		if err := m.start(m.quiet, mb.manager); err != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.fail(worker.Exit{Worker: exit.Worker, Err: err})
		}
		return nil
	})
	return true
}

// given notes that a worker is not restarted after all.
func (m *Master) given(mb *member, exit worker.Exit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.members[exit.Worker] == mb {
		m.without(exit)
	}
}
