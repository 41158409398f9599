package endpoint

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
)

// FilterOptions say what is in sight. What is not is marked, never dropped: it
// exists, and is not taken for removed.
type FilterOptions struct {
	// Folders reports whether a folder is in sight; nil: all are. Its error is
	// kept as the folder's Fault.
	Folders func(ctx context.Context, f mail.Folder) (bool, error)
	// Messages says which messages are; nil: all are. A message about which it
	// gives no answer, because it vanished meanwhile, is hidden.
	Messages *predicate.Predicate
	// Keep makes Messages say which messages are kept near: the others are
	// marked Excluded instead of Hidden. There doubt keeps: a message about
	// which there is no answer is not excluded.
	Keep bool
	// Failed is told, with Keep, about a message that the predicate failed on,
	// and which is kept for that. nil ends the reading instead.
	Failed func(ctx context.Context, folder string, key mail.Key, err error) error
	// Call runs the functions of Messages; nil where it has none.
	Call func(ctx context.Context, id string, v *predicate.View) (bool, error)
	// Now is the clock for ages; nil means time.Now.
	Now func() time.Time
}

// filter marks what is out of sight, in Folders and Changes. Describe and Bodies
// answer for whatever they are asked.
type filter struct {
	driver.Store
	o FilterOptions
}

// Filter returns a Store that marks folders and messages as hidden.
//
// What the metas do not tell is asked for with Describe, in one call for each
// batch and after the reading: the Store's one connection may be in the middle
// of it. A predicate about ages gives another answer tomorrow, for messages that
// nobody has touched: with one, folders have no cursor, and Changes always reads
// the whole folder.
func Filter(inner driver.Store, o FilterOptions) driver.Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &filter{inner, o}
}

func (f *filter) Unwrap() driver.Store { return f.Store }

func (f *filter) timed() bool { return f.o.Messages != nil && f.o.Messages.Timed() }

func (f *filter) Folders(ctx context.Context) ([]mail.Folder, error) {
	folders, err := f.Store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	for i := range folders {
		one := &folders[i]
		if f.timed() {
			one.Cursor = ""
		}
		if f.o.Folders == nil {
			continue
		}
		keep, err := f.o.Folders(ctx, *one)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			one.Fault = err.Error()
		case !keep:
			one.Hidden = true
		}
	}
	return folders, nil
}

func (f *filter) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	if f.o.Messages == nil {
		return f.Store.Changes(ctx, ref, since, fn)
	}
	if f.timed() {
		since = ""
	}
	s := &sieve{f: f, ctx: ctx, ref: ref, now: f.o.Now(), fn: fn}
	defer s.spool.close()
	res, err := f.Store.Changes(ctx, ref, since, s.first)
	if err != nil {
		return mail.Result{}, err
	}
	s.ref.Epoch, res.Filtered = res.Epoch, res.Filtered || !f.o.Keep
	return res, s.spool.each(s.second)
}
