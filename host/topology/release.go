package topology

import (
	"context"
	"errors"
	"slices"

	"github.com/imapfw/imapfw/host/worker"
)

// Done waits until a worker has ended and will not be started again, or until
// everything is stopped. The error is that of ctx.
func (m *Master) Done(ctx context.Context, name string) error {
	return m.until(ctx, func() bool {
		mb := m.members[name]
		return m.stopped || mb == nil || mb.done
	})
}

// Release stops managers that the run can go on without, callers before those
// they call, and waits for them. It does nothing once the run is being stopped.
// When ctx ends the rest is left to Stop.
func (m *Master) Release(ctx context.Context, managers ...*Manager) error {
	m.mu.Lock()
	started := slices.DeleteFunc(slices.Clone(managers), func(one *Manager) bool { return m.members[one.Name()] == nil })
	m.mu.Unlock()
	var failures []error
	for _, wave := range stopWaves(started) {
		m.mu.Lock()
		stopping := m.stopping
		m.mu.Unlock()
		if stopping || ctx.Err() != nil {
			break
		}
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
	return errors.Join(failures...)
}
