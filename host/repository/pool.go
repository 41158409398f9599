package repository

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
)

// half is one of the two halves of an endpoint.
type half int

const (
	reading half = iota
	writing
)

// growPause is how long no further endpoint is tried after one could not be
// opened.
const growPause = time.Minute

// member is one endpoint of the pool.
type member struct {
	store driver.Store
	busy  [2]int    // calls running, by half
	used  [2]uint64 // when a half was taken last
}

// pool hands out turns on endpoints. Whoever waits is served in order of
// arrival, but nobody waits behind somebody who needs another endpoint.
type pool struct {
	make   Make
	opt    Options
	limits [2]int

	mu      sync.Mutex
	members []*member
	growing int
	numbers map[int]bool // of endpoints that are there or being opened
	wait    time.Time    // no growth before
	closed  bool
	tick    uint64
	last    [2]map[string]*member // who served a folder last, by half
	waiting []*waiter
}

type waiter struct {
	half   half
	folder string
	only   *member
	got    chan *member // capacity 1
}

func newPool(make Make, opt Options) *pool {
	return &pool{make: make, opt: opt, limits: [2]int{opt.Readers, opt.Writers}, closed: true,
		numbers: map[int]bool{}, last: [2]map[string]*member{{}, {}}}
}

func (p *pool) open(ctx context.Context) error {
	p.mu.Lock()
	p.closed = false
	p.growing++
	p.mu.Unlock()
	_, err := p.grow(ctx)
	return err
}

// close closes every endpoint and returns the first error. No call is left.
func (p *pool) close() error {
	p.mu.Lock()
	members := p.members
	p.members, p.closed, p.wait, p.numbers = nil, true, time.Time{}, map[int]bool{}
	p.last = [2]map[string]*member{{}, {}}
	p.mu.Unlock()
	var first error
	for _, m := range slices.Backward(members) {
		if err := m.store.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (p *pool) first() driver.Store {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.members) == 0 {
		return nil
	}
	return p.members[0].store
}

// take waits for a turn in a half: on one endpoint only where that is given,
// else on the best one for the folder.
func (p *pool) take(ctx context.Context, h half, folder string, only *member) (*member, error) {
	p.mu.Lock()
	if m := p.pick(h, folder, only); m != nil {
		p.mu.Unlock()
		return m, nil
	}
	grow := only == nil && !p.closed && len(p.members)+p.growing < p.opt.Endpoints && !time.Now().Before(p.wait)
	if grow {
		p.growing++
	}
	w := &waiter{h, folder, only, make(chan *member, 1)}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	if grow {
		// Whoever needs the new endpoint opens it; a turn that becomes free
		// meanwhile is kept for it all the same.
		if _, err := p.grow(ctx); err != nil && ctx.Err() == nil {
			p.opt.Log.Warn("no further endpoint", "error", err)
		}
	}
	select {
	case m := <-w.got:
		return m, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
	p.mu.Unlock()
	select {
	case m := <-w.got: // it was ours a moment before
		p.give(m, h)
	default:
	}
	return nil, context.Cause(ctx)
}

// tryTake returns a turn on an endpoint that is free right now, or nil.
func (p *pool) tryTake(h half, folder string) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		return nil
	}
	return p.pick(h, folder, nil)
}

// wanted reports whether somebody waits for a turn.
func (p *pool) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) > 0
}

// pick finds an endpoint with a turn free and takes it. p.mu is held.
func (p *pool) pick(h half, folder string, only *member) *member {
	var best *member
	for _, m := range p.members {
		switch {
		case only != nil && m != only || m.busy[h] >= p.limits[h]:
		case best == nil || p.better(h, folder, m, best):
			best = m
		}
	}
	if best == nil {
		return nil
	}
	p.tick++
	best.busy[h]++
	best.used[h] = p.tick
	if folder != "" {
		p.last[h][folder] = best
	}
	return best
}

// better prefers the endpoint that has served the folder, then one that does
// nothing at all, then the one whose turn is longest ago.
func (p *pool) better(h half, folder string, a, b *member) bool {
	score := func(m *member) int {
		switch {
		case folder != "" && p.last[h][folder] == m:
			return 0
		case m.busy[reading]+m.busy[writing] == 0:
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(score(a), score(b)), cmp.Compare(a.used[h], b.used[h])) < 0
}

// give returns a turn and passes what is free to those who wait.
func (p *pool) give(m *member, h half) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.busy[h]--
	p.serve()
}

// serve hands out turns in the order of arrival. p.mu is held.
func (p *pool) serve() {
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		m := p.pick(w.half, w.folder, w.only)
		if m != nil {
			w.got <- m
		}
		return m != nil
	})
}

// grow makes and opens one more endpoint; p.growing was counted up for it.
func (p *pool) grow(ctx context.Context) (m *member, err error) {
	p.mu.Lock()
	n := 1
	for p.numbers[n] {
		n++
	}
	p.numbers[n] = true
	p.mu.Unlock()
	store, err := p.make(ctx, n)
	if err == nil {
		err = store.Open(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.growing--
	if err != nil {
		p.wait = time.Now().Add(growPause)
		delete(p.numbers, n)
		return nil, err
	}
	if p.closed {
		_ = store.Close()
		return nil, fault.New(fault.Stopped, "", "the repository was closed")
	}
	m = &member{store: store}
	p.members = append(p.members, m)
	p.serve()
	return m, nil
}
