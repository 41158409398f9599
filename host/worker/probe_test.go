package worker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// registry returns the workers of the tests. local is called by the op "local",
// in the tests' own process only.
func registry(local func(ctx context.Context, call *worker.Call) (wire.Value, error)) worker.Registry {
	probes := func(env worker.Env) *probe {
		p := &probe{env: env, local: local, released: make(chan struct{}), n: 4}
		if n, ok := env.Spec.Params["concurrency"].(int64); ok {
			p.n = int(n)
		}
		return p
	}
	return worker.Registry{
		"probe":   func(env worker.Env) (worker.Worker, error) { return probes(env), nil },
		"runner":  func(env worker.Env) (worker.Worker, error) { return &runner{probes(env)}, nil },
		"unbuilt": func(worker.Env) (worker.Worker, error) { return nil, fault.New(fault.Config, "", "cannot be built") },
	}
}

// probe is a worker that does what its calls say.
type probe struct {
	env      worker.Env
	local    func(ctx context.Context, call *worker.Call) (wire.Value, error)
	n        int
	sent     atomic.Int64
	active   atomic.Int64
	most     atomic.Int64
	once     sync.Once
	released chan struct{}
}

func (p *probe) Concurrency() int { return p.n }

func (p *probe) Start(ctx context.Context) error {
	switch p.env.Spec.Params["start"] {
	case "fail":
		return fault.New(fault.Auth, "sign in", "refused").WithHint("check the password")
	case "panic":
		panic("at start")
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "die":
		os.Exit(7)
	case "spawn and fail":
		if _, err := p.env.Spawn(ctx, worker.Spec{Name: "ep", Kind: "probe"}); err != nil {
			return err
		}
		return errors.New("after all")
	}
	return nil
}

func (p *probe) Stop(context.Context) error {
	p.env.Emit("told", p.env.Spec.Name+" stopped")
	switch p.env.Spec.Params["stop"] {
	case "fail":
		return fault.New(fault.DiskFull, "sync", "no space")
	case "panic":
		panic("at stop")
	}
	return nil
}

func (p *probe) Handle(ctx context.Context, call *worker.Call) (wire.Value, error) {
	p.most.Store(max(p.most.Load(), p.active.Add(1)))
	defer p.active.Add(-1)
	switch call.Op {
	case "echo":
		return call.Args, nil
	case "fail":
		f := fault.New(fault.Code(call.Args.(string)), "append", "it went wrong").InFolder("INBOX").AsTemporary()
		return nil, fmt.Errorf("while testing: %w", fmt.Errorf("deep: %w and %w", f, io.ErrUnexpectedEOF))
	case "bad reply":
		return wire.Map{"fn": func() {}}, nil
	case "panic":
		panic("on purpose")
	case "exit":
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(9)
	case "pid":
		return int64(os.Getpid()), nil
	case "chain":
		var names wire.List
		for _, name := range worker.Chain(ctx) {
			names = append(names, name)
		}
		return names, nil
	case "most":
		return p.most.Load(), nil
	case "sent":
		return p.sent.Load(), nil
	case "hold": // until "release" or the end of ctx
		p.env.Emit("held", nil)
		select {
		case <-p.released:
			return "released", nil
		case <-ctx.Done():
			p.env.Emit("cancelled", fmt.Sprint(context.Cause(ctx)))
			return nil, ctx.Err()
		}
	case "release":
		p.once.Do(func() { close(p.released) })
		return nil, nil
	case "ignore": // its context, for a moment
		p.env.Emit("held", nil)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		return "finished", nil
	case "emit":
		for i := range call.Args.(int64) {
			p.env.Emit("told", i)
		}
		p.env.Emit("progress", "at once")
		return nil, nil
	case "log":
		p.env.Log.With("n", 1).WithGroup("g").Info("from the worker", "key", "value")
		p.env.Log.Debug("not wanted")
		fmt.Fprintln(os.Stderr, "a line on stderr")
		return nil, nil
	case "grandchild":
		sleep := exec.Command("sleep", "60")
		sleep.Stderr = os.Stderr
		err := sleep.Start()
		return int64(sleep.Process.Pid), err
	case "print":
		fmt.Println("to stdout")
		return nil, nil
	case "local":
		return p.local(ctx, call)
	}
	return p.handleMore(ctx, call)
}

// handleMore has what needs channels, streams and workers of its own.
func (p *probe) handleMore(ctx context.Context, call *worker.Call) (wire.Value, error) {
	switch call.Op {
	case "forward": // an op to the worker behind the channel "next"
		return p.env.Channels["next"].Call(ctx, &worker.Call{Op: call.Args.(string)})
	case "forward stream": // everything received to "next", and back what it sends
		s, err := p.env.Channels["next"].Open(ctx, call.Args.(string), nil)
		if err != nil {
			return nil, err
		}
		var g worker.Group
		g.Go("forward", func() error { return copyItems(ctx, s, call.Stream) })
		if err := copyItems(ctx, call.Stream, s); err != nil {
			return nil, err
		}
		v, err := s.Wait()
		return v, errors.Join(err, g.Wait())
	case "produce": // items of 64 KiB
		for i := range call.Args.(int64) {
			if err := call.Stream.Send(ctx, bytes.Repeat([]byte{byte(i)}, worker.MaxChunk)); err != nil {
				return nil, err
			}
			p.sent.Add(1)
		}
		return "produced", nil
	case "produce and fail":
		if err := call.Stream.Send(ctx, "one"); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Network, "fetch", "dropped")
	case "consume":
		hash, size := sha256.New(), int64(0)
		for {
			item, err := call.Stream.Recv(ctx)
			if err == io.EOF {
				return wire.Map{"size": size, "digest": string(hash.Sum(nil))}, nil
			}
			if err != nil {
				return nil, err
			}
			n, _ := hash.Write(item.([]byte))
			size += int64(n)
		}
	case "consume one":
		return call.Stream.Recv(ctx)
	case "copy":
		return nil, copyItems(ctx, call.Stream, call.Stream)
	case "spawn":
		c, err := p.env.Spawn(ctx, worker.Spec{Name: call.Args.(string), Kind: "probe", Channels: p.env.Spec.Channels})
		if err != nil {
			return nil, err
		}
		return c.Call(ctx, &worker.Call{Op: "chain"})
	case "spawn and panic", "spawn and stop":
		c, err := p.env.Spawn(ctx, worker.Spec{Name: "ep", Kind: "probe"})
		if err != nil {
			return nil, err
		}
		if call.Op == "spawn and stop" {
			return nil, c.(worker.Stopper).Stop(ctx)
		}
		return c.Call(ctx, &worker.Call{Op: "panic"})
	}
	return nil, fault.New(fault.Unsupported, call.Op, "unknown op")
}

func copyItems(ctx context.Context, to, from worker.Stream) error {
	for {
		item, err := from.Recv(ctx)
		if err == io.EOF {
			return to.CloseSend()
		}
		if err != nil {
			return err
		}
		if err := to.Send(ctx, item); err != nil {
			return err
		}
	}
}

// runner is a probe with a life of its own.
type runner struct{ *probe }

func (r *runner) Run(ctx context.Context) error {
	switch r.env.Spec.Params["run"] {
	case "done":
		return nil
	case "fail":
		return fault.New(fault.Network, "sync", "gone").AsTemporary()
	case "panic":
		panic("on the run")
	case "call":
		v, err := r.env.Channels["next"].Call(ctx, &worker.Call{Op: "chain"})
		r.env.Emit("chain", v)
		return err
	case "drain":
		<-r.env.Draining
		return nil
	}
	<-ctx.Done()
	r.env.Emit("ended", fmt.Sprintf("run ended: %v", context.Cause(ctx)))
	return ctx.Err()
}
