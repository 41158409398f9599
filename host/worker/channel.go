package worker

import (
	"context"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// channel is a way from one worker, or from outside (no owner), to another one.
// It goes by name, so that it survives a restart of either.
type channel struct {
	host          *Host
	owner, target string
}

func (c *channel) Name() string { return c.target }

func (c *channel) Local() bool {
	t, err := c.host.find(c.target)
	return err == nil && t.local()
}

func (c *channel) Call(ctx context.Context, call *Call) (wire.Value, error) {
	ctx, t, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	if call.Local != nil && !t.local() {
		return nil, fault.New(fault.Internal, "call "+c.target, "a local payload cannot go to another process, nor anywhere in strict mode")
	}
	return t.call(ctx, call)
}

func (c *channel) Open(ctx context.Context, op string, args wire.Value) (Session, error) {
	ctx, t, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	return t.open(ctx, op, args)
}

// enter puts the owner into the chain, also when it calls from a goroutine that
// knows nothing of it, and refuses a target that is there already: it would
// wait for itself.
func (c *channel) enter(ctx context.Context) (context.Context, target, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, ended(ctx, "call "+c.target)
	}
	if !inChain(ctx, c.owner) {
		ctx = withLink(ctx, c.owner)
	}
	if inChain(ctx, c.target) {
		chain := append(Chain(ctx), c.target)
		return nil, nil, fault.New(fault.SelfCall, "call "+c.target, "the worker would wait for itself: %s", strings.Join(chain, " -> "))
	}
	t, err := c.host.find(c.target)
	return ctx, t, err
}

// spawned is the channel to a worker's own worker.
type spawned struct {
	channel
	unit *unit
}

func (s *spawned) Stop(ctx context.Context) error { return s.unit.stop(ctx) }

// isRoot tells a worker that the host started from one that a worker spawned.
func isRoot(name string) bool { return !strings.Contains(name, "/") }

// reaches reports whether a spawned worker may have a channel to target: its
// owner has one, or target was spawned by the same owner before.
func reaches(owner *unit, target string) bool {
	return strings.HasPrefix(target, owner.spec.Name+"/") || slices.Contains(owner.channels(), target)
}
