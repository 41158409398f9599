package luaapi

import (
	"context"
	"log/slog"
	"sync"
)

// logSinks are the loggers of a process that are open: the slog.Handler of the
// command, and one for each LoggerManager.
type logSinks struct {
	base slog.Handler // nil: none

	mu   sync.RWMutex
	list []slog.Handler
}

func (l *logSinks) add(h slog.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, h)
}

func (l *logSinks) remove(h slog.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, have := range l.list {
		if have == h {
			l.list = append(l.list[:i:i], l.list[i+1:]...)
			return
		}
	}
}

// all returns the handlers that are open now.
func (l *logSinks) all() []slog.Handler {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]slog.Handler, 0, len(l.list)+1)
	if l.base != nil {
		out = append(out, l.base)
	}
	return append(out, l.list...)
}

// handler returns the slog.Handler that writes to whatever is open when a record
// comes.
func (l *logSinks) handler() slog.Handler { return fanout{sinks: l} }

// fanout is a slog.Handler over the sinks. Attributes and groups are kept and
// applied to each record, since the sinks change.
type fanout struct {
	sinks *logSinks
	with  func(slog.Handler) slog.Handler
}

func (f fanout) dress(h slog.Handler) slog.Handler {
	if f.with == nil {
		return h
	}
	return f.with(h)
}

func (f fanout) Enabled(ctx context.Context, level slog.Level) bool {
	for _, h := range f.sinks.all() {
		if h.Enabled(ctx, level) {
			return true
		}
	}
	return false
}

func (f fanout) Handle(ctx context.Context, r slog.Record) error {
	var first error
	for _, h := range f.sinks.all() {
		if !h.Enabled(ctx, r.Level) {
			continue
		}
		if err := f.dress(h).Handle(ctx, r.Clone()); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (f fanout) WithAttrs(attrs []slog.Attr) slog.Handler {
	return fanout{f.sinks, func(h slog.Handler) slog.Handler { return f.dress(h).WithAttrs(attrs) }}
}

func (f fanout) WithGroup(name string) slog.Handler {
	return fanout{f.sinks, func(h slog.Handler) slog.Handler { return f.dress(h).WithGroup(name) }}
}
