package worker

import (
	"context"
	"io"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// call asks the other end, for a worker there or behind it.
func (p *peer) call(ctx context.Context, to string, call *Call) (wire.Value, error) {
	id, a, err := p.ask(ctx, callHead{to: to, op: call.Op, chain: Chain(ctx)}, call.Args)
	if err != nil {
		return nil, err
	}
	v, err := a.reply.wait(ctx, context.Background(), "call "+to)
	if ctx.Err() != nil {
		p.leave(ctx, id)
	}
	return v, err
}

// open asks the other end with a stream.
func (p *peer) open(ctx context.Context, to, op string, args wire.Value) (Session, error) {
	id, a, err := p.ask(ctx, callHead{to: to, op: op, chain: Chain(ctx), stream: true}, args)
	if err != nil {
		return nil, err
	}
	p.watch(ctx, id, a)
	return &session{end: *a.end, reply: a.reply, ctx: ctx, life: context.Background(), op: "call " + to}, nil
}

// ask registers a call and sends it.
func (p *peer) ask(ctx context.Context, head callHead, args wire.Value) (uint64, *asked, error) {
	payload, err := head.encode(args)
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return 0, nil, p.err
	}
	id := p.next
	p.next += 2
	a := &asked{ctx: ctx, to: head.to, reply: newReply()}
	if head.stream {
		a.end = p.newEnd(id)
	}
	p.asked[id] = a
	p.mu.Unlock()
	if err := p.out.send(ctx, wire.Frame{Type: frameCall, Stream: id, Payload: payload}); err != nil {
		p.forget(id)
		a.fail(err)
		return 0, nil, err
	}
	return id, a, nil
}

func (p *peer) forget(id uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, there := p.asked[id]
	delete(p.asked, id)
	return there
}

// watch ends a call with a stream when its caller's context does.
func (p *peer) watch(ctx context.Context, id uint64, a *asked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked[id] == nil {
		return // it is over already
	}
	a.unhook = context.AfterFunc(ctx, func() {
		if p.leave(ctx, id) { // nobody else ends it now
			a.fail(ended(ctx, "call "+a.to))
		}
	})
}

// leave takes a call out whose caller does not wait any more, and tells the
// other end. It reports false for a call that is over.
func (p *peer) leave(ctx context.Context, id uint64) bool {
	if !p.forget(id) {
		return false
	}
	p.out.post(wire.Frame{Type: frameCancel, Stream: id, Payload: wire.AppendError(nil, context.Cause(ctx))})
	return true
}

// replied fills the slot of a call.
func (p *peer) replied(f wire.Frame) error {
	v, failed, err := decodeReply(f.Payload)
	if err != nil {
		return err
	}
	p.mu.Lock()
	a := p.asked[f.Stream]
	delete(p.asked, f.Stream)
	p.mu.Unlock()
	if a == nil {
		return nil
	}
	if a.end != nil {
		a.settle()
		a.end.sender.fail(over(a.ctx, "call "+a.to))
		a.end.receiver.finish(failed)
	}
	a.reply.set(v, failed)
	return nil
}

// called begins to serve a call of the other end, on a goroutine of its own.
func (p *peer) called(f wire.Frame) error {
	head, args, err := decodeCall(f.Payload)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(withChain(p.life, head.chain))
	s := &served{cancel: cancel}
	call := &Call{Op: head.op, Args: args}
	if head.stream {
		s.end = p.newEnd(f.Stream)
		call.Stream = s.end
		context.AfterFunc(ctx, func() { s.end.abort(ended(ctx, "serve")) })
	}
	p.mu.Lock()
	p.served[f.Stream] = s
	p.mu.Unlock()
	p.calls.add()
	finish := func(v wire.Value, err error) {
		defer p.calls.done()
		p.mu.Lock()
		delete(p.served, f.Stream)
		p.mu.Unlock()
		if s.end != nil {
			s.end.sender.finish(err)
		}
		p.out.post(wire.Frame{Type: frameReply, Stream: f.Stream, Payload: encodeReply(v, err)})
		cancel(nil)
	}
	p.tasks.spawn("serve "+head.to, func() {
		v, err := p.answer(ctx, head.to, call)
		finish(v, err)
	}, func(err error) { finish(nil, err) })
	return nil
}

// serve passes a call of another process on to the channel's worker, with its
// stream.
func (c *channel) serve(ctx context.Context, call *Call) (wire.Value, error) {
	ctx, t, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	if _, here := t.(*unit); here || call.Stream == nil {
		return t.call(ctx, call)
	}
	s, err := t.open(ctx, call.Op, call.Args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var up Group
	defer func() {
		cancel()
		_ = up.Wait() // the reply says what there is to say
	}()
	up.Go("relay", func() error {
		pass(ctx, call.Stream, s)
		return nil
	})
	pass(ctx, s, call.Stream)
	return s.Wait()
}

// pass carries items one way until there are no more. The end of the target is
// left open where the source failed: the reply, which comes next, closes it.
func pass(ctx context.Context, from, to Stream) {
	for {
		item, err := from.Recv(ctx)
		if err == io.EOF {
			_ = to.CloseSend() // never fails
			return
		}
		if err != nil || to.Send(ctx, item) != nil {
			return
		}
	}
}

// remote is a worker that is reached through a peer: in a child, everything its
// worker has a channel to.
type remote struct {
	peer   *peer
	target string
	gone   chan struct{} // never closed: its end is the parent's affair
}

func (r *remote) name() string           { return r.target }
func (r *remote) channels() []string     { return nil }
func (r *remote) local() bool            { return false }
func (r *remote) ended() <-chan struct{} { return r.gone }

func (r *remote) call(ctx context.Context, call *Call) (wire.Value, error) {
	return r.peer.call(ctx, r.target, call)
}

func (r *remote) open(ctx context.Context, op string, args wire.Value) (Session, error) {
	return r.peer.open(ctx, r.target, op, args)
}

// stop and kill are not a child's to give.
func (r *remote) stop(context.Context) error {
	return fault.New(fault.Unsupported, "stop "+r.target, "it belongs to another process")
}

func (r *remote) kill(error) {}
