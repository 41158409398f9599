package worker

import (
	"context"
	"sync"

	"github.com/imapfw/imapfw/host/wire"
)

// maxOutbox is how many bytes of calls and items may wait for a peer that does
// not read. Replies, credit and cancels always find room: there are never more
// of them than calls in flight.
const maxOutbox = 1 << 20

// outbox is what waits to be written to a peer. One goroutine writes, so that
// nobody who has something to say is held up by a peer that is stopped.
type outbox struct {
	mu     sync.Mutex
	queue  []wire.Frame
	bytes  int
	filled bell
	room   bell
	ending bool  // nothing is added any more; what is there is written
	err    error // writing failed, or ended
}

// post adds a frame whatever is waiting.
func (o *outbox) post(f wire.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(f)
}

func (o *outbox) add(f wire.Frame) {
	if o.err != nil || o.ending {
		return
	}
	o.queue = append(o.queue, f)
	o.bytes += len(f.Payload)
	o.filled.ring()
}

// send adds a frame when there is room.
func (o *outbox) send(ctx context.Context, f wire.Frame) error {
	for {
		o.mu.Lock()
		if o.err != nil {
			defer o.mu.Unlock()
			return o.err
		}
		if o.bytes < maxOutbox {
			defer o.mu.Unlock()
			o.add(f)
			return nil
		}
		room := o.room.wait()
		o.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ended(ctx, "send")
		}
	}
}

// fail drops what waits and makes run and every send end.
func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	o.queue, o.bytes = nil, 0
	o.filled.ring()
	o.room.ring()
}

// finish makes run end when everything that was added is written.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ending = true
	o.filled.ring()
}

// run writes until fail or finish, or until writing fails.
func (o *outbox) run(w *wire.FrameWriter) error {
	for {
		frames, err := o.take()
		if len(frames) == 0 {
			return err
		}
		for _, f := range frames {
			if err := w.Write(f); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// take waits for frames; none mean the end.
func (o *outbox) take() ([]wire.Frame, error) {
	for {
		o.mu.Lock()
		if len(o.queue) > 0 || o.ending || o.err != nil {
			defer o.mu.Unlock()
			frames := o.queue
			o.queue, o.bytes = nil, 0
			o.room.ring()
			return frames, o.err
		}
		filled := o.filled.wait()
		o.mu.Unlock()
		<-filled
	}
}
