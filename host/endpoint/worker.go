package endpoint

import (
	"context"

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
	controllers := make(wire.List, len(p.Controllers))
	for i, c := range p.Controllers {
		controllers[i] = wire.Map{"kind": c.Kind, "options": c.Options}
	}
	return wire.Map{"driver": p.Driver, "options": p.Options, "controllers": controllers,
		"readers": int64(p.Readers), "writers": int64(p.Writers)}
}

// ParseParams reads what Map wrote.
func ParseParams(m wire.Map) (Params, error) {
	f := read(m)
	p := Params{Driver: f.text("driver"), Options: field[wire.Map](f, "options"),
		Readers: int(f.int("readers")), Writers: int(f.int("writers"))}
	for _, v := range f.list("controllers") {
		c := read(v)
		p.Controllers = append(p.Controllers, Controller{Kind: c.text("kind"), Options: field[wire.Map](c, "options")})
		if c.err != nil {
			return Params{}, c.err
		}
	}
	return p, f.err
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
	store = Limit(store, p.Readers, p.Writers)
	for i := len(p.Controllers) - 1; i >= 0; i-- {
		c := p.Controllers[i]
		wrap := b.Controllers[c.Kind]
		if wrap == nil {
			return nil, fault.New(fault.Config, "", "there is no controller called %q", c.Kind)
		}
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
