package repository

import (
	"context"
	"sync"

	"github.com/imapfw/imapfw/host/endpoint"
)

// leases say who may deliver to a folder. A lease begins with Reserve, or with
// the first Deliver, and ends with the Commit or Abort after which its holder
// has nothing more under way there. What a holder leaves behind who goes away is
// ended by the border in front of it (endpoint.Serve), and so is the lease.
type leases struct {
	mu     sync.Mutex
	held   map[string]*lease
	closed []*closing // folders that nobody may begin to deliver to
}

type lease struct {
	all    *leases
	folder string
	holder *endpoint.Caller // nil: somebody in front of every border
	member *member          // the endpoint that takes the deliveries, once it is known
	over   chan struct{}    // closed when the lease ends

	reserved bool
	n        int // messages reserved for
	ended    int // of them, aborted
	under    int // calls under way, and deliveries that are not ended
}

func newLeases() *leases { return &leases{held: map[string]*lease{}} }

// enter returns the lease of a folder for whoever calls, waiting for somebody
// else's to end, and counts one thing under way.
func (ls *leases) enter(ctx context.Context, folder string) (*lease, error) {
	who := endpoint.CallerOf(ctx)
	for {
		ls.mu.Lock()
		l, c := ls.held[folder], ls.closedTo(who, folder)
		if l == nil && c == nil {
			l = &lease{all: ls, folder: folder, holder: who, over: make(chan struct{}), under: 1}
			ls.held[folder] = l
			ls.mu.Unlock()
			return l, nil
		}
		if l != nil && l.holder == who { // also where it is closed: let it come to its end
			l.under++
			ls.mu.Unlock()
			return l, nil
		}
		var over chan struct{}
		if l != nil {
			over = l.over
		} else {
			over = c.over
		}
		ls.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// mine returns the lease of a folder if whoever calls holds it, and counts one
// thing under way.
func (ls *leases) mine(ctx context.Context, folder string) *lease {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.held[folder]
	if l == nil || l.holder != endpoint.CallerOf(ctx) {
		return nil
	}
	l.under++
	return l
}

// leave notes that things under way have ended, and ends the lease with the
// last one.
func (l *lease) leave(count int, note func()) {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.under -= count
	if note != nil {
		note()
	}
	if l.reserved && l.n > 0 && l.ended >= l.n {
		l.reserved = false
	}
	if l.under <= 0 && !l.reserved {
		l.end()
	}
}

// end ends the lease. It may be called more than once. The lock is held.
func (l *lease) end() {
	if l.all.held[l.folder] == l {
		delete(l.all.held, l.folder)
		close(l.over)
	}
}

// drop ends all of them.
func (ls *leases) drop() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.held {
		l.end()
	}
}
