// Package lifetime ends calls with the life of what they call.
package lifetime

import (
	"context"
	"sync"
	"sync/atomic"
)

// Join returns a context that ends with ctx or with life, whichever is first, with the
// cause of that one (of either, where both had ended when somebody looked first), and what
// to call when the call is over. Its values are those of ctx.
//
// A call that delivers a message passes half a dozen of these and waits for nothing. So
// a joined context costs next to nothing until somebody asks for its channel, or derives
// another one from it; Err, context.Cause and Value do not need that.
func Join(ctx, life context.Context) (context.Context, func()) {
	j := &joined{Context: ctx, life: life}
	return j, j.release
}

type joined struct {
	context.Context // the caller's
	life            context.Context

	whole atomic.Pointer[context.Context] // with a channel of its own; nil until it is needed

	mu     sync.Mutex
	cancel context.CancelCauseFunc // of whole, which is stored after it
	unhook func() bool             // from life

	over atomic.Bool
}

// made returns the context that has a channel, which it makes.
func (j *joined) made() context.Context {
	if w := j.whole.Load(); w != nil {
		return *w
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if w := j.whole.Load(); w != nil {
		return *w
	}
	ctx, cancel := context.WithCancelCause(j.Context)
	j.cancel = cancel
	switch {
	case j.over.Load():
		cancel(nil)
	default:
		j.unhook = context.AfterFunc(j.life, func() { cancel(context.Cause(j.life)) })
	}
	j.whole.Store(&ctx)
	return ctx
}

// known returns the context that knows whether the call has ended, and why, as far as
// that is not the caller's; nil where there is none yet.
func (j *joined) known() context.Context {
	switch w := j.whole.Load(); {
	case j.life.Err() != nil:
		ctx := j.made()
		j.cancel(context.Cause(j.life)) // the hook may be on its way
		return ctx
	case w != nil:
		return *w
	case j.over.Load():
		return j.made()
	}
	return nil
}

func (j *joined) Done() <-chan struct{} { return j.made().Done() }

// Err never takes back that the call has ended, nor leaves it without a cause, also where
// somebody asks for the channel while the caller's end is on its way to it.
func (j *joined) Err() error {
	ctx := j.known()
	if ctx == nil {
		if j.Context.Err() == nil {
			return nil
		}
		ctx = j.made()
		<-ctx.Done()
	}
	return ctx.Err()
}

// Value is also how context.Cause finds the context that knows it.
func (j *joined) Value(key any) any {
	if ctx := j.known(); ctx != nil {
		return ctx.Value(key)
	}
	return j.Context.Value(key)
}

func (j *joined) release() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over.Store(true)
	if j.cancel != nil {
		if j.unhook != nil {
			j.unhook()
		}
		j.cancel(nil)
	}
}
