package luaapi

import (
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// fields reads a plain map whose shape is known, in a worker that was given it.
// What is missing reads as its zero value; the first field of a wrong type makes
// err.
type fields struct {
	m   wire.Map
	err error
}

func readMap(v wire.Value) *fields {
	m, ok := v.(wire.Map)
	f := &fields{m: m}
	if !ok && v != nil {
		f.err = fault.New(fault.Internal, "read a definition", "it is a %T, no map", v)
	}
	return f
}

func get[T any](f *fields, name string) T {
	v, there := f.m[name]
	out, ok := v.(T)
	if there && v != nil && !ok && f.err == nil {
		f.err = fault.New(fault.Internal, "read a definition", "%s is a %T", name, v)
	}
	return out
}

func (f *fields) text(name string) string       { return get[string](f, name) }
func (f *fields) bool(name string) bool         { return get[bool](f, name) }
func (f *fields) int(name string) int64         { return get[int64](f, name) }
func (f *fields) age(name string) time.Duration { return time.Duration(get[int64](f, name)) }
func (f *fields) list(name string) wire.List    { return get[wire.List](f, name) }
func (f *fields) sub(name string) *fields       { return readMap(f.m[name]) }

// texts reads a list of strings.
func (f *fields) texts(name string) []string {
	var out []string
	for _, v := range f.list(name) {
		s, ok := v.(string)
		if !ok && f.err == nil {
			f.err = fault.New(fault.Internal, "read a definition", "%s holds a %T", name, v)
		}
		out = append(out, s)
	}
	return out
}
