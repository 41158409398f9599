package worker

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// child is a worker in a child process, as its parent sees it.
type child struct {
	host   *Host
	spec   Spec
	log    *slog.Logger
	cmd    *exec.Cmd
	peer   *peer
	frames []*os.File // our ends of the two pipes
	stderr *os.File
	tail   tail

	ready  *reply        // Start's error
	link   chan struct{} // closed by drop
	once   sync.Once
	reaped chan struct{} // closed when the process is gone
	heard  chan struct{} // closed when all its stderr was read
	gone   chan struct{} // closed when everything is over
	exit   error         // valid after gone

	mu    sync.Mutex
	last  *error // what the exit frame said
	cause error  // why we killed it
}

// control gets the frames that are not about calls.
func (c *child) control(f wire.Frame) error {
	switch f.Type {
	case frameReady:
		c.ready.set(nil, decodeError(f.Payload))
	case frameEvent:
		e, err := decodeEvent(f.Payload)
		if err != nil {
			return err
		}
		c.host.pump.event(e)
	case frameLog:
		return logRecord(c.host.log, f.Payload)
	case frameExit:
		err := decodeError(f.Payload)
		c.mu.Lock()
		c.last = &err
		c.mu.Unlock()
		time.AfterFunc(c.host.opt.Grace, c.drop) // it said its last word, and stays
	default:
		return fault.New(fault.Protocol, "read a frame", "unknown type %d", f.Type)
	}
	return nil
}

// answer handles a call of the child: it is passed on to where the worker has a
// channel to, whatever its backend is.
func (c *child) answer(ctx context.Context, to string, call *Call) (wire.Value, error) {
	if !slices.Contains(c.channels(), to) {
		return nil, fault.New(fault.NotFound, "call "+to, "worker %q has no channel to it", c.spec.Name)
	}
	return (&channel{host: c.host, owner: c.spec.Name, target: to}).serve(ctx, call)
}

// hear passes what the process writes to stderr to the log, line by line.
func (c *child) hear() {
	defer close(c.heard)
	defer func() { _ = c.stderr.Close() }() // all of it was read
	lines(c.stderr, func(line []byte) {
		c.tail.add(line)
		c.log.Warn(string(bytes.ToValidUTF8(line, []byte("?"))))
	})
}

func (c *child) name() string           { return c.spec.Name }
func (c *child) channels() []string     { return slices.Collect(maps.Values(c.spec.Channels)) }
func (c *child) local() bool            { return false }
func (c *child) ended() <-chan struct{} { return c.gone }

func (c *child) call(ctx context.Context, call *Call) (wire.Value, error) {
	if _, err := c.ready.wait(ctx, context.Background(), "call "+c.spec.Name); err != nil {
		return nil, err
	}
	return c.peer.call(ctx, c.spec.Name, call)
}

func (c *child) open(ctx context.Context, op string, args wire.Value) (Session, error) {
	if _, err := c.ready.wait(ctx, context.Background(), "call "+c.spec.Name); err != nil {
		return nil, err
	}
	return c.peer.open(ctx, c.spec.Name, op, args)
}

func (c *child) stop(ctx context.Context) error {
	if _, err := c.ready.wait(ctx, context.Background(), "stop worker "+c.spec.Name); err == nil {
		c.peer.out.post(wire.Frame{Type: frameStop})
	}
	select {
	case <-c.gone:
	case <-ctx.Done():
		c.kill(fault.New(fault.Stopped, "", "worker %q did not stop in time", c.spec.Name))
		<-c.gone
	}
	return c.exit
}

func (c *child) kill(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	c.drop()
}
