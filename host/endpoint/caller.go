package endpoint

import (
	"context"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// releaseTime is how long it may take to give back what a caller left behind.
const releaseTime = 10 * time.Second

// Caller tells the callers of a Store apart, where that matters: for who has the
// lease of a folder. Serve puts it into the context of the writing half.
type Caller struct {
	mu    sync.Mutex
	gone  bool
	last  int
	hooks map[int]func()
}

type callerKey struct{}

func withCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns who is calling, nil when the call came through no border.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// OnGone has f called when the caller is done or has gone away: at once if it
// has already. What it returns takes f back.
func (c *Caller) OnGone(f func()) (forget func()) {
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		f()
		return func() {}
	}
	defer c.mu.Unlock()
	if c.hooks == nil {
		c.hooks = map[int]func(){}
	}
	c.last++
	n := c.last
	c.hooks[n] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.hooks, n)
	}
}

func (c *Caller) leave() {
	c.mu.Lock()
	hooks := c.hooks
	c.gone, c.hooks = true, nil
	c.mu.Unlock()
	for _, f := range hooks {
		f()
	}
}

// caller is what the serving side knows of somebody who is writing: the
// deliveries and reservations that end when the caller goes away.
type caller struct {
	id    int64
	store driver.Store
	who   *Caller

	mu         sync.Mutex
	gone       bool
	last       int64
	deliveries map[int64]driver.Delivery
	reserved   map[string]bool
}

func (c *caller) noteReserved(folder string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reserved == nil {
		c.reserved = map[string]bool{}
	}
	c.reserved[folder] = true
}

// keep numbers a delivery. One that comes too late is aborted.
func (c *caller) keep(d driver.Delivery) (int64, error) {
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		d.Abort()
		return 0, fault.New(fault.Stopped, "deliver", "the caller is gone")
	}
	defer c.mu.Unlock()
	if c.deliveries == nil {
		c.deliveries = map[int64]driver.Delivery{}
	}
	c.last++
	c.deliveries[c.last] = d
	return c.last, nil
}

// take gives deliveries out of the record, to be ended by who asked; folder is
// no longer reserved when it is named.
func (c *caller) take(folder string, numbers []int64) ([]driver.Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.reserved, folder)
	out := make([]driver.Delivery, len(numbers))
	for i, n := range numbers {
		d := c.deliveries[n]
		if d == nil {
			return nil, fault.New(fault.Internal, "commit", "delivery %d is not known", n).InFolder(folder)
		}
		out[i] = d
	}
	for _, n := range numbers {
		delete(c.deliveries, n)
	}
	return out, nil
}

// release aborts the deliveries that are left and gives the reservations back.
func (c *caller) release() {
	c.mu.Lock()
	left, reserved := c.deliveries, c.reserved
	c.gone, c.deliveries, c.reserved = true, nil, nil
	c.mu.Unlock()
	for _, d := range left {
		d.Abort()
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	for folder := range reserved {
		// Nobody is left to be told: what fails here ends with the Store.
		_, _ = c.store.Commit(withCaller(ctx, c.who), mail.Ref{Name: folder}, nil)
	}
	c.who.leave()
}

func (c *caller) reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	r, err := c.store.Reserve(withCaller(ctx, c.who), ref, n)
	if err == nil {
		c.noteReserved(ref.Name)
	}
	return r, err
}

func (c *caller) commit(ctx context.Context, ref mail.Ref, numbers []int64) ([]mail.Placed, error) {
	ds, err := c.take(ref.Name, numbers)
	if err != nil {
		return nil, err
	}
	return c.store.Commit(withCaller(ctx, c.who), ref, ds)
}

// abort ends deliveries, if they are not ended yet.
func (c *caller) abort(numbers ...int64) {
	var left []driver.Delivery
	c.mu.Lock()
	for _, n := range numbers {
		if d := c.deliveries[n]; d != nil {
			left = append(left, d)
			delete(c.deliveries, n)
		}
	}
	c.mu.Unlock()
	abortAll(left)
}

func (c *caller) deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	return c.store.Deliver(withCaller(ctx, c.who), ref, m, body)
}
