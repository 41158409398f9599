package luaapi

import (
	"log/slog"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

// recordTable is a log record as scripts see it. Attributes are fields beside
// time, level and message; those of a group have its name before a dot.
func recordTable(L *lua.LState, r slog.Record) *lua.LTable {
	t := L.NewTable()
	r.Attrs(func(a slog.Attr) bool {
		putAttr(L, t, "", a)
		return true
	})
	t.RawSetString("time", lua.LNumber(r.Time.Unix()))
	t.RawSetString("level", lua.LString(r.Level.String()))
	t.RawSetString("message", lua.LString(r.Message))
	return t
}

func putAttr(L *lua.LState, t *lua.LTable, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			putAttr(L, t, prefix, member)
		}
		return
	}
	var value lua.LValue = lua.LString(v.String())
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindBool:
		value = script.ToLua(L, plainAttr(v))
	}
	t.RawSetString(prefix+a.Key, value)
}

func plainAttr(v slog.Value) any {
	switch v.Kind() {
	case slog.KindInt64:
		return v.Int64()
	case slog.KindUint64:
		return float64(v.Uint64())
	case slog.KindFloat64:
		return v.Float64()
	}
	return v.Bool()
}

// recordOf reads a record that a script passes on.
func recordOf(t *lua.LTable) slog.Record {
	at := time.Now()
	if n, ok := t.RawGetString("time").(lua.LNumber); ok {
		at = time.Unix(int64(n), 0)
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(lua.LVAsString(t.RawGetString("level")))) // what is no level is "info"
	r := slog.NewRecord(at, level, lua.LVAsString(t.RawGetString("message")), 0)
	t.ForEach(func(k, v lua.LValue) {
		switch name := k.String(); name {
		case "time", "level", "message":
		default:
			r.AddAttrs(slog.String(name, v.String()))
		}
	})
	return r
}
