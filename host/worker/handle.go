package worker

import (
	"context"
	"errors"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// request is one call on its way to the handler.
type request struct {
	ctx    context.Context
	call   *Call
	reply  *reply
	stream *end   // the handler's end of the call's stream
	unhook func() // ends what watches the caller's end
}

func (u *unit) op() string { return "call " + u.spec.Name }

// call hands a call over and waits for the reply.
func (u *unit) call(ctx context.Context, call *Call) (wire.Value, error) {
	call, err := u.incoming(call)
	if err != nil {
		return nil, err
	}
	req := &request{ctx: ctx, call: call, reply: newReply()}
	if err := u.submit(req); err != nil {
		return nil, err
	}
	if call.Local != nil || u.inline {
		<-req.reply.done
		return req.reply.value, req.reply.err
	}
	return req.reply.wait(ctx, u.life, u.op())
}

// open hands over a call with a stream. Inline, the handler runs on a goroutine
// of the host's: it and the caller take turns.
func (u *unit) open(ctx context.Context, op string, args wire.Value) (Session, error) {
	call, err := u.incoming(&Call{Op: op, Args: args})
	if err != nil {
		return nil, err
	}
	ours, theirs := newPipe(u.host.opt.Strict)
	call.Stream = theirs
	req := &request{ctx: ctx, call: call, reply: newReply(), stream: &theirs}
	abort := func() {
		err := ended(ctx, u.op())
		ours.abort(err)
		theirs.abort(err)
	}
	unhookCaller := context.AfterFunc(ctx, abort)
	unhookLife := context.AfterFunc(u.life, func() { ours.abort(gone(u.life, u.op())) })
	req.unhook = func() {
		unhookCaller()
		unhookLife()
		ours.sender.fail(over(ctx, u.op()))
	}
	if err := u.submit(req); err != nil {
		req.unhook()
		return nil, err
	}
	return &session{end: ours, reply: req.reply, ctx: ctx, life: u.life, op: u.op()}, nil
}

// session is the caller's end of a call with a stream.
type session struct {
	end
	reply     *reply
	ctx, life context.Context
	op        string
}

func (s *session) Wait() (wire.Value, error) { return s.reply.wait(s.ctx, s.life, s.op) }

// submit brings a request to the handler, or says why it cannot. A plain inline
// call has been handled when it returns.
func (u *unit) submit(req *request) error {
	if err := u.await(req.ctx); err != nil {
		return err
	}
	if !u.here(req) {
		select {
		case u.inbox <- req:
			return nil
		case <-u.closing:
			return u.closed()
		case <-req.ctx.Done():
			return ended(req.ctx, u.op())
		}
	}
	if err := u.slot(req.ctx); err != nil {
		return err
	}
	if !u.enter() {
		<-u.slots
		return u.closed()
	}
	defer u.busy.done()
	if req.stream == nil {
		u.handle(req)
	} else {
		u.spawn(u.op(), func() { u.handle(req) })
	}
	return nil
}

// await waits until the worker has started. Like slot, it asks a context for its channel
// only where it has to wait: most calls do not, and there is one for each message.
func (u *unit) await(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx, u.op())
	}
	select {
	case <-u.ready:
		return nil
	default:
	}
	select {
	case <-u.ready:
		return nil
	case <-u.gone:
		return u.closed()
	case <-ctx.Done():
		return ended(ctx, u.op())
	}
}

// slot waits until the worker may handle one more call.
func (u *unit) slot(ctx context.Context) error {
	select {
	case <-u.closing:
		return u.closed()
	case u.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case u.slots <- struct{}{}:
		return nil
	case <-u.closing:
		return u.closed()
	case <-ctx.Done():
		return ended(ctx, u.op())
	}
}

// here reports whether a request is handled on its caller's goroutine: inline,
// and where a worker that takes several calls at once is called with a function of
// this process. Handing over to another goroutine costs more than most of these
// calls, which come for each message.
func (u *unit) here(req *request) bool {
	return u.inline || req.call.Local != nil && cap(u.slots) > 1
}

// enter counts a handler, unless the unit is ending.
func (u *unit) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.ending {
		u.busy.add()
	}
	return !u.ending
}

func (u *unit) closed() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return &fault.Error{Code: fault.Stopped, Op: u.op(), Message: "the worker is ending",
		Temporary: fault.IsTemporary(u.cause), Err: u.cause}
}

// loop takes calls from the inbox. A worker that handles one at a time does so
// right here.
func (u *unit) loop() {
	for {
		var req *request
		select {
		case req = <-u.inbox:
		case <-u.closing:
			return
		}
		select {
		case u.slots <- struct{}{}:
		case <-u.closing:
			u.answer(req, nil, u.closed())
			return
		}
		if cap(u.slots) == 1 {
			u.handle(req)
		} else {
			u.spawn(u.op(), func() { u.handle(req) })
		}
	}
}

// handle runs Handle for a request, gives its slot back and fills its reply,
// whatever happens.
func (u *unit) handle(req *request) {
	ctx, release := u.within(req.ctx)
	var v wire.Value
	err, crashed := error(fault.New(fault.Crashed, u.op(), "the handler ended its goroutine")), true
	defer func() {
		release()
		u.events.end()
		if crashed {
			u.fail(err)
		}
		<-u.slots
		v, err = u.outgoing(req, v, err)
		u.answer(req, v, err)
	}()
	u.events.begin()
	err, crashed = guard(u.op(), func() (err error) {
		v, err = u.worker.Handle(ctx, req.call)
		return err
	})
}

// answer ends a request.
func (u *unit) answer(req *request, v wire.Value, err error) {
	if req.stream != nil {
		req.unhook()
		req.stream.receiver.abort(over(req.ctx, u.op()))
		req.stream.sender.finish(err)
	}
	req.reply.set(v, err)
}

// incoming returns a call as the handler may see it.
func (u *unit) incoming(call *Call) (*Call, error) {
	if !u.host.opt.Strict {
		return call, wire.CheckAs("args", call.Args)
	}
	args, err := wire.CloneAs("args", call.Args)
	return &Call{Op: call.Op, Args: args, Stream: call.Stream}, err
}

// outgoing returns a reply as the caller may see it.
func (u *unit) outgoing(req *request, v wire.Value, err error) (wire.Value, error) {
	if err != nil {
		// The handler only saw its context end. The caller, whose own did not,
		// is told why.
		if isContextError(err) && u.life.Err() != nil && req.ctx.Err() == nil {
			err = gone(u.life, u.op())
		}
		return nil, u.outgoingError(err)
	}
	if u.host.opt.Strict {
		return wire.CloneAs("reply", v)
	}
	if err := wire.CheckAs("reply", v); err != nil {
		return nil, err
	}
	return v, nil
}

func (u *unit) outgoingError(err error) error {
	if u.host.opt.Strict {
		return wire.CloneError(err)
	}
	return err
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
