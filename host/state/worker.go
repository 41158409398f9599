package state

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is the kind of worker that Factory makes, for the registry.
const Kind = "state"

// Worker serves a Store that it owns: it opens the Store when it starts, so that
// a second instance is told before any engine begins, and closes it when it stops.
type Worker struct{ *Server }

var (
	_ worker.Worker     = (*Worker)(nil)
	_ worker.Concurrent = (*Worker)(nil)
	_ worker.Factory    = Factory
)

// NewWorker returns a worker around a Store that is not open yet.
func NewWorker(s Store) *Worker { return &Worker{Serve(s)} }

// Start opens the Store.
func (w *Worker) Start(ctx context.Context) error { return w.store.Open(ctx) }

// Stop closes the Store.
func (w *Worker) Stop(context.Context) error { return w.store.Close() }

// Params describes a DB to Factory. With readOnly the worker reads it for a dry
// run.
func Params(o Options, readOnly bool) wire.Map {
	return wire.Map{
		"dir": o.Dir, "file": o.File, "account": o.Identity.Account,
		"far": encodePlace(o.Identity.Far), "near": encodePlace(o.Identity.Near), "read_only": readOnly,
	}
}

// ParseParams reads what Params wrote.
func ParseParams(m wire.Map) (o Options, readOnly bool, err error) {
	c := &columns{left: wire.List{m["dir"], m["file"], m["account"], m["read_only"]}}
	o.Dir, o.File, o.Identity.Account = c.text(), c.text(), c.text()
	readOnly = next[bool](c)
	if c.err != nil {
		return Options{}, false, c.err
	}
	if o.Identity.Far, err = decodePlace(m["far"]); err != nil {
		return Options{}, false, err
	}
	o.Identity.Near, err = decodePlace(m["near"])
	return o, readOnly, err
}

func encodePlace(p Place) wire.Value { return wire.List{p.Host, p.User, p.Path} }

func decodePlace(v wire.Value) (Place, error) {
	c := readColumns(v, 3)
	return Place{Host: c.text(), User: c.text(), Path: c.text()}, c.err
}

// Factory makes a worker that serves the DB its Params describe.
func Factory(env worker.Env) (worker.Worker, error) {
	opts, readOnly, err := ParseParams(env.Spec.Params)
	if err != nil {
		return nil, fault.Wrap(fault.Config, "set up worker "+env.Spec.Name, err)
	}
	opts.Log = env.Log
	var s Store = New(opts)
	if readOnly {
		s = ReadOnly(s)
	}
	return NewWorker(s), nil
}
