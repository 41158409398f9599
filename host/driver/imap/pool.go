package imap

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// crowded is for how long no further connection is tried after the server took
// none, although others of ours stand.
const crowded = time.Minute

// pool lends sessions, at most so many at a time. When the server takes fewer,
// it lends those there are.
type pool struct {
	dial    func(context.Context) (*session, error)
	tickets chan struct{} // one for each session that is lent
	streams chan struct{} // one for each session that streams to a callback
	closed  chan struct{}
	log     *slog.Logger

	mu      sync.Mutex
	idle    []*session // the one used last is last
	lent    map[*session]struct{}
	changed chan struct{} // closed when a session is given back
	full    time.Time     // until when no connection is tried
	off     bool
}

func newPool(size int, log *slog.Logger, dial func(context.Context) (*session, error)) *pool {
	return &pool{
		dial:    dial,
		tickets: make(chan struct{}, size),
		streams: make(chan struct{}, size-1),
		closed:  make(chan struct{}),
		log:     log,
		lent:    map[*session]struct{}{},
		changed: make(chan struct{}),
	}
}

// borrow lends a session, if possible one that has the folder selected. fresh
// reports that the connection was made for this call.
func (p *pool) borrow(ctx context.Context, folder string) (s *session, fresh bool, err error) {
	for {
		if p.isClosed() {
			return nil, false, errClosed()
		}
		if err := context.Cause(ctx); err != nil {
			return nil, false, err
		}
		select {
		case p.tickets <- struct{}{}:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		case <-p.closed:
			return nil, false, errClosed()
		}
		s, wait := p.take(folder)
		if s != nil {
			return s, false, nil
		}
		if wait == nil {
			s, err := p.dial(ctx)
			if err == nil {
				if p.lend(s) {
					return s, true, nil
				}
				s.close()
				err = errClosed()
			}
			if wait = p.crowd(ctx, err); wait == nil {
				<-p.tickets
				return nil, false, err
			}
		}
		<-p.tickets
		select {
		case <-wait:
		case <-ctx.Done():
		case <-p.closed:
		}
	}
}

// crowd decides whether a connection that was not made is worth an error: while
// others stand, somebody gives one back. Then it returns the channel to wait on.
func (p *pool) crowd(ctx context.Context, err error) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil || p.off || len(p.lent) == 0 {
		return nil
	}
	p.full = time.Now().Add(crowded)
	p.log.Warn("the server takes no further connection; going on with fewer", "connections", len(p.lent), "error", err)
	return p.changed
}

// take returns the idle session that suits a folder best, and drops dead ones.
// Without one it returns the channel to wait on, or neither when it is time to
// make a connection.
func (p *pool) take(folder string) (s *session, wait <-chan struct{}) {
	var dead []*session
	defer func() {
		for _, s := range dead {
			s.close()
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(s *session) bool {
		if s.alive() {
			return false
		}
		dead = append(dead, s)
		return true
	})
	best := -1
	for i := range p.idle {
		if best < 0 || p.idle[i].suits(folder) >= p.idle[best].suits(folder) {
			best = i
		}
	}
	switch {
	case best >= 0:
		s = p.idle[best]
		p.idle = slices.Delete(p.idle, best, best+1)
		p.lent[s] = struct{}{}
	case len(p.lent) > 0 && time.Now().Before(p.full):
		wait = p.changed
	}
	return s, wait
}

func (p *pool) lend(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.off {
		p.lent[s] = struct{}{}
	}
	return !p.off
}

// giveBack ends a loan.
func (p *pool) giveBack(s *session) {
	p.mu.Lock()
	delete(p.lent, s)
	keep := !p.off && s.alive()
	if keep {
		s.used = time.Now()
		p.idle = append(p.idle, s)
	}
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if !keep {
		s.close()
	}
	<-p.tickets
}

// stream reports whether the caller may keep its session while it waits for
// somebody else; if so, it calls endStream afterwards.
func (p *pool) stream() bool {
	p.mu.Lock()
	full := time.Now().Before(p.full)
	p.mu.Unlock()
	if full {
		return false
	}
	select {
	case p.streams <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *pool) endStream() { <-p.streams }

// forget closes idle sessions that have one of the folders selected.
func (p *pool) forget(is func(folder string) bool) {
	var drop []*session
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(s *session) bool {
		if s.selected == nil || !is(s.selected.name) {
			return false
		}
		drop = append(drop, s)
		return true
	})
	p.mu.Unlock()
	for _, s := range drop {
		s.close()
	}
}

// close closes all sessions, those that are lent too, and waits until they are
// back.
func (p *pool) close() {
	p.mu.Lock()
	first := !p.off
	p.off = true
	all := p.idle
	p.idle = nil
	for s := range p.lent {
		all = append(all, s)
	}
	p.mu.Unlock()
	if first {
		close(p.closed)
	}
	var closing sync.WaitGroup
	for _, s := range all {
		closing.Go(s.close)
	}
	closing.Wait()
	for range cap(p.tickets) {
		p.tickets <- struct{}{}
	}
	for range cap(p.tickets) {
		<-p.tickets
	}
}

func (p *pool) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

func errClosed() error { return fault.New(fault.Stopped, "", "the store is closed") }
