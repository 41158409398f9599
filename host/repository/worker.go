package repository

import (
	"context"
	"strconv"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is the kind of worker that a repository is, for the registry.
const Kind = "repository"

// Params describe a repository as plain data.
type Params struct {
	// Endpoint is what every endpoint is made of.
	Endpoint endpoint.Params
	// Controllers stand in front of the whole repository, the outermost first.
	Controllers []endpoint.Controller
	// See Options.
	Endpoints, Ranges int
}

// Map returns the parameters as those of a worker.Spec.
func (p Params) Map() wire.Map {
	return wire.Map{
		"endpoint":    p.Endpoint.Map(),
		"controllers": endpoint.EncodeControllers(p.Controllers),
		"endpoints":   int64(p.Endpoints), "ranges": int64(p.Ranges),
	}
}

// ParseParams reads what Map wrote.
func ParseParams(m wire.Map) (Params, error) {
	var p Params
	inner, ok := m["endpoint"].(wire.Map)
	if !ok {
		return p, fault.New(fault.Config, "", "a repository needs an endpoint")
	}
	var err error
	if p.Endpoint, err = endpoint.ParseParams(inner); err != nil {
		return p, err
	}
	if p.Controllers, err = endpoint.DecodeControllers(m["controllers"]); err != nil {
		return p, err
	}
	for name, to := range map[string]*int{"endpoints": &p.Endpoints, "ranges": &p.Ranges} {
		n, ok := m[name].(int64)
		if m[name] != nil && !ok {
			return p, fault.New(fault.Config, "", "%s is a %T", name, m[name])
		}
		*to = int(n)
	}
	return p, nil
}

// Factory makes repositories as workers. Each spawns its endpoints, of the kind
// endpoint.Kind, beside itself: "far" has "far/1", "far/2" and so on.
func Factory(b endpoint.Builders) worker.Factory {
	return func(env worker.Env) (worker.Worker, error) {
		p, err := ParseParams(env.Spec.Params)
		if err != nil {
			return nil, err
		}
		var store driver.Store = New(func(ctx context.Context, n int) (driver.Store, error) {
			ch, err := env.Spawn(ctx, worker.Spec{
				Name: strconv.Itoa(n), Kind: endpoint.Kind, Params: p.Endpoint.Map(),
			})
			if err != nil {
				return nil, err
			}
			return &child{endpoint.Proxy(ch), ch}, nil
		}, Options{Endpoints: p.Endpoints, Readers: p.Endpoint.Readers, Writers: p.Endpoint.Writers, Ranges: p.Ranges, Log: env.Log})
		if store, err = b.Wrap(env, p.Controllers, store); err != nil {
			return nil, err
		}
		return endpoint.NewWorker(store), nil
	}
}

// child is an endpoint that the repository has spawned, and stops.
type child struct {
	driver.Store
	ch worker.Channel
}

func (c *child) Unwrap() driver.Store { return c.Store }

// stopTime is how long an endpoint may take to close its connections.
const stopTime = 10 * time.Second

func (c *child) Close() error {
	err := c.Store.Close()
	if s, ok := c.ch.(worker.Stopper); ok {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if stopped := s.Stop(ctx); err == nil {
			err = stopped
		}
	}
	return err
}
