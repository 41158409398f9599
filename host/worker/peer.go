package worker

import (
	"context"
	"io"
	"sync"

	"github.com/imapfw/imapfw/host/wire"
)

// peer is one end of the link between a parent and its child: calls both ways,
// and the other frames, which are handed to control.
type peer struct {
	tasks *tally
	calls tally // of the other process, being served
	out   outbox
	in    *wire.FrameReader
	w     *wire.FrameWriter
	// answer handles a call from the other end. ctx has its chain.
	answer func(ctx context.Context, to string, call *Call) (wire.Value, error)
	// control gets the frames that are not about calls, on the reading
	// goroutine: it does not block.
	control func(f wire.Frame) error

	life   context.Context // of the calls from the other end
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	next   uint64
	asked  map[uint64]*asked
	served map[uint64]*served
	err    error // set by fail
}

// asked is a call this end made.
type asked struct {
	ctx    context.Context // the caller's
	to     string
	reply  *reply
	end    *end        // nil without a stream
	unhook func() bool // ends what watches ctx; set while the call is in flight
}

// served is a call the other end made.
type served struct {
	cancel context.CancelCauseFunc
	end    *end
}

// newPeer returns an end of the link over a pair of pipes. first is the id of
// its first call: 2 for the parent, 1 for the child.
func newPeer(tasks *tally, life context.Context, in io.Reader, out io.Writer, first uint64) *peer {
	p := &peer{
		tasks: tasks, in: wire.NewFrameReader(in), w: wire.NewFrameWriter(out), next: first,
		asked: map[uint64]*asked{}, served: map[uint64]*served{},
	}
	p.life, p.cancel = context.WithCancelCause(life)
	return p
}

// read takes frames until the other end closes the link, and returns why it
// ended; nil is a proper end. It never blocks on anything but the link.
func (p *peer) read() error {
	for {
		f, err := p.in.Read()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = p.dispatch(f)
		}
		if err != nil {
			return err
		}
	}
}

// dispatch handles one frame. A call that is not there any more is no error:
// its frames were on their way when it ended.
func (p *peer) dispatch(f wire.Frame) error {
	switch f.Type {
	case frameCall:
		return p.called(f)
	case frameReply:
		return p.replied(f)
	case frameItem:
		item, err := wire.Decode(f.Payload)
		if end := p.end(f.Stream); err == nil && end != nil {
			err = end.receiver.push(item, len(f.Payload))
		}
		return err
	case frameEnd:
		if end := p.end(f.Stream); end != nil {
			end.receiver.finish(decodeError(f.Payload))
		}
	case frameCredit:
		v, err := wire.Decode(f.Payload)
		if end := p.end(f.Stream); err == nil && end != nil {
			n, _ := v.(int64)
			end.sender.grant(int(n))
		}
		return err
	case frameCancel:
		p.mu.Lock()
		s := p.served[f.Stream]
		p.mu.Unlock()
		if s != nil {
			s.cancel(decodeError(f.Payload))
		}
	default:
		return p.control(f)
	}
	return nil
}

// end returns this side's end of the stream of a call that is in flight.
func (p *peer) end(id uint64) *end {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.asked[id]; a != nil {
		return a.end
	}
	if s := p.served[id]; s != nil {
		return s.end
	}
	return nil
}

// newEnd returns this side's end of a call's stream.
func (p *peer) newEnd(id uint64) *end {
	s, r := &sender{credit: window}, &receiver{}
	s.pack = func(item wire.Value) (any, int, error) {
		if _, err := itemSize(item); err != nil {
			return nil, 0, err
		}
		b, err := wire.AppendAs(nil, "item", item)
		return b, len(b), err
	}
	s.put = func(ctx context.Context, packed any, size int) error {
		err := p.out.send(ctx, wire.Frame{Type: frameItem, Stream: id, Payload: packed.([]byte)})
		if err != nil {
			s.grant(min(size, window))
		}
		return err
	}
	s.bye = func(err error) {
		p.out.post(wire.Frame{Type: frameEnd, Stream: id, Payload: wire.AppendError(nil, err)})
	}
	var mu sync.Mutex
	owed := 0
	r.give = func(cost int, idle bool) {
		mu.Lock()
		defer mu.Unlock()
		if owed += cost; owed < window/4 && !idle {
			return
		}
		b, _ := wire.Encode(int64(owed))
		owed = 0
		p.out.post(wire.Frame{Type: frameCredit, Stream: id, Payload: b})
	}
	return &end{s, r}
}

// fail ends every call in flight, both ways, with an error.
func (p *peer) fail(err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	calls := p.asked
	p.asked = map[uint64]*asked{}
	p.mu.Unlock()
	for _, a := range calls {
		a.fail(err)
	}
	p.cancel(err)
	p.out.fail(err)
}

func (a *asked) fail(err error) {
	if a.end != nil {
		a.settle()
		a.end.abort(err)
	}
	a.reply.set(nil, err)
}

// settle is called by whoever took the call out of those in flight.
func (a *asked) settle() {
	if a.unhook != nil {
		a.unhook()
	}
}

// write sends what is in the outbox until the link ends.
func (p *peer) write() error { return p.out.run(p.w) }
