package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A Maildir has listed its folders in no time, and those that changed are most likely
// read in full, while a server takes a round trip to list its own, or as long as it
// needs to look through them. So they are read meanwhile. A reading that turns out to be
// another one than the plan of its folder needs (the folder was renamed, another
// option has it read from the start) is dropped.

// prefetch is a reading of the near side of a folder, made before the far side is known.
type prefetch struct {
	since mail.Cursor
	g     *gathering
	done  chan struct{} // closed when what follows is there
	res   mail.Result
	stale bool
	err   error
}

// errBrokenOff is the error of a reading until it has another one, or none.
var errBrokenOff = errors.New("the reading broke off")

// prefetches are the readings of a plan that is being made.
type prefetches struct {
	cancel context.CancelFunc
	group  errgroup.Group

	mu     sync.Mutex
	byName map[string]*prefetch // those that nobody has taken yet
}

// prefetching allows for readings before they are asked for. The function it returns
// ends what is still read, and waits for it.
func (e *Engine) prefetching() (planned func()) {
	ps := &prefetches{byName: map[string]*prefetch{}, cancel: func() {}}
	e.prefetches = ps
	return func() {
		ps.cancel()
		_ = ps.group.Wait() // each has its error
		e.prefetches = nil
	}
}

// take hands out the reading of a folder, once: what is read for a plan that fails is
// not what the next one reads.
func (ps *prefetches) take(folder string) *prefetch {
	if ps == nil {
		return nil
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	one := ps.byName[folder]
	delete(ps.byName, folder)
	return one
}

// prefetch begins to read the first near folders that have changed: a few, since what was
// read waits in memory for its plan. A script that is asked about folders is asked first.
func (e *Engine) prefetch(ctx context.Context, near map[string]*mail.Folder) {
	ps := e.prefetches
	if ps == nil || e.Hooks.OnFolder != nil {
		return
	}
	ctx, ps.cancel = context.WithCancel(ctx)
	ps.group.SetLimit(e.Lanes + 1)
	var todo []*prefetch
	for _, name := range slices.Sorted(maps.Keys(near)) {
		if len(todo) == 2*e.Lanes {
			break
		}
		k, known := e.known[name]
		f := near[name]
		p := pair{name: name, near: f, known: &k}
		if !known || e.leftOut(name) || !e.Once.chosen(name) || f.Hidden || f.Fault != "" || !f.Selectable() ||
			!e.fewFor(&p) || k.Open > 0 || k.Policy == "" || k.NearCursor == "" || still(f, k.NearEpoch, k.NearCursor) {
			continue
		}
		r := &reading{e: e, p: p}
		r.awaiting, r.early = true, true
		one := &prefetch{since: k.NearCursor, g: r.gather(state.Near), done: make(chan struct{}), err: errBrokenOff}
		ps.byName[name] = one
		todo = append(todo, one)
	}
	// One goroutine begins them, so that nobody waits for a free lane.
	guarded(&ps.group, "read near folders", func() error {
		for _, one := range todo {
			guarded(&ps.group, "read a near folder", func() error {
				defer close(one.done)
				one.res, one.stale, one.err = one.g.r.readSide(ctx, state.Near, one.since, one.g.add(ctx))
				return nil
			})
		}
		return nil
	})
}

// prefetched returns the reading that was begun for a side of a folder, where it is the
// one that is needed and went well.
func (r *reading) prefetched(ctx context.Context, side state.Side, since mail.Cursor) *prefetch {
	if side != state.Near {
		return nil
	}
	one := r.e.prefetches.take(r.p.name)
	if one == nil || !r.awaiting || r.p.was != nil || r.p.near != one.g.r.p.near || since != one.since {
		return nil
	}
	select {
	case <-one.done:
	case <-ctx.Done():
		return nil
	}
	if one.err != nil || one.g.r.unread[side] {
		return nil
	}
	one.g.r = r
	if one.g.came {
		r.e.news.tell()
	}
	return one
}
