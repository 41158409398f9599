package endpoint

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// RetryOptions say how often and how soon.
type RetryOptions struct {
	Tries int           // in all; 0 means 4
	Wait  time.Duration // before the second try; 0 means 500 ms. Doubled for each further one
	Most  time.Duration // between two tries; 0 means 30 s
	// Asked is the longest time that is waited because the other end asks for
	// it; one that asks for more is not tried again. 0 means two minutes.
	Asked time.Duration
	// Told is called before each further try; nil: nobody is.
	Told func(op Op, folder string, try int, err error)
	// Waits is called with how long it waits before it; nil: nobody is.
	Waits func(op Op, folder string, wait time.Duration, err error)
	// Draining is closed when nothing is to be waited for any more. nil never is.
	Draining <-chan struct{}
}

// Retry returns a Store that tries again what failed for a reason that may pass,
// where doing it twice is the same as doing it once: listing and describing;
// reading, where nothing was handed out yet or for the messages that were not;
// reserving; flags; creating and subscribing a folder; reading and writing the
// stamp. Deliveries, commits, moves, removals and new names of
// folders are never repeated: an answer
// that got lost says nothing about what was done.
func Retry(inner driver.Store, o RetryOptions) driver.Store {
	if o.Tries <= 0 {
		o.Tries = 4
	}
	if o.Wait <= 0 {
		o.Wait = 500 * time.Millisecond
	}
	if o.Most <= 0 {
		o.Most = 30 * time.Second
	}
	if o.Asked <= 0 {
		o.Asked = 2 * time.Minute
	}
	r := &retry{o: o}
	r.around = around{Store: inner, run: r.run}
	return r
}

type retry struct {
	around
	o RetryOptions
}

// safe reports whether a call may be repeated as a whole, after what it did.
func safe(c *call) bool {
	switch c.op {
	case OpOpen, OpFolders, OpReserve, OpCreateFolder, OpSubscribe, OpStamp, OpSetStamp:
		return true
	case OpChanges:
		return c.items == 0
	case OpChange:
		for _, one := range c.cs {
			if one.Op != mail.ChangeFlags {
				return false
			}
		}
		return true
	}
	return false
}

func (r *retry) run(ctx context.Context, c *call, do func() error) error {
	return r.repeat(ctx, c, do, func() bool { return safe(c) })
}

// repeat calls do until it succeeds, fails for good, or was tried often enough.
func (r *retry) repeat(ctx context.Context, c *call, do func() error, may func() bool) error {
	wait := r.o.Wait
	for try := 1; ; try++ {
		err := do()
		asked := fault.AfterOf(err)
		if err == nil || try >= r.o.Tries || ctx.Err() != nil || !fault.IsTemporary(err) || asked > r.o.Asked || !may() {
			return err
		}
		if _, partial := driver.AsPartial(err); partial {
			return err
		}
		if r.o.Told != nil {
			r.o.Told(c.op, c.folder, try+1, err)
		}
		// Between half of it and all of it: those that failed together do not
		// come back together.
		pause := max(wait/2+rand.N(wait/2+1), asked)
		if r.o.Waits != nil {
			r.o.Waits(c.op, c.folder, pause, err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		case <-r.o.Draining:
			t.Stop()
			return err
		}
		wait = min(2*wait, r.o.Most)
	}
}

// Describe goes on with the messages that were not described yet.
func (r *retry) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	left, ours := newRemainder(keys), error(nil)
	return r.repeat(ctx, &call{op: OpDescribe, folder: ref.Name}, func() error {
		return r.Store.Describe(ctx, ref, left.keys(), want, func(ds []mail.Description) error {
			for _, d := range ds {
				left.done(d.Key)
			}
			ours = fn(ds)
			return ours
		})
	}, func() bool { return ours == nil })
}

// Bodies goes on with the messages that were not handed out yet. One whose
// content broke is the callee's, who has seen it break.
func (r *retry) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	left, ours := newRemainder(keys), error(nil)
	return r.repeat(ctx, &call{op: OpBodies, folder: ref.Name}, func() error {
		return r.Store.Bodies(ctx, ref, left.keys(), func(m mail.Meta, body mail.Body) error {
			left.done(m.Key)
			ours = fn(m, body)
			return ours
		})
	}, func() bool { return ours == nil })
}

// remainder is what is left of a set of keys that are handed out in order.
type remainder struct {
	all  mail.KeySet
	seen mail.KeySet
}

func newRemainder(keys mail.KeySet) *remainder { return &remainder{all: keys} }

func (r *remainder) done(k mail.Key) { r.seen.Add(k) }

func (r *remainder) keys() mail.KeySet {
	if r.seen.Empty() {
		return r.all
	}
	var left mail.KeySet
	for k := range r.all.All() {
		if !r.seen.Contains(k) {
			left.Add(k)
		}
	}
	return left
}
