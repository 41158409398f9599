package worker

import (
	"context"
	"errors"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// reply is the slot for the answer to one call. Filling it never blocks: the
// caller may be gone.
type reply struct {
	once  sync.Once
	done  chan struct{}
	value wire.Value
	err   error
}

func newReply() *reply { return &reply{done: make(chan struct{})} }

// set fills the slot; only the first answer counts.
func (r *reply) set(v wire.Value, err error) {
	r.once.Do(func() {
		r.value, r.err = v, err
		close(r.done)
	})
}

// wait returns the answer, or why it will not come: the caller's context ended,
// or the life of the worker. An answer that is there wins: what was done must
// not look undone.
func (r *reply) wait(ctx, life context.Context, op string) (wire.Value, error) {
	var err error
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		err = ended(ctx, op)
	case <-life.Done():
		err = gone(life, op)
	}
	select {
	case <-r.done:
		return r.value, r.err
	default:
		return nil, err
	}
}

// ended says that a caller's context was over while something was being done.
// errors.Is finds context.Canceled or context.DeadlineExceeded, and the cause;
// a cause that is a fault keeps its code.
func ended(ctx context.Context, op string) error {
	cause, err := context.Cause(ctx), ctx.Err()
	if errors.Is(cause, err) {
		return &fault.Error{Code: fault.Stopped, Op: op, Err: cause}
	}
	code := fault.Stopped
	if errors.As(cause, new(*fault.Error)) {
		code = fault.CodeOf(cause)
	}
	return &fault.Error{Code: code, Op: op, Temporary: fault.IsTemporary(cause), Err: &endedError{cause, err}}
}

// gone says that a worker was over while something was being asked of it. The
// caller's own context is not, so it must not look cancelled.
func gone(life context.Context, op string) error {
	cause := context.Cause(life)
	return &fault.Error{Code: fault.CodeOf(cause), Op: op, Temporary: fault.IsTemporary(cause), Err: cause}
}

// endedError reads as its cause and also is what the context says.
type endedError struct{ cause, ctx error }

func (e *endedError) Error() string   { return e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.cause, e.ctx} }
