package endpoint

import (
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is the kind of worker that an endpoint is, for the registry.
const Kind = "endpoint"

// DriverBuilder makes the driver of a kind from its options, which may hold
// secrets. It does no I/O.
type DriverBuilder func(env worker.Env, options wire.Map) (driver.Store, error)

// ControllerBuilder puts a controller of a kind around a Store. It does no I/O.
// Open and Close of the controller open and close the Store within.
type ControllerBuilder func(env worker.Env, options wire.Map, inner driver.Store) (driver.Store, error)

// Builders are the kinds of drivers and controllers that endpoints are made of.
// The command fills them in; this package knows no driver.
type Builders struct {
	Drivers     map[string]DriverBuilder
	Controllers map[string]ControllerBuilder
}

// Params describe an endpoint as plain data.
type Params struct {
	Driver  string   // kind
	Options wire.Map // of the driver
	// Controllers, the outermost first: it sees a request before the others.
	Controllers []Controller
	// Readers and Writers are how many calls of each half may run at once;
	// 0 is one.
	Readers, Writers int
}

// Controller names one controller of a chain.
type Controller struct {
	Kind    string
	Options wire.Map
}

// Map returns the parameters as those of a worker.Spec.
func (p Params) Map() wire.Map {
	return wire.Map{"driver": p.Driver, "options": p.Options, "controllers": EncodeControllers(p.Controllers),
		"readers": int64(p.Readers), "writers": int64(p.Writers)}
}

// EncodeControllers returns controllers as a value.
func EncodeControllers(list []Controller) wire.List {
	out := make(wire.List, len(list))
	for i, c := range list {
		out[i] = wire.Map{"kind": c.Kind, "options": c.Options}
	}
	return out
}

// DecodeControllers reads what EncodeControllers wrote; nil is none.
func DecodeControllers(v wire.Value) ([]Controller, error) {
	list, ok := v.(wire.List)
	if v != nil && !ok {
		return nil, malformed("controllers are a %T", v)
	}
	var out []Controller
	for _, one := range list {
		c := read(one)
		out = append(out, Controller{Kind: c.text("kind"), Options: field[wire.Map](c, "options")})
		if c.err != nil {
			return nil, c.err
		}
	}
	return out, nil
}

// ParseParams reads what Map wrote.
func ParseParams(m wire.Map) (Params, error) {
	f := read(m)
	p := Params{Driver: f.text("driver"), Options: field[wire.Map](f, "options"),
		Readers: int(f.int("readers")), Writers: int(f.int("writers"))}
	if f.err != nil {
		return Params{}, f.err
	}
	var err error
	p.Controllers, err = DecodeControllers(m["controllers"])
	return p, err
}

// Build makes the chain that parameters describe. It is not open yet.
func (b Builders) Build(env worker.Env, p Params) (driver.Store, error) {
	build := b.Drivers[p.Driver]
	if build == nil {
		return nil, fault.New(fault.Config, "", "there is no kind of store called %q", p.Driver)
	}
	store, err := build(env, p.Options)
	if err != nil {
		return nil, err
	}
	return b.Wrap(env, p.Controllers, Limit(store, p.Readers, p.Writers))
}

// Wrap puts controllers around a Store; the last of them is the innermost.
func (b Builders) Wrap(env worker.Env, controllers []Controller, store driver.Store) (driver.Store, error) {
	for _, c := range slices.Backward(controllers) {
		wrap := b.Controllers[c.Kind]
		if wrap == nil {
			return nil, fault.New(fault.Config, "", "there is no controller called %q", c.Kind)
		}
		var err error
		if store, err = wrap(env, c.Options, store); err != nil {
			return nil, err
		}
	}
	return store, nil
}

// Factory makes endpoints as workers.
func Factory(b Builders) worker.Factory {
	return func(env worker.Env) (worker.Worker, error) {
		p, err := ParseParams(env.Spec.Params)
		if err != nil {
			return nil, err
		}
		store, err := b.Build(env, p)
		if err != nil {
			return nil, err
		}
		return NewWorker(store), nil
	}
}

// Worker serves a Store that it owns: it opens the Store when it starts and
// closes it when it stops.
type Worker struct {
	*Server
	store driver.Store
}

var (
	_ worker.Worker     = (*Worker)(nil)
	_ worker.Concurrent = (*Worker)(nil)
)

// NewWorker returns a worker around a Store that is not open yet.
func NewWorker(store driver.Store) *Worker { return &Worker{Server: Serve(store), store: store} }

// Start opens the Store.
func (w *Worker) Start(ctx context.Context) error { return w.store.Open(ctx) }

// Stop aborts what callers left behind and closes the Store.
func (w *Worker) Stop(context.Context) error {
	w.Server.Close()
	return w.store.Close()
}
