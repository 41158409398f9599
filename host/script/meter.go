package script

import (
	"context"
	"errors"
	"math"
)

var errSteps = errors.New("too many steps")

// meter is the context a running LState sees. gopher-lua asks Done before every
// instruction, which makes it the place to count them, and cheaper than the
// Done of most contexts. It is used by the owner of the state only.
type meter struct {
	context.Context
	done  <-chan struct{}
	over  chan struct{} // always closed
	steps int64
	limit int64
}

func newMeter() *meter {
	m := &meter{Context: context.Background(), over: make(chan struct{})}
	close(m.over)
	return m
}

// start begins a new count under ctx; limit 0 is none.
func (m *meter) start(ctx context.Context, limit int64) {
	if limit == 0 {
		limit = math.MaxInt64
	}
	m.Context, m.done, m.steps, m.limit = ctx, ctx.Done(), 0, limit
}

func (m *meter) Done() <-chan struct{} {
	m.steps++
	if m.steps > m.limit {
		return m.over
	}
	return m.done
}

func (m *meter) Err() error {
	if m.steps > m.limit {
		return errSteps
	}
	return m.Context.Err()
}

// poll is asked by library functions that work long; one poll is worth many
// instructions.
func (m *meter) poll() error {
	m.steps += 1000
	return m.Err()
}
