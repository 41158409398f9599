package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/imapfw/imapfw/host/wire"
)

// childLog is the slog.Handler of a child process: records travel to the
// parent's logger, their attributes as text.
type childLog struct {
	peer   *peer
	level  slog.Level
	prefix string    // of open groups
	attrs  wire.List // names and texts in turn
}

func (h *childLog) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *childLog) Handle(_ context.Context, r slog.Record) error {
	attrs := append(wire.List{}, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		attrs = appendAttr(attrs, h.prefix, a)
		return true
	})
	b, err := wire.Encode(wire.Map{"level": int64(r.Level), "message": r.Message, "time": r.Time, "attrs": attrs})
	if err != nil {
		return err
	}
	return h.peer.out.send(h.peer.life, wire.Frame{Type: frameLog, Payload: b})
}

func (h *childLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *h
	more.attrs = append(wire.List{}, h.attrs...)
	for _, a := range attrs {
		more.attrs = appendAttr(more.attrs, h.prefix, a)
	}
	return &more
}

func (h *childLog) WithGroup(name string) slog.Handler {
	more := *h
	if name != "" {
		more.prefix += name + "."
	}
	return &more
}

func appendAttr(list wire.List, prefix string, a slog.Attr) wire.List {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		return append(list, prefix+a.Key, v.String())
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		list = appendAttr(list, prefix, member)
	}
	return list
}

// logRecord hands a record of a child to the parent's logger.
func logRecord(log *slog.Logger, b []byte) error {
	v, err := wire.Decode(b)
	if err != nil {
		return err
	}
	m, _ := v.(wire.Map)
	ctx, level := context.Background(), slog.Level(number(m, "level"))
	if !log.Enabled(ctx, level) {
		return nil
	}
	at, _ := m["time"].(time.Time)
	r := slog.NewRecord(at, level, text(m, "message"), 0)
	attrs, _ := m["attrs"].(wire.List)
	for i := 0; i+1 < len(attrs); i += 2 {
		key, _ := attrs[i].(string)
		value, _ := attrs[i+1].(string)
		r.AddAttrs(slog.String(key, value))
	}
	_ = log.Handler().Handle(ctx, r) // a sink that fails is the logger's affair
	return nil
}

// minLevel returns the lowest level the logger wants, so that a child does not
// send what nobody reads.
func minLevel(log *slog.Logger) int {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if log.Enabled(context.Background(), level) {
			return int(level)
		}
	}
	return int(slog.LevelError) + 1
}
