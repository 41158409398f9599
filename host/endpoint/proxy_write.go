package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// changesPerCall bounds what one call carries to another process.
const changesPerCall = 5000

func (p *proxy) Reserve(ctx context.Context, ref mail.Ref, n int) (r mail.Reservation, err error) {
	c, err := p.held.join(ctx)
	if err != nil {
		return mail.Reservation{}, err
	}
	err = p.do(ctx, opReserve, func(ctx context.Context, _ driver.Store, _ *Server) (err error) {
		r, err = c.local.reserve(ctx, ref, n)
		return err
	}, func(ctx context.Context) error {
		v, err := p.call(ctx, opReserve, putRef(wire.Map{"n": int64(n), "caller": c.id}, ref))
		if err != nil {
			return err
		}
		r, err = decodeReservation(v)
		return err
	})
	p.held.reserved(ctx, ref.Name, n, err == nil)
	return r, err
}

// delivery is a message that the other side holds under a number.
type delivery struct {
	p      *proxy
	folder string
	number int64
}

// Abort honours no context of the caller, but the life of the proxy.
func (d *delivery) Abort() { d.p.held.abort(d) }

func (p *proxy) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	c, err := p.held.join(ctx)
	if err != nil {
		return nil, err
	}
	d := &delivery{p: p, folder: ref.Name}
	err = p.do(ctx, opDeliver, func(ctx context.Context, _ driver.Store, _ *Server) error {
		one, err := c.local.deliver(ctx, ref, m, body)
		if err == nil {
			d.number, err = c.local.keep(one)
		}
		return err
	}, func(ctx context.Context) (err error) {
		d.number, err = p.upload(ctx, c.id, ref, m, body)
		return err
	})
	p.held.delivered(ctx, d, err == nil)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// upload streams one message to the other side.
func (p *proxy) upload(ctx context.Context, caller int64, ref mail.Ref, m mail.Meta, body mail.Body) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := p.ch.Open(ctx, opDeliver, putRef(wire.Map{"caller": caller, "metas": []mail.Meta{m},
		"size": body.Size, "ends": int64(body.LineEnds)}, ref))
	if err != nil {
		return 0, err
	}
	unread, failed := sendBody(ctx, s, body)
	switch {
	case failed == nil:
		_ = s.CloseSend()
	case fault.CodeOf(failed) != fault.Stopped:
		cancel() // else the handler has ended, and its reply says why
	}
	v, err := s.Wait()
	if failed != nil && err == nil {
		err = failed
	}
	switch n, ok := v.(int64); {
	case unread != nil:
		return 0, unread
	case err != nil:
		return 0, err
	case !ok:
		return 0, malformed("the number of a delivery is a %T", v)
	default:
		return n, nil
	}
}

func (p *proxy) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) (placed []mail.Placed, err error) {
	numbers := make([]int64, len(ds))
	for i, one := range ds {
		d, ok := one.(*delivery)
		if !ok || d.p != p {
			return nil, fault.New(fault.Internal, "commit", "a delivery is not of this store").InFolder(ref.Name)
		}
		numbers[i] = d.number
	}
	c, err := p.held.join(ctx)
	if err != nil {
		abortAll(ds)
		return nil, err
	}
	err = p.do(ctx, opCommit, func(ctx context.Context, _ driver.Store, _ *Server) (err error) {
		placed, err = c.local.commit(ctx, ref, numbers)
		return err
	}, func(ctx context.Context) error {
		v, err := p.call(ctx, opCommit, putRef(wire.Map{"caller": c.id, "deliveries": encodeNumbers(numbers)}, ref))
		if err != nil {
			return err
		}
		reply, _ := v.(wire.List)
		placed, err = decodePlaced(reply)
		return err
	})
	if err != nil {
		c.abort(p, numbers) // those that did not get there
	}
	p.held.committed(ctx, ref.Name, ds)
	return placed, err
}

func encodeNumbers(numbers []int64) wire.List {
	out := make(wire.List, len(numbers))
	for i, n := range numbers {
		out[i] = n
	}
	return out
}

func decodeNumbers(list wire.List) ([]int64, error) {
	out := make([]int64, len(list))
	for i, v := range list {
		n, ok := v.(int64)
		if !ok {
			return nil, malformed("the number of a delivery is a %T", v)
		}
		out[i] = n
	}
	return out, nil
}

func (p *proxy) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) (outcomes []mail.Outcome, err error) {
	err = p.do(ctx, opChange, func(ctx context.Context, s driver.Store, _ *Server) (err error) {
		outcomes, err = s.Change(ctx, ref, cs)
		return err
	}, func(ctx context.Context) error {
		var partial driver.Partial
		for len(cs) > 0 {
			part := cs[:min(len(cs), changesPerCall)]
			cs = cs[len(part):]
			v, err := p.call(ctx, opChange, putRef(wire.Map{"changes": encodeChanges(part)}, ref))
			if err != nil {
				return err
			}
			reply := read(v)
			some, err := decodeOutcomes(reply.list("outcomes"))
			if err == nil {
				err = decodeFailed(&partial, reply.list("failed"))
			}
			if err != nil {
				return err
			}
			outcomes = append(outcomes, some...)
		}
		return partial.OrNil()
	})
	return outcomes, err
}
