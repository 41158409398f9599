package worker

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// newPipe returns the two ends of a stream within one process.
func newPipe(strict bool) (caller, handler end) {
	there, back := newFlow(strict), newFlow(strict)
	return end{there.sender, back.receiver}, end{back.sender, there.receiver}
}

type flow struct {
	sender   *sender
	receiver *receiver
}

// newFlow returns one direction: what is sent is in the receiver at once.
func newFlow(strict bool) flow {
	s, r := &sender{credit: window}, &receiver{}
	s.pack = func(item wire.Value) (any, int, error) {
		size, err := itemSize(item)
		if err == nil && strict {
			item, err = wire.CloneAs("item", item)
		}
		return item, size, err
	}
	s.put = func(_ context.Context, packed any, size int) error { return r.push(packed, size) }
	s.bye = r.finish
	r.give = func(cost int, _ bool) { s.grant(cost) }
	return flow{s, r}
}

func itemSize(item wire.Value) (int, error) {
	length := 0
	switch item := item.(type) {
	case []byte:
		length = len(item)
	case string:
		length = len(item)
	}
	if length > MaxChunk {
		return 0, fault.New(fault.Internal, "send", "a piece of %d bytes, where %d are allowed", length, MaxChunk)
	}
	return wire.SizeAs("item", item)
}

// over is what the ends of a stream get after the handler returned.
func over(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return ended(ctx, op)
	}
	return fault.New(fault.Stopped, op, "the call is over; its reply tells why")
}
