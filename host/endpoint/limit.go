package endpoint

import (
	"context"

	"golang.org/x/sync/semaphore"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// limit lets so many calls of each half of a Store run at once. Reading and
// writing never wait for each other: of two engines that copy in opposite
// directions, each reads where the other writes.
type limit struct {
	driver.Store
	read, write *semaphore.Weighted
}

// Limit returns a Store that runs so many calls of its reading half and so many
// of its writing half at once; fewer than one is one. The others wait their
// turn. Reserve does not: it may itself wait for somebody's Commit.
func Limit(inner driver.Store, readers, writers int) driver.Store {
	return &limit{inner, semaphore.NewWeighted(int64(max(readers, 1))), semaphore.NewWeighted(int64(max(writers, 1)))}
}

func (l *limit) Unwrap() driver.Store { return l.Store }

// within runs do when its turn has come.
func within(ctx context.Context, turn *semaphore.Weighted, do func() error) error {
	if err := await(ctx, turn); err != nil {
		return err
	}
	defer turn.Release(1)
	return do()
}

// await returns when its turn has come. Mostly it has: only who has to wait asks the
// context for its channel, which costs more than the rest of a call.
func await(ctx context.Context, turn *semaphore.Weighted) error {
	if ctx.Err() == nil && turn.TryAcquire(1) {
		return nil
	}
	if turn.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (l *limit) Folders(ctx context.Context) (folders []mail.Folder, err error) {
	err = within(ctx, l.read, func() (err error) {
		folders, err = l.Store.Folders(ctx)
		return err
	})
	return folders, err
}

func (l *limit) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (res mail.Result, err error) {
	err = within(ctx, l.read, func() (err error) {
		res, err = l.Store.Changes(ctx, ref, since, fn)
		return err
	})
	return res, err
}

func (l *limit) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	return within(ctx, l.read, func() error { return l.Store.Describe(ctx, ref, keys, want, fn) })
}

func (l *limit) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	return within(ctx, l.read, func() error { return l.Store.Bodies(ctx, ref, keys, fn) })
}

func (l *limit) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (d driver.Delivery, err error) {
	err = within(ctx, l.write, func() (err error) {
		d, err = l.Store.Deliver(ctx, ref, m, body)
		return err
	})
	return d, err
}

func (l *limit) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) (placed []mail.Placed, err error) {
	ran := false
	err = within(ctx, l.write, func() (err error) {
		ran = true
		placed, err = l.Store.Commit(ctx, ref, ds)
		return err
	})
	if !ran {
		abortAll(ds)
	}
	return placed, err
}

func (l *limit) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) (outcomes []mail.Outcome, err error) {
	err = within(ctx, l.write, func() (err error) {
		outcomes, err = l.Store.Change(ctx, ref, cs)
		return err
	})
	return outcomes, err
}

// abortAll ends deliveries whose Commit was not reached: whoever commits has
// given them away.
func abortAll(ds []driver.Delivery) {
	for _, d := range ds {
		d.Abort()
	}
}
