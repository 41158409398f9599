package repository

import (
	"context"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
)

// closing keeps everybody from beginning to deliver to folders, and to those
// below them, while they are renamed or removed: what was delivered to the old
// name would be lost, or in the wrong place.
type closing struct {
	folders []string
	over    chan struct{} // closed when they are open again
}

func (c *closing) covers(folder string) bool {
	return slices.ContainsFunc(c.folders, func(top string) bool { return within(folder, top) })
}

// within reports whether a folder is another one or below it.
func within(folder, top string) bool {
	return folder == top || strings.HasPrefix(folder, top+"/")
}

// closedTo returns what keeps somebody out of a folder, or nil. Whoever delivers
// to one of the closed folders already is let into the others, lest each waits
// for the other. The lock is held.
func (ls *leases) closedTo(who *endpoint.Caller, folder string) *closing {
	for _, c := range ls.closed {
		if c.covers(folder) && ls.under(c, func(l *lease) bool { return l.holder == who }) == nil {
			return c
		}
	}
	return nil
}

// under returns a lease of one of the folders, or nil. The lock is held.
func (ls *leases) under(c *closing, is func(*lease) bool) *lease {
	for _, l := range ls.held {
		if c.covers(l.folder) && is(l) {
			return l
		}
	}
	return nil
}

// close closes folders, and waits for the deliveries that are under way there.
// Whoever calls must have none of his own.
func (ls *leases) close(ctx context.Context, folders ...string) (open func(), err error) {
	who := endpoint.CallerOf(ctx)
	c := &closing{folders: folders, over: make(chan struct{})}
	closed := false
	for {
		over, err := ls.tryClose(c, who, &closed)
		if over == nil {
			return func() { ls.open(c) }, err
		}
		select {
		case <-over:
		case <-ctx.Done():
			if closed {
				ls.open(c)
			}
			return nil, context.Cause(ctx)
		}
	}
}

// tryClose returns what has to be waited for, or nil when the folders are closed
// and nobody delivers to them.
func (ls *leases) tryClose(c *closing, who *endpoint.Caller, closed *bool) (over chan struct{}, err error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.under(c, func(l *lease) bool { return l.holder == who }); l != nil {
		return nil, fault.New(fault.Busy, "", "messages are being delivered to it").InFolder(l.folder)
	}
	if !*closed {
		for _, other := range ls.closed {
			if slices.ContainsFunc(c.folders, other.covers) || slices.ContainsFunc(other.folders, c.covers) {
				return other.over, nil
			}
		}
		ls.closed, *closed = append(ls.closed, c), true
	}
	if l := ls.under(c, func(*lease) bool { return true }); l != nil {
		return l.over, nil
	}
	return nil, nil
}

// open lets everybody in again.
func (ls *leases) open(c *closing) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if n := len(ls.closed); n > 0 {
		if ls.closed = slices.DeleteFunc(ls.closed, func(other *closing) bool { return other == c }); len(ls.closed) < n {
			close(c.over)
		}
	}
}
