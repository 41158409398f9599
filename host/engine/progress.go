package engine

import (
	"sync"

	"github.com/imapfw/imapfw/host/wire"
)

// progress adds up what is being copied and tells it after every batch.
type progress struct {
	mu                 sync.Mutex
	done, total, bytes int64
	emit               func(name string, data wire.Value)
}

func (p *progress) expect(messages int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = p.done + int64(messages)
	p.tell("")
}

func (p *progress) add(folder string, messages int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += int64(messages)
	p.bytes += bytes
	p.tell(folder)
}

func (p *progress) tell(folder string) {
	p.emit("progress", wire.Map{"folder": folder, "done": p.done, "total": p.total, "bytes": p.bytes})
}
