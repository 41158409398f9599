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
// lease of a folder. Serve puts it into the context of the writing half, and
// ends what a caller has begun when the caller goes away.
type Caller struct{ _ byte } // of a size, so that no two are the same

type callerKey struct{}

func withCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns who is calling, nil when the call came through no border.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
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

// noteReserved reports whether the caller is still there to use a reservation.
func (c *caller) noteReserved(folder string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	if c.reserved == nil {
		c.reserved = map[string]bool{}
	}
	c.reserved[folder] = true
	return true
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
	for folder := range reserved {
		c.giveBack(folder)
	}
}

// giveBack ends a reservation without its caller. Nobody is left to be told:
// what fails here ends with the Store.
func (c *caller) giveBack(folder string) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	_, _ = c.store.Commit(withCaller(ctx, c.who), mail.Ref{Name: folder}, nil)
}

func (c *caller) reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	r, err := c.store.Reserve(withCaller(ctx, c.who), ref, n)
	if err != nil || c.noteReserved(ref.Name) {
		return r, err
	}
	c.giveBack(ref.Name)
	return mail.Reservation{}, fault.New(fault.Stopped, "reserve", "the caller is gone").InFolder(ref.Name)
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
