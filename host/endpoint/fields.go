package endpoint

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// fields reads a wire.Map whose shape is known. A field that is missing reads as
// its zero value; the first one of a wrong type makes err.
type fields struct {
	m   wire.Map
	err error
}

func read(v wire.Value) *fields {
	m, ok := v.(wire.Map)
	f := &fields{m: m}
	if !ok && v != nil {
		f.err = malformed("there is no map")
	}
	return f
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Protocol, "read what another worker sent", format, args...)
}

func field[T any](f *fields, name string) T {
	v, there := f.m[name]
	out, ok := v.(T)
	if there && v != nil && !ok && f.err == nil {
		f.err = malformed("%q is a %T", name, v)
	}
	return out
}

func (f *fields) text(name string) string       { return field[string](f, name) }
func (f *fields) int(name string) int64         { return field[int64](f, name) }
func (f *fields) bool(name string) bool         { return field[bool](f, name) }
func (f *fields) bytes(name string) []byte      { return field[[]byte](f, name) }
func (f *fields) list(name string) wire.List    { return field[wire.List](f, name) }
func (f *fields) flags(name string) mail.Flags  { return field[mail.Flags](f, name) }
func (f *fields) keys(name string) mail.KeySet  { return field[mail.KeySet](f, name) }
func (f *fields) metas(name string) []mail.Meta { return field[[]mail.Meta](f, name) }

func (f *fields) mark(name string) mail.Mark {
	text := f.text(name)
	m, ok := mail.ParseMark(text)
	if !ok && f.err == nil {
		f.err = malformed("%q is no mark", text)
	}
	return m
}

func (f *fields) fault(name string) error {
	if e := field[*fault.Error](f, name); e != nil {
		return e
	}
	return nil
}

// ref reads the folder that a call is about.
func (f *fields) ref() mail.Ref { return mail.Ref{Name: f.text("folder"), Epoch: f.text("epoch")} }

// putRef writes it.
func putRef(m wire.Map, ref mail.Ref) wire.Map {
	m["folder"], m["epoch"] = ref.Name, ref.Epoch
	return m
}
