package luaapi

import (
	"maps"
	"sync"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// reports keeps the last report of each engine, and passes events on.
type reports struct {
	onEvent func(worker.Event)

	mu       sync.Mutex
	byWorker map[string]wire.Map
}

func (r *reports) event(e worker.Event) {
	if m, ok := e.Data.(wire.Map); ok && e.Name == "report" {
		r.mu.Lock()
		r.byWorker[e.Worker] = m
		r.mu.Unlock()
	}
	if r.onEvent != nil {
		r.onEvent(e)
	}
}

// of returns the last report of an engine, nil when there is none.
func (r *reports) of(worker string) wire.Map {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byWorker[worker]
}

func (r *reports) all() map[string]wire.Map {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.byWorker)
}
