package topology

import (
	"context"
	"errors"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/worker"
)

// Stop stops everything and waits for it; err, where it is the first, becomes
// the cause of the run's end. Engines may finish the batch in flight, for as
// long as Options.Grace. It may be called more than once. It returns what went
// wrong while stopping. When ctx ends the rest is killed.
func (m *Master) Stop(ctx context.Context, err error) error {
	m.mu.Lock()
	m.begin(err)
	m.mu.Unlock()
	if m.until(ctx, func() bool { return m.stopped }) != nil {
		m.Kill()
		_ = m.until(context.Background(), func() bool { return m.stopped }) // the host bounds it
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cleanup
}

// Close stops everything and waits for the goroutines of the master.
func (m *Master) Close(ctx context.Context) error {
	err := m.Stop(ctx, nil)
	m.mu.Lock()
	select {
	case <-m.closed:
	default:
		close(m.closed)
	}
	m.mu.Unlock()
	return errors.Join(err, m.tasks.Wait())
}

// begin makes the run end, once. The lock is held.
func (m *Master) begin(cause error) {
	if m.cause == nil {
		m.cause = cause
	}
	if m.stopping {
		return
	}
	m.stopping = true
	m.cancelQuiet(fault.New(fault.Stopped, "", "the run is over"))
	m.change()
	m.tasks.Go("stop", func() error {
		m.stopAll()
		return nil
	})
}

// stopAll stops everything that was started, in order.
func (m *Master) stopAll() {
	_ = m.restarts.Wait() // they return nil; a panic is not worth more than the stop
	m.host.Drain()
	m.drainEngines()
	m.mu.Lock()
	waves := stopWaves(m.started)
	m.mu.Unlock()
	var failures []error
	for _, wave := range waves {
		errs := make([]error, len(wave))
		var group worker.Group
		for i, manager := range wave {
			group.Go("stop "+manager.Name(), func() error {
				errs[i] = m.stopOne(manager)
				return nil
			})
		}
		failures = append(failures, group.Wait(), errors.Join(errs...))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cleanup = errors.Join(failures...)
	m.stopped = true
	m.change()
}

// drainEngines waits until the engines have ended by themselves, for a while.
func (m *Master) drainEngines() {
	ctx, cancel := context.WithTimeout(m.linger, m.opt.Grace)
	defer cancel()
	_ = m.until(ctx, func() bool {
		for _, mb := range m.members {
			if mb.manager.kind == EngineManager && mb.running {
				return false
			}
		}
		return true
	})
}

// Interrupt is called for each signal, and does not block. The first one lets
// engines finish the batch in flight, the second one closes connections and
// stops everything, any further one kills.
func (m *Master) Interrupt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.interrupts++
	interrupted := fault.New(fault.Stopped, "", "interrupted")
	switch m.interrupts {
	case 1:
		m.cancelQuiet(interrupted)
		m.host.Drain()
	case 2:
		m.cancelLinger(interrupted)
		m.host.CancelRuns(interrupted)
		m.begin(nil)
	default:
		m.host.KillAll()
	}
	m.change()
}

// Draining is closed at the first interrupt, or when the run is stopped.
func (m *Master) Draining() <-chan struct{} { return m.host.Draining() }

// Linger is the context of what may go on until the second interrupt: the main
// script.
func (m *Master) Linger() context.Context { return m.linger }

// Kill ends everything at once. It does not wait; Stop does.
func (m *Master) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin(nil)
	m.cancelLinger(fault.New(fault.Stopped, "", "killed"))
	m.host.KillAll()
}
