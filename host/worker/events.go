package worker

import (
	"log/slog"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// maxProgress is how many events may wait before "progress" is dropped. Nothing
// else ever is.
const maxProgress = 1024

// pump carries events and exits from the workers to those who listen, in order,
// on one goroutine. Adding never blocks.
type pump struct {
	onEvent func(Event)
	exits   chan Exit
	log     *slog.Logger

	mu     sync.Mutex
	queue  []any // Event or Exit
	bell   bell
	closed chan struct{}
}

// maxExits is how many exits are kept for a reader that comes late, or never.
const maxExits = 1024

func newPump(onEvent func(Event), log *slog.Logger) *pump {
	return &pump{onEvent: onEvent, exits: make(chan Exit, maxExits), log: log, closed: make(chan struct{})}
}

func (p *pump) event(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Name == "progress" && len(p.queue) >= maxProgress {
		return
	}
	p.queue = append(p.queue, e)
	p.bell.ring()
}

func (p *pump) exit(e Exit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, e)
	p.bell.ring()
}

// close makes run end when the queue is empty.
func (p *pump) close() { close(p.closed) }

// run delivers until close, then what is left. A listener that panics loses
// that event only.
func (p *pump) run() {
	defer close(p.exits)
	for {
		p.mu.Lock()
		queue, ring := p.queue, p.bell.wait()
		p.queue = nil
		p.mu.Unlock()
		for _, item := range queue {
			p.deliver(item)
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-ring:
		case <-p.closed:
			p.mu.Lock()
			empty := len(p.queue) == 0
			p.mu.Unlock()
			if empty {
				return
			}
		}
	}
}

func (p *pump) deliver(item any) {
	switch item := item.(type) {
	case Event:
		if p.onEvent == nil {
			return
		}
		err := Guard("listen to events", func() error { p.onEvent(item); return nil })
		if err != nil {
			p.log.Error("event lost", "worker", item.Worker, "event", item.Name, "error", err)
		}
	case Exit:
		select {
		case p.exits <- item:
			return
		default:
		}
		select {
		case p.exits <- item:
		case <-p.closed:
			p.log.Error("exit lost: nobody reads them", "worker", item.Worker, "error", item.Err)
		}
	}
}

// outlet is one worker's way to the pump. Where calls are handled one at a time
// it keeps what is emitted inside Handle until after it, so that a listener
// never sees a worker in the middle of a call.
type outlet struct {
	worker string
	pump   *pump
	strict bool
	holds  bool

	mu       sync.Mutex
	handling bool
	held     []Event
}

func (o *outlet) emit(name string, data wire.Value) {
	var err error
	if o.strict {
		data, err = wire.CloneAs("event", data)
	} else {
		err = wire.CheckAs("event", data)
	}
	if err != nil {
		o.pump.log.Error("event lost", "worker", o.worker, "event", name, "code", fault.CodeOf(err), "error", err)
		return
	}
	e := Event{Worker: o.worker, Name: name, Data: data}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.handling && name != "progress" && name != "log" {
		o.held = append(o.held, e)
		return
	}
	o.pump.event(e)
}

func (o *outlet) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handling = o.holds
}

func (o *outlet) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.holds {
		return
	}
	o.handling = false
	for _, e := range o.held {
		o.pump.event(e)
	}
	o.held = nil
}
