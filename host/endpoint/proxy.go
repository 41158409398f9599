package endpoint

import (
	"context"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// proxy is a Store that another worker serves.
//
// Within a process a call carries a function for the serving side to run, so
// that callbacks and content go by reference. Everywhere else its arguments are
// encoded, metas come in batches and content in pieces with a digest at the
// end, on a stream.
type proxy struct {
	ch   worker.Channel
	held holder

	mu       sync.Mutex
	life     context.Context // ends with Close; nil when not open
	end      context.CancelCauseFunc
	inFlight *sync.WaitGroup // of this life
	can      Abilities
}

var (
	_ driver.Store     = (*proxy)(nil)
	_ driver.Unwrapper = (*proxy)(nil)
)

// Proxy returns the Store that the worker at the other end of a channel serves
// with Serve. Open asks which optional abilities it has, so that driver.As gives
// true answers from then on; it does not open the Store, whose owner does.
// Close aborts the deliveries and gives back the reservations made through this
// proxy; the Store stays open. A caller that may go away without Close in the
// same process must see to it that somebody closes the proxy.
func Proxy(ch worker.Channel) driver.Store {
	p := &proxy{ch: ch}
	p.held.p, p.held.turn = p, semaphore.NewWeighted(1)
	return p
}

func (p *proxy) Open(ctx context.Context) error {
	p.mu.Lock()
	if p.life != nil {
		p.mu.Unlock()
		return fault.New(fault.Internal, "open", "the proxy of %s is open already", p.ch.Name())
	}
	p.life, p.end = context.WithCancelCause(context.WithoutCancel(ctx))
	p.inFlight = new(sync.WaitGroup)
	p.mu.Unlock()
	can, err := p.ask(ctx)
	if err != nil {
		_ = p.Close()
		return err
	}
	p.mu.Lock()
	p.can = can
	p.mu.Unlock()
	return nil
}

// ask finds out which abilities the other side has.
func (p *proxy) ask(ctx context.Context) (Abilities, error) {
	var names wire.List
	err := p.do(ctx, opAbilities, func(_ context.Context, s driver.Store, _ *Server) error {
		for _, name := range abilitiesOf(s) {
			names = append(names, name)
		}
		return nil
	}, func(ctx context.Context) error {
		v, err := p.call(ctx, opAbilities, nil)
		names, _ = v.(wire.List)
		return err
	})
	var can Abilities
	for _, name := range names {
		switch name {
		case canMake:
			can.Maker = remote{p}
		case canRemove:
			can.Remover = remote{p}
		case canRename:
			can.Renamer = remote{p}
		case canStamp:
			can.Stamper = remote{p}
		}
	}
	return can, err
}

// Close ends the calls in flight and waits for them, then ends what was begun.
func (p *proxy) Close() error {
	p.mu.Lock()
	if p.life == nil {
		p.mu.Unlock()
		return nil
	}
	end, inFlight := p.end, p.inFlight
	p.life = nil
	p.mu.Unlock()
	end(p.closed())
	inFlight.Wait()
	p.held.drop()
	return nil
}

func (p *proxy) closed() error {
	return fault.New(fault.Stopped, "call "+p.ch.Name(), "the store is not open")
}

// begin starts a call: it returns a context that also ends with Close, and what
// to call when the call is over.
func (p *proxy) begin(ctx context.Context) (context.Context, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil {
		return nil, nil, p.closed()
	}
	life, inFlight := p.life, p.inFlight
	inFlight.Add(1)
	ctx, release := lifetime.Join(ctx, life)
	return ctx, func() {
		release()
		inFlight.Done()
	}, nil
}

// Unwrap is where driver.As finds the abilities of the other side. There is
// nothing below them.
func (p *proxy) Unwrap() driver.Store {
	p.mu.Lock()
	can := p.can
	p.mu.Unlock()
	return can.Over(p, nil)
}

// do runs here on the serving side where that is in the same process, and away
// otherwise. An error of here comes back as it is.
func (p *proxy) do(ctx context.Context, op string, here localCall, away func(context.Context) error) error {
	ctx, done, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return p.raw(ctx, op, here, away)
}

// raw is do for what must also work while the proxy is being closed.
func (p *proxy) raw(ctx context.Context, op string, here localCall, away func(context.Context) error) error {
	if !p.ch.Local() {
		return away(ctx)
	}
	var err error
	ran := false
	_, failed := p.ch.Call(ctx, &worker.Call{Op: op, Local: localCall(func(ctx context.Context, s driver.Store, server *Server) error {
		err = here(ctx, s, server)
		ran = true
		return err
	})})
	if !ran {
		return failed
	}
	return err
}

func (p *proxy) call(ctx context.Context, op string, args wire.Map) (wire.Value, error) {
	call := &worker.Call{Op: op}
	if args != nil {
		call.Args = args
	}
	return p.ch.Call(ctx, call)
}

// stream calls op with a stream. each is given every item that comes back, until
// it returns an error, which ends the call and is returned as it is; failed
// messages among the items become a *driver.Partial. The reply is the handler's.
func (p *proxy) stream(ctx context.Context, op string, args wire.Map, keys *mail.KeySet, each func(context.Context, worker.Session, *fields) error) (wire.Value, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var rest []mail.KeySet
	if keys != nil {
		for part := range portions(*keys) {
			rest = append(rest, part)
		}
		if len(rest) > 0 {
			args["keys"], args["more"] = rest[0], int64(len(rest)-1)
			rest = rest[1:]
		}
	}
	s, err := p.ch.Open(ctx, op, args)
	if err != nil {
		return nil, err
	}
	for _, part := range rest {
		if err := s.Send(ctx, wire.Map{"keys": part}); err != nil {
			break // the handler has ended; its reply says why
		}
	}
	var partial driver.Partial
	stop, cut := receive(ctx, s, &partial, each)
	if stop != nil {
		cancel()
	}
	reply, err := s.Wait()
	switch {
	case stop != nil:
		return nil, stop
	case err != nil:
		return nil, err
	case cut != nil: // what was cut short never looks complete
		return nil, cut
	}
	return reply, partial.OrNil()
}

// receive takes the items of a stream until the other end has sent the last.
// stop is an error of this side, cut is that of a stream that broke.
func receive(ctx context.Context, s worker.Session, partial *driver.Partial, each func(context.Context, worker.Session, *fields) error) (stop, cut error) {
	for {
		v, err := s.Recv(ctx)
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		item := read(v)
		if list := item.list("failed"); list != nil {
			if err := decodeFailed(partial, list); err != nil {
				return err, nil
			}
			continue
		}
		if item.err != nil {
			return item.err, nil
		}
		if err := each(ctx, s, item); err != nil {
			return err, nil
		}
	}
}
