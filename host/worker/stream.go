package worker

import (
	"context"
	"io"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

const (
	// MaxChunk is the longest piece of content, in bytes, that one item of a
	// stream may be. Other items may be as large as a wire.Value.
	MaxChunk = 64 << 10
	// window is how many encoded bytes a stream buffers in each direction. One
	// item that is larger than that travels alone.
	window = 256 << 10
)

// sender is the sending half of one direction. It spends credit that the other
// half gives back as items are read.
type sender struct {
	// pack checks an item and returns it as put takes it, with its size.
	pack func(item wire.Value) (packed any, size int, err error)
	put  func(ctx context.Context, packed any, size int) error
	// bye tells the other half that nothing more comes; nil means the end of
	// what was sent, an error that it was cut short.
	bye func(err error)

	mu     sync.Mutex
	credit int
	bell   bell
	err    error // set when nothing more can be sent
}

func (s *sender) Send(ctx context.Context, item wire.Value) error {
	packed, size, err := s.pack(item)
	if err != nil {
		return err
	}
	if err := s.spend(ctx, min(size, window)); err != nil {
		return err
	}
	return s.put(ctx, packed, size)
}

func (s *sender) spend(ctx context.Context, cost int) error {
	for {
		s.mu.Lock()
		if s.err != nil {
			defer s.mu.Unlock()
			return s.err
		}
		if s.credit >= cost {
			s.credit -= cost
			s.mu.Unlock()
			return nil
		}
		ring := s.bell.wait()
		s.mu.Unlock()
		select {
		case <-ring:
		case <-ctx.Done():
			return ended(ctx, "send")
		}
	}
}

// grant gives credit back.
func (s *sender) grant(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credit += n
	s.bell.ring()
}

// fail makes every Send fail from now on, and reports whether it was the first.
func (s *sender) fail(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.err = err
	s.bell.ring()
	return true
}

func (s *sender) CloseSend() error {
	s.finish(nil)
	return nil
}

// finish ends the direction once, with an error or as it should.
func (s *sender) finish(err error) {
	if s.fail(fault.New(fault.Stopped, "send", "this side of the stream is closed")) {
		s.bye(err)
	}
}

// receiver is the receiving half of one direction: what arrived and was not
// read yet, never more than the window.
type receiver struct {
	// give returns the credit of an item that was read; idle tells that no
	// other one is waiting.
	give func(cost int, idle bool)

	mu     sync.Mutex
	queue  []arrived
	queued int // cost of the queue
	bell   bell
	end    error // what follows the queue
}

type arrived struct {
	item wire.Value
	cost int
}

func (r *receiver) Recv(ctx context.Context) (wire.Value, error) {
	for {
		r.mu.Lock()
		if len(r.queue) > 0 {
			first := r.queue[0]
			r.queue[0] = arrived{}
			r.queue = r.queue[1:]
			r.queued -= first.cost
			idle := len(r.queue) == 0
			r.mu.Unlock()
			r.give(first.cost, idle)
			return first.item, nil
		}
		if r.end != nil {
			defer r.mu.Unlock()
			return nil, r.end
		}
		ring := r.bell.wait()
		r.mu.Unlock()
		select {
		case <-ring:
		case <-ctx.Done():
			return nil, ended(ctx, "receive")
		}
	}
}

// push adds an item of a size; it never blocks. It fails when the other half
// sent more than it had credit for.
func (r *receiver) push(item wire.Value, size int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end != nil {
		return nil
	}
	cost := min(size, window)
	if r.queued+cost > window {
		return fault.New(fault.Protocol, "receive", "more on a stream than was granted")
	}
	r.queued += cost
	r.queue = append(r.queue, arrived{item, cost})
	r.bell.ring()
	return nil
}

// finish says what comes after the items that are queued: nil for a proper end.
func (r *receiver) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end != nil {
		return
	}
	if r.end = err; err == nil {
		r.end = io.EOF
	}
	r.bell.ring()
}

// abort drops what is queued and ends the direction at once. Where something is
// dropped the end is the error, also when a proper end had come: what was cut
// short never looks complete.
func (r *receiver) abort(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil || len(r.queue) > 0 {
		r.end = err
	}
	r.queue, r.queued = nil, 0
	r.bell.ring()
}

// end is one end of a stream.
type end struct {
	*sender
	*receiver
}

// abort ends both directions at once; the other end is told by whoever aborts.
func (e end) abort(err error) {
	e.sender.fail(err)
	e.receiver.abort(err)
}

// bell wakes everybody who waits for a state to change. It is used under the
// lock of that state.
type bell struct{ ch chan struct{} }

func (b *bell) wait() <-chan struct{} {
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
