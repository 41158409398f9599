package luaapi

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// kindLogger is the kind of worker that a logger is.
const kindLogger = "logger"

// logQueue is how many records a logger written in Lua may be behind. What comes
// beyond is dropped and counted: a log must not stop a sync.
const logQueue = 1000

// loggerCore is the Go object of an instance of a logger class.
type loggerCore struct{ write func(r slog.Record) error }

func loggerMethods() []function {
	return []function{
		{name: "init", params: "opts: table", doc: "Is called in the worker, before anything else.",
			call: func(L *lua.LState) int { script.Self[*loggerCore](L); return 0 }},
		{name: "write", params: "record: table", doc: "Writes one record: a table with time, level, message and the attributes.",
			call: func(L *lua.LState) int {
				c, t := script.Self[*loggerCore](L), L.CheckTable(2)
				must(L, c.write(recordOf(t)))
				return 0
			}},
	}
}

// loggerWorker is a place the log goes to, as long as it runs.
type loggerWorker struct {
	env      worker.Env
	services *services
	level    slog.Level
	path     string // "" writes nowhere but to the class
	json     bool

	file    *os.File
	handler slog.Handler
	queue   *recordQueue // nil without a class
	state   *script.State
	running worker.Group
}

func (s *services) newLogger(env worker.Env) (worker.Worker, error) {
	f := readMap(env.Spec.Params)
	w := &loggerWorker{env: env, services: s, path: f.path("file"), json: f.text("format") == "json"}
	if f.err != nil {
		return nil, f.err
	}
	return w, w.level.UnmarshalText([]byte(f.text("level")))
}

func (w *loggerWorker) Start(ctx context.Context) error {
	var out io.Writer = io.Discard
	if w.path != "" {
		err := os.MkdirAll(filepath.Dir(w.path), 0o700)
		if err == nil {
			w.file, err = os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		}
		if err != nil {
			return fault.Wrap(fault.IO, "open the log", err)
		}
		out = w.file
	}
	options := &slog.HandlerOptions{Level: w.level}
	w.handler = slog.NewTextHandler(out, options)
	if w.json {
		w.handler = slog.NewJSONHandler(out, options)
	}
	if w.env.Spec.Class != "" {
		if err := w.startScript(ctx); err != nil {
			_ = w.close()
			return err
		}
	}
	w.services.sinks.add(w.handler)
	return nil
}

// startScript puts the class between the log and the file.
func (w *loggerWorker) startScript(ctx context.Context) error {
	// The log of the script itself must not come back to it.
	own := slog.New(w.handler)
	state, err := w.services.newLuaState(ctx, w.env.Spec.Name, own)
	if err != nil {
		return err
	}
	w.state = state
	below := w.handler
	var inst *script.Instance
	err = state.Do(ctx, func(L *lua.LState) (err error) {
		core := &loggerCore{func(r slog.Record) error { return below.Handle(context.Background(), r) }}
		inst, err = state.Instantiate(L, w.env.Spec.Class, core, w.env.Spec.Params["args"])
		return err
	})
	if err != nil || !inst.Class().Overrides("write") {
		return err
	}
	w.queue = newRecordQueue(w.level)
	w.handler = w.queue
	w.running.Go("write the log", func() error {
		for r := range w.queue.records {
			err := state.Do(context.Background(), func(L *lua.LState) error {
				_, err := inst.Call(L, "write", 0, recordTable(L, r))
				return err
			})
			if err != nil {
				own.Error("the logger's script failed", "error", err)
				_ = below.Handle(context.Background(), r)
			}
		}
		return nil
	})
	return nil
}

func (w *loggerWorker) Handle(_ context.Context, call *worker.Call) (wire.Value, error) {
	return nil, fault.New(fault.Unsupported, call.Op, "a logger answers no calls")
}

func (w *loggerWorker) Stop(context.Context) error {
	w.services.sinks.remove(w.handler)
	return w.close()
}

// close writes what is left and closes the file.
func (w *loggerWorker) close() error {
	var err error
	if w.queue != nil {
		w.queue.close()
		err = w.running.Wait()
	}
	if w.state != nil {
		w.state.Close()
	}
	if w.file != nil {
		if closeErr := w.file.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}

// recordQueue is a slog.Handler that hands records over to a goroutine.
type recordQueue struct {
	level   slog.Level
	mu      sync.Mutex
	closed  bool
	dropped int
	records chan slog.Record
}

func newRecordQueue(level slog.Level) *recordQueue {
	return &recordQueue{level: level, records: make(chan slog.Record, logQueue)}
}

func (q *recordQueue) Enabled(_ context.Context, level slog.Level) bool { return level >= q.level }

func (q *recordQueue) Handle(_ context.Context, r slog.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	if q.dropped > 0 {
		r.AddAttrs(slog.Int("dropped", q.dropped))
	}
	select {
	case q.records <- r:
		q.dropped = 0
	default:
		q.dropped++
	}
	return nil
}

func (q *recordQueue) WithAttrs(attrs []slog.Attr) slog.Handler {
	return dressed{q, func(r *slog.Record, own []slog.Attr) { r.AddAttrs(attrs...); r.AddAttrs(own...) }}
}

func (q *recordQueue) WithGroup(name string) slog.Handler {
	return dressed{q, func(r *slog.Record, own []slog.Attr) { r.AddAttrs(slog.GroupAttrs(name, own...)) }}
}

func (q *recordQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.records)
}

// dressed adds attributes, or a group around them, to what goes to a handler.
type dressed struct {
	slog.Handler
	add func(r *slog.Record, own []slog.Attr)
}

func (d dressed) Handle(ctx context.Context, r slog.Record) error {
	var own []slog.Attr
	r.Attrs(func(a slog.Attr) bool { own = append(own, a); return true })
	bare := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	d.add(&bare, own)
	return d.Handler.Handle(ctx, bare)
}

func (d dressed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return dressed{d, func(r *slog.Record, own []slog.Attr) { r.AddAttrs(attrs...); r.AddAttrs(own...) }}
}

func (d dressed) WithGroup(name string) slog.Handler {
	return dressed{d, func(r *slog.Record, own []slog.Attr) { r.AddAttrs(slog.GroupAttrs(name, own...)) }}
}
