package state

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is the kind of worker that NewWorker makes.
const Kind = "state"

// Params describes a state to NewWorker. With readOnly the worker reads it for
// a dry run.
func Params(o Options, readOnly bool) wire.Map {
	return wire.Map{
		"dir": o.Dir, "file": o.File, "account": o.Identity.Account,
		"far": encodePlace(o.Identity.Far), "near": encodePlace(o.Identity.Near), "read_only": readOnly,
	}
}

func encodePlace(p Place) wire.Value { return wire.List{p.Host, p.User, p.Path} }

// NewWorker is the factory of a worker that serves the DB its Params describe:
// it opens it in Start, so that a second instance is told before anything else
// begins, and closes it in Stop.
func NewWorker(env worker.Env) (worker.Worker, error) {
	opts := Options{Log: env.Log}
	p := env.Spec.Params
	c := &columns{left: wire.List{p["dir"], p["file"], p["account"], p["read_only"]}}
	opts.Dir, opts.File, opts.Identity.Account = c.text(), c.text(), c.text()
	readOnly := next[bool](c)
	for name, place := range map[string]*Place{"far": &opts.Identity.Far, "near": &opts.Identity.Near} {
		side := readColumns(p[name], 3)
		place.Host, place.User, place.Path = side.text(), side.text(), side.text()
		if c.err == nil {
			c.err = side.err
		}
	}
	if c.err != nil {
		return nil, fault.Wrap(fault.Config, "set up worker "+env.Spec.Name, c.err)
	}
	var store Store = New(opts)
	if readOnly {
		store = ReadOnly(store)
	}
	return &stateWorker{Server: Serve(store)}, nil
}

type stateWorker struct{ *Server }

func (w *stateWorker) Start(ctx context.Context) error { return w.store.Open(ctx) }
func (w *stateWorker) Stop(context.Context) error      { return w.store.Close() }
