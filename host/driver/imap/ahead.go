package imap

import (
	"context"
	"errors"
	"iter"

	"github.com/imapfw/imapfw/host/fault"
)

// errStopped ends the goroutine of ahead when its results are not wanted any
// more.
var errStopped = errors.New("stopped")

// ahead makes results from inputs and gives them to use, in order, one step
// ahead: while use works on one, the next is being made. use is called on the
// caller's goroutine. drop frees results that use never got.
func ahead[In, Out any](ctx context.Context, inputs iter.Seq[In], fetch func(context.Context, In) (Out, error),
	use func(Out) error, drop func(Out),
) error {
	type result struct {
		out Out
		err error
	}
	ctx, stop := context.WithCancelCause(ctx)
	results := make(chan result)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(results)
		err := fault.Contain("read ahead", func() error {
			for in := range inputs {
				out, err := fetch(ctx, in)
				select {
				case results <- result{out, err}:
				case <-ctx.Done():
					drop(out)
					return nil
				}
				if err != nil {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			select {
			case results <- result{err: err}:
			case <-ctx.Done():
			}
		}
	}()
	defer func() {
		stop(errStopped)
		<-done
	}()
	for r := range results {
		if r.err != nil {
			drop(r.out)
			return r.err
		}
		if err := use(r.out); err != nil {
			return err
		}
	}
	// The results also end when ctx did between two of them.
	return context.Cause(ctx)
}
