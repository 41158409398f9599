package worker

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/wire"
)

// ServeChild is what a child process does: it reads from the parent what worker
// to run, has build make the registry from the host's Setup, runs the worker
// and returns when it has ended, with its error; the parent knows it too. in and
// out are the files of ChildPipes. When the parent is gone, or ctx ends, the
// worker is killed. The process should exit right after: that is what closes
// the link.
func ServeChild(ctx context.Context, in io.ReadCloser, out io.WriteCloser, build func(setup wire.Value) (Registry, error)) error {
	keep(in)
	keep(out)
	s := &serving{stop: make(chan struct{}, 1)}
	s.peer = newPeer(&s.tasks, context.Background(), in, out, 1)
	s.peer.control = s.control
	greeting, err := s.greeting()
	if err != nil {
		return err
	}
	registry, err := build(greeting.setup)
	log := slog.New(&childLog{peer: s.peer, level: slog.Level(greeting.level)})
	s.host = NewHost(Options{Registry: registry, Setup: greeting.setup, Log: log, Strict: greeting.strict, OnEvent: s.event})
	s.spec = greeting.spec
	s.spec.Backend = Goroutine
	s.peer.answer = s.answer
	for _, target := range s.spec.Channels {
		s.host.workers[target] = &remote{peer: s.peer, target: target, gone: make(chan struct{})}
	}

	written := make(chan struct{})
	s.tasks.spawn("write to the parent", func() {
		defer close(written)
		if err := s.peer.write(); err != nil {
			s.parted(err)
		}
	}, s.parted)
	s.tasks.spawn("read from the parent", func() { s.parted(s.peer.read()) }, s.parted)
	err = s.run(ctx, err)

	// What was said last is written, if anybody still reads.
	s.peer.out.finish()
	select {
	case <-written:
	case <-s.peer.life.Done():
		_ = out.Close() // ends a write that nobody reads
	}
	_ = in.Close() // ends the reading
	select {
	case <-s.tasks.idle():
	case <-time.After(100 * time.Millisecond): // in is a blocking file: only the exit ends that
	}
	return err
}

// serving is the one worker of a child process.
type serving struct {
	host  *Host
	spec  Spec
	peer  *peer
	tasks tally
	stop  chan struct{}
}

// parted ends everything when the link to the parent is closed or broken.
func (s *serving) parted(why error) {
	s.peer.fail(&fault.Error{Code: fault.Stopped, Message: "the link to the parent process ended", Err: why})
}

func (s *serving) greeting() (hello, error) {
	f, err := s.peer.in.Read()
	if err != nil {
		return hello{}, fault.Wrap(fault.Stopped, "read what to run", err)
	}
	if f.Type != frameHello {
		return hello{}, fault.New(fault.Protocol, "read what to run", "a frame of type %d", f.Type)
	}
	return decodeHello(f.Payload)
}

// run starts the worker, unless its registry could not be built, and waits for
// its end.
func (s *serving) run(ctx context.Context, err error) error {
	ctx, release := lifetime.Join(ctx, s.peer.life)
	defer release()
	if err == nil {
		err = s.host.Start(ctx, s.spec)
	}
	s.say(frameReady, err)
	if err == nil {
		err = s.await(ctx)
		s.lastReplies()
		s.say(frameExit, err)
	}
	closing, done := context.WithTimeout(context.Background(), s.host.opt.Grace)
	defer done()
	if late := s.host.Close(closing); err == nil {
		err = late
	}
	return err
}

// lastReplies waits until the calls that ended before the worker did are answered:
// an exit that overtakes their replies would cut them off.
func (s *serving) lastReplies() {
	late := time.NewTimer(s.host.opt.Grace)
	defer late.Stop()
	select {
	case <-s.peer.calls.idle():
	case <-s.peer.life.Done():
	case <-late.C:
	}
}

// await returns the worker's Exit.
func (s *serving) await(ctx context.Context) error {
	over := ctx.Done()
	for {
		select {
		case e := <-s.host.Exits():
			return e.Err
		case <-s.stop:
			s.tasks.spawn("stop", func() { _ = s.host.Stop(context.Background(), s.spec.Name) }, s.peer.fail)
		case <-over:
			if t, err := s.host.find(s.spec.Name); err == nil {
				t.kill(context.Cause(ctx))
			}
			over = nil
		}
	}
}

func (s *serving) say(kind byte, err error) {
	s.peer.out.post(wire.Frame{Type: kind, Payload: wire.AppendError(nil, err)})
}

// control gets the frames that are not about calls.
func (s *serving) control(f wire.Frame) error {
	switch f.Type {
	case frameDrain:
		s.host.Drain()
	case frameRuns:
		s.host.CancelRuns(decodeError(f.Payload))
	case frameStop:
		select {
		case s.stop <- struct{}{}:
		default: // it stops already
		}
	default:
		return fault.New(fault.Protocol, "read a frame", "unknown type %d", f.Type)
	}
	return nil
}

// answer handles a call of the parent.
func (s *serving) answer(ctx context.Context, to string, call *Call) (wire.Value, error) {
	return (&channel{host: s.host, target: to}).serve(ctx, call)
}

func (s *serving) event(e Event) {
	b, err := encodeEvent(e)
	if err != nil {
		return // it was checked when it was emitted
	}
	_ = s.peer.out.send(s.peer.life, wire.Frame{Type: frameEvent, Payload: b}) // without a parent nobody listens
}
