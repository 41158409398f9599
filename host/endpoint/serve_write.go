package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// hold stays open as long as its caller has reservations or deliveries: when the
// caller goes away, however it does, so does the stream, and what was begun is
// aborted.
func (s *Server) hold(ctx context.Context, call *worker.Call) (wire.Value, error) {
	c := s.attach()
	defer s.detach(c)
	if err := call.Stream.Send(ctx, c.id); err != nil {
		return nil, err
	}
	for {
		if _, err := call.Stream.Recv(ctx); err != nil {
			return nil, nil // the caller ended it, or is gone: the same to us
		}
	}
}

func (s *Server) reserve(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref, n, id := args.ref(), args.int("n"), args.int("caller")
	if args.err != nil {
		return nil, args.err
	}
	c, err := s.caller(id)
	if err != nil {
		return nil, err
	}
	r, err := c.reserve(ctx, ref, int(n))
	if err != nil {
		return nil, err
	}
	return encodeReservation(r), nil
}

func (s *Server) deliver(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref, id, metas := args.ref(), args.int("caller"), args.metas("metas")
	size, lineEnds := args.int("size"), mail.LineEnds(args.int("ends"))
	if args.err == nil && len(metas) != 1 {
		args.err = malformed("a delivery of %d messages", len(metas))
	}
	if args.err != nil {
		return nil, args.err
	}
	c, err := s.caller(id)
	if err != nil {
		return nil, err
	}
	body := newPieces(size, func() (wire.Value, error) { return call.Stream.Recv(ctx) })
	d, err := c.deliver(ctx, ref, metas[0], mail.Body{Reader: body, Size: size, LineEnds: lineEnds})
	if err != nil {
		return nil, err
	}
	if err := body.finish(); err != nil {
		d.Abort()
		return nil, err
	}
	return c.keepReply(d)
}

func (c *caller) keepReply(d driver.Delivery) (wire.Value, error) {
	n, err := c.keep(d)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (s *Server) commit(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref, id := args.ref(), args.int("caller")
	numbers, err := decodeNumbers(args.list("deliveries"))
	if args.err != nil {
		err = args.err
	}
	if err != nil {
		return nil, err
	}
	c, err := s.caller(id)
	if err != nil {
		return nil, err
	}
	placed, err := c.commit(ctx, ref, numbers)
	if err != nil {
		return nil, err
	}
	return encodePlaced(placed), nil
}

func (s *Server) abort(_ context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	id := args.int("caller")
	numbers, err := decodeNumbers(args.list("deliveries"))
	if args.err != nil {
		err = args.err
	}
	if err != nil {
		return nil, err
	}
	c, err := s.caller(id)
	if err != nil {
		return nil, nil // it was aborted with everything else of this caller
	}
	c.abort(numbers...)
	return nil, nil
}

func (s *Server) change(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref := args.ref()
	cs, err := decodeChanges(args.list("changes"))
	if args.err != nil {
		err = args.err
	}
	if err != nil {
		return nil, err
	}
	outcomes, err := s.store.Change(ctx, ref, cs)
	reply := wire.Map{"outcomes": encodeOutcomes(outcomes)}
	if p, ok := driver.AsPartial(err); ok {
		reply["failed"], err = encodeFailed(p), nil
	}
	if err != nil {
		return nil, err
	}
	return reply, nil
}
