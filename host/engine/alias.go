package engine

import (
	"context"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// aliased is a store in which folders are known by the names they are about to
// get. A plan speaks of a renamed folder by its new name on both sides, while one
// of them still has the old one.
type aliased struct {
	driver.Store

	mu    sync.Mutex
	names map[string]string // new name to old name
}

func (a *aliased) Unwrap() driver.Store { return a.Store }

// call lets a folder be called by another name, from now on, until it is called
// by its own again.
func (a *aliased) call(folder, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil {
		a.names = map[string]string{}
	}
	if a.names[name] = folder; folder == name {
		delete(a.names, name)
	}
}

// clear lets all folders be called by their own names.
func (a *aliased) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.names)
}

func (a *aliased) name(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := a.names[name]; ok {
		return old
	}
	return name
}

func (a *aliased) ref(ref mail.Ref) mail.Ref {
	return mail.Ref{Name: a.name(ref.Name), Epoch: ref.Epoch}
}

func (a *aliased) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	return a.Store.Changes(ctx, a.ref(ref), since, fn)
}

func (a *aliased) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	return a.Store.Describe(ctx, a.ref(ref), keys, want, fn)
}

func (a *aliased) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	return a.Store.Bodies(ctx, a.ref(ref), keys, fn)
}

func (a *aliased) Reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	return a.Store.Reserve(ctx, a.ref(ref), n)
}

func (a *aliased) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	return a.Store.Deliver(ctx, a.ref(ref), m, body)
}

func (a *aliased) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	return a.Store.Commit(ctx, a.ref(ref), ds)
}

func (a *aliased) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	return a.Store.Change(ctx, a.ref(ref), cs)
}
