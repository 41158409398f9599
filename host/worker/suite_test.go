package worker_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// mode is one way to run workers. Every test of the suite runs in all of them.
type mode struct {
	name    string
	backend worker.Backend
	strict  bool
}

var modes = []mode{
	{"goroutine", worker.Goroutine, false},
	{"inline", worker.Inline, false},
	{"process", worker.Process, false},
	{"goroutine strict", worker.Goroutine, true},
	{"inline strict", worker.Inline, true},
}

func inAllModes(t *testing.T, test func(t *testing.T, b *bench)) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) { test(t, newBench(t, m)) })
	}
}

// bench is a host under test, and what it said.
type bench struct {
	*worker.Host
	t    *testing.T
	mode mode
	ctx  context.Context

	mu     sync.Mutex
	events []worker.Event
	heard  chan struct{} // a token for each event
	log    bytes.Buffer
}

func newBench(t *testing.T, m mode, change ...func(*worker.Options)) *bench {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	b := &bench{t: t, mode: m, ctx: ctx, heard: make(chan struct{}, 1<<16)}
	opt := worker.Options{
		Registry: registry(nil), Setup: wire.Map{"bundle": "x"}, Strict: m.strict, Command: command("test-child"),
		Log: slog.New(slog.NewTextHandler(b, nil)), OnEvent: b.event, Grace: 5 * time.Second,
	}
	for _, c := range change {
		c(&opt)
	}
	b.Host = worker.NewHost(opt)
	t.Cleanup(func() {
		_ = b.Close(context.Background()) // many of these workers fail by design
		cancel()
	})
	return b
}

func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bench) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

func (b *bench) event(e worker.Event) {
	b.mu.Lock()
	b.events = append(b.events, e)
	b.mu.Unlock()
	b.heard <- struct{}{}
}

// await waits for an event of a name and returns the first one.
func (b *bench) await(name string) worker.Event {
	b.t.Helper()
	for {
		b.mu.Lock()
		for _, e := range b.events {
			if e.Name == name {
				b.mu.Unlock()
				return e
			}
		}
		b.mu.Unlock()
		select {
		case <-b.heard:
		case <-b.ctx.Done():
			b.t.Fatalf("no event %q", name)
		}
	}
}

// start starts a worker of the mode's backend.
func (b *bench) start(name, kind string, params wire.Map, channels map[string]string) worker.Channel {
	b.t.Helper()
	require.NoError(b.t, b.Start(b.ctx, b.spec(name, kind, params, channels)))
	return b.Channel(name)
}

func (b *bench) spec(name, kind string, params wire.Map, channels map[string]string) worker.Spec {
	return worker.Spec{Name: name, Kind: kind, Backend: b.mode.backend, Params: params, Channels: channels}
}

// probe starts the usual one.
func (b *bench) probe() worker.Channel { b.t.Helper(); return b.start("probe", "probe", nil, nil) }

func (b *bench) call(c worker.Channel, op string, args wire.Value) (wire.Value, error) {
	return c.Call(b.ctx, &worker.Call{Op: op, Args: args})
}

func (b *bench) must(c worker.Channel, op string, args wire.Value) wire.Value {
	b.t.Helper()
	v, err := b.call(c, op, args)
	require.NoError(b.t, err)
	return v
}

// exit returns the next Exit.
func (b *bench) exit() worker.Exit {
	b.t.Helper()
	select {
	case e := <-b.Exits():
		return e
	case <-b.ctx.Done():
		b.t.Fatal("no exit")
		return worker.Exit{}
	}
}

// finish closes the host and returns the exits that nobody read yet.
func (b *bench) finish() []worker.Exit {
	_ = b.Close(b.ctx)
	var left []worker.Exit
	for e := range b.Exits() {
		left = append(left, e)
	}
	return left
}

// pid returns the process id of a worker's child.
func (b *bench) pid(c worker.Channel) int {
	b.t.Helper()
	return int(b.must(c, "pid", nil).(int64))
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// requireDead waits until a process is gone. A zombie that is not ours to reap
// counts as gone.
func requireDead(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
		return !alive(pid) || err == nil && bytes.Contains(stat, []byte(") Z"))
	}, 10*time.Second, 10*time.Millisecond)
}
