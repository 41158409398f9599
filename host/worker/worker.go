package worker

import (
	"context"
	"log/slog"

	"github.com/imapfw/imapfw/host/wire"
)

// Backend says where a worker runs.
type Backend string

// The backends. All of them run the same test suite.
const (
	Goroutine Backend = "goroutine" // its own goroutine in this process (the default)
	Process   Backend = "process"   // a child process of the same binary
	Inline    Backend = "inline"    // the caller's goroutine
)

// Spec declares a worker: everything another process needs to build it.
type Spec struct {
	Name    string // unique in the topology
	Kind    string // looked up in the Registry
	Class   string // script class ("module:Name"), empty for the Go one
	Backend Backend
	Params  wire.Map // plain data for the factory; may hold secrets, never logged
	// Channels gives the worker's own name for each channel, and the name of
	// the worker at its other end.
	Channels map[string]string
}

// Worker is one unit of business logic. The backend calls Start once, then
// Handle for each call, from as many goroutines as the worker's Concurrency
// allows (one, unless it implements Concurrent), then Stop once, when no Handle
// and no Run is left. A panic in any of them ends the worker; Stop is called
// even then.
type Worker interface {
	// Start makes the worker ready. When it fails it has undone what it began:
	// Stop is not called. ctx bounds the start only, not what it begins.
	Start(ctx context.Context) error
	// Handle answers one call. ctx ends when the caller's does, and when the
	// worker is killed; its call chain is in it.
	Handle(ctx context.Context, call *Call) (wire.Value, error)
	// Stop ends what the worker began and waits for it. ctx says how long that
	// may take; it has ended already when the worker is killed.
	Stop(ctx context.Context) error
}

// Concurrent is implemented by workers that answer several calls at once.
type Concurrent interface{ Concurrency() int }

// Runner is implemented by workers that have a life of their own beside their
// inbox (an engine, a user's loop). Run is called after Start on a goroutine of
// its own; when it returns, the worker is done and its Exit carries the error.
// Calls are still answered while it runs. ctx ends when the worker is stopped
// and at the second interrupt; the first one closes Env.Draining.
type Runner interface {
	Run(ctx context.Context) error
}

// Call is one request to a worker.
type Call struct {
	Op   string
	Args wire.Value
	// Local is a payload that cannot be encoded (a callback). It is nil when
	// the call came from another process, or in strict mode: then Args and
	// Stream carry everything.
	Local any
	// Stream carries items beside the arguments and the reply, both ways; nil
	// for a plain call.
	Stream Stream
}

// Stream is one end of a two-way sequence of values, bounded in what it buffers.
// One goroutine may send while another one receives.
type Stream interface {
	// Send passes one item on, and gives it away: a buffer is not used again. A
	// []byte or string is at most MaxChunk long. Send blocks while the other
	// end is behind. It fails with fault.Stopped when
	// the call is over: the reply tells why.
	Send(ctx context.Context, item wire.Value) error
	// Recv returns the next item, io.EOF when the other end will send no more.
	// A caller gets the handler's error instead of io.EOF when the handler
	// failed before it closed its side, so that what was cut short never looks
	// complete.
	Recv(ctx context.Context) (wire.Value, error)
	// CloseSend tells the other end that nothing more will come. A handler that
	// returns closes its side.
	CloseSend() error
}

// Session is the caller's end of a call that has a Stream.
type Session interface {
	Stream
	// Wait returns the reply, after the handler returned. It must be called
	// exactly once; cancelling the context the session was opened with ends it.
	// It does not read on: a caller that leaves items unread cancels first,
	// or the handler waits for it for ever.
	Wait() (wire.Value, error)
}

// Channel is a way to call one other worker.
type Channel interface {
	// Name is the name of the worker at the other end.
	Name() string
	// Local reports whether calls may carry a Local payload.
	Local() bool
	// Call asks and waits for the reply. When ctx ends it returns at once,
	// except for a call with a Local payload: that one returns only after the
	// handler did, since the payload is the caller's. (So does every call to an
	// inline worker: the handler runs on the caller's goroutine.)
	Call(ctx context.Context, call *Call) (wire.Value, error)
	// Open begins a call with a stream. It may block until the worker takes it.
	Open(ctx context.Context, op string, args wire.Value) (Session, error)
}

// Event is news that travels upward: from a worker to whoever listens at the
// master. It is never answered.
type Event struct {
	Worker string
	Name   string // "progress", "report", "log", "told"
	Data   wire.Value
}

// Exit is the last word of a worker on its error link; there is exactly one for
// each worker that was started. Err is nil when it ended as it should.
type Exit struct {
	Worker string
	Err    error
}

// Env is what a worker is built with.
type Env struct {
	Spec     Spec
	Channels map[string]Channel // by the worker's own name for them
	Log      *slog.Logger
	// Emit sends an event upward. It never blocks for long and never fails: a
	// value that cannot cross is logged instead, and "progress" is dropped when
	// the listener is far behind. What is emitted inside Handle is delivered
	// after it, but for "progress" and "log".
	Emit func(name string, data wire.Value)
	// Spawn starts a worker owned by this one, in the same process: inline if
	// this worker is inline, else on a goroutine. It is stopped after this
	// worker's Stop returned, if Stop did not do it (see Stopper). Its failure
	// makes this worker exit. Its full name is this worker's, "/" and the name
	// in spec; its channels may lead to where this worker's do, and to others
	// that it spawned before.
	Spawn func(ctx context.Context, spec Spec) (Channel, error)
	// Setup is the process-wide data all workers share (the script bundle).
	Setup wire.Value
	// Draining is closed at the first interrupt: begin no new batch, finish the
	// one in flight, return from Run. Calls go on working.
	Draining <-chan struct{}
}

// Stopper is implemented by the channels that Env.Spawn returns, for a worker
// that wants to stop one of its own before it stops itself.
type Stopper interface {
	Stop(ctx context.Context) error
}

// Factory builds a worker from its Env. It does no I/O.
type Factory func(env Env) (Worker, error)

// Registry holds the factory of every kind of worker. It is a value built by
// the command; there is no global one.
type Registry map[string]Factory
