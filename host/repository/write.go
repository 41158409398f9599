package repository

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// delivery is a message that an endpoint holds.
type delivery struct {
	driver.Delivery
	member *member
	lease  *lease
}

// Abort drops the message and what the lease counts of it.
func (d *delivery) Abort() {
	d.Delivery.Abort()
	d.end(func() { d.lease.ended++ })
}

// end counts the delivery out, once.
func (d *delivery) end(note func()) {
	d.lease.all.mu.Lock()
	already := d.member == nil
	d.member = nil
	d.lease.all.mu.Unlock()
	if !already {
		d.lease.leave(1, note)
	}
}

// Reserve waits until nobody else has the folder, and keeps it for the caller
// until its Commit. The same caller may reserve again.
func (r *Repository) Reserve(ctx context.Context, ref mail.Ref, n int) (res mail.Reservation, err error) {
	err = r.leased(ctx, ref.Name, func(ctx context.Context, l *lease) (keep int, note func(), err error) {
		err = r.onMember(ctx, l, func(s driver.Store) (err error) {
			res, err = s.Reserve(ctx, ref, n)
			return err
		})
		return 0, func() {
			if err == nil {
				l.reserved, l.n, l.ended = true, n, 0
			}
		}, err
	})
	return res, err
}

func (r *Repository) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (out driver.Delivery, err error) {
	err = r.leased(ctx, ref.Name, func(ctx context.Context, l *lease) (keep int, note func(), err error) {
		var d driver.Delivery
		err = r.onMember(ctx, l, func(s driver.Store) (err error) {
			d, err = s.Deliver(ctx, ref, m, body)
			return err
		})
		if err != nil {
			return 0, nil, err
		}
		out = &delivery{d, l.on(), l}
		return 1, nil, nil
	})
	return out, err
}

// Commit ends the deliveries whatever happens, and the lease unless others are
// under way. Without deliveries it gives a reservation back.
func (r *Repository) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) (placed []mail.Placed, err error) {
	inner := make([]driver.Delivery, len(ds))
	for i, one := range ds {
		d, ok := one.(*delivery)
		if !ok {
			return nil, fault.New(fault.Internal, "commit", "a delivery is not of this repository").InFolder(ref.Name)
		}
		inner[i] = d.Delivery
	}
	reached := false
	defer func() {
		for i, one := range ds {
			if !reached {
				inner[i].Abort()
			}
			one.(*delivery).end(nil)
		}
	}()
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	l := r.leases.mine(ctx, ref.Name)
	if l != nil {
		defer l.leave(1, func() { l.reserved = false })
	}
	for _, one := range ds {
		if l == nil || one.(*delivery).lease != l {
			return nil, fault.New(fault.Stopped, "commit", "the lease of the folder was lost").InFolder(ref.Name)
		}
	}
	if l == nil || l.on() == nil {
		return nil, nil // nothing was begun
	}
	err = r.onMember(ctx, l, func(s driver.Store) (err error) {
		reached = true
		placed, err = s.Commit(ctx, ref, inner)
		return err
	})
	return placed, err
}

// leased runs do with the lease of a folder. Of the one thing under way that it
// counts, do keeps so many on when it returns.
func (r *Repository) leased(ctx context.Context, folder string, do func(ctx context.Context, l *lease) (keep int, note func(), err error)) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	l, err := r.leases.enter(ctx, folder)
	if err != nil {
		return err
	}
	keep, note, err := do(ctx, l)
	l.leave(1-keep, note)
	return err
}

// onMember runs do on the endpoint of a lease, in its turn. All deliveries of a
// lease go to the same one, which also commits them.
func (r *Repository) onMember(ctx context.Context, l *lease, do func(s driver.Store) error) error {
	m, err := r.pool.take(ctx, writing, l.folder, l.on())
	if err != nil {
		return err
	}
	if bound := l.bind(m); bound != m {
		// Another call of the same holder was first: its endpoint is the one.
		r.pool.give(m, writing)
		if m, err = r.pool.take(ctx, writing, l.folder, bound); err != nil {
			return err
		}
	}
	defer r.pool.give(m, writing)
	return do(m.store)
}

// on returns the endpoint of a lease, nil when it has none yet.
func (l *lease) on() *member {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	return l.member
}

// bind makes m the endpoint of a lease unless it has one, and returns that.
func (l *lease) bind(m *member) *member {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if l.member == nil {
		l.member = m
	}
	return l.member
}
