package engine

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Spool keeps messages that are about to be removed for good. A name that Write
// returned names the message after Sync, for as long as it is kept.
type Spool interface {
	Write(ctx context.Context, run int64, body mail.Body) (name string, err error)
	Sync(ctx context.Context) error
	// Open returns a message; the closer belongs to the caller.
	Open(name string) (io.Closer, mail.Body, error)
	// Prune makes room: what is older than before goes, and then the oldest, so
	// that need more octets fit into size. Where need is less than none, nothing more
	// comes, and sizes do not matter.
	Prune(before time.Time, size, need int64) error
}

// spooled reports whether what a step removes is kept for undo.
func (e *Engine) spooled(s *Step) bool {
	return e.Spool != nil && e.run != 0 && s.Op == OpRemove && !s.Expiry && s.To == ""
}

// pruneSpool makes room in the spool, while the run goes on to what keeps nothing. The
// function it returns waits for it; e.roomy is the same.
func (e *Engine) pruneSpool(need int64) (wait func() error) {
	e.roomy = func() error { return nil }
	if e.Spool != nil {
		var group errgroup.Group
		guarded(&group, "make room for undo", func() error {
			return e.Spool.Prune(time.Now().Add(-e.Policy.Undo.Keep), e.Policy.Undo.Size, need)
		})
		e.roomy = group.Wait
	}
	return e.roomy
}

// destroyed returns how many octets a plan removes for good, as far as their sizes are
// known; less than none where it removes nothing. What is more than the spool may hold is
// refused: nobody could undo it.
func (e *Engine) destroyed(plan *Plan) (need int64, _ error) {
	need = -1
	if e.Spool == nil {
		return need, nil
	}
	for _, s := range plan.Steps(OpRemove, "", 0) {
		if s.Expiry || s.To != "" {
			continue
		}
		for _, it := range s.items.all() {
			if placeholderItem(s, it) { // there is nothing in it to be kept
				continue
			}
			size := it.meta.Size
			if size <= 0 && it.row != nil {
				size = it.row.Size
			}
			need = max(need, 0) + max(size, 0)
		}
	}
	if size := e.Policy.Undo.Size; need > size {
		return need, fault.New(fault.Guard, "sync", "%d octets of mail would be removed for good, and undo keeps %d at most", need, size).
			WithHint("nothing was changed; undo = { size = ... } makes room, undo = false keeps nothing")
	}
	return need, nil
}

// keep writes the messages of a batch to the spool before they are removed, and
// tells the journal where they are. It returns the items that may be removed: a
// message that could not be kept stays where it is.
func (e *Engine) keep(ctx context.Context, fp *FolderPlan, s *Step, items []item) ([]item, error) {
	if err := e.roomy(); err != nil {
		return nil, err
	}
	var keys mail.KeySet
	for _, it := range items {
		if !placeholderItem(s, it) { // there is nothing in it to be kept
			keys.Add(it.meta.Key)
		}
	}
	kept := make(map[mail.Key]*keptMail, len(items))
	var linked []*keptMail // of which nobody has seen the header yet
	err := e.store(s.Side).Bodies(ctx, fp.refs[s.Side], keys, func(m mail.Meta, body mail.Body) error {
		tap, linker := headerTap{}, body.Reader
		body.Reader = tapped(body.Reader, &tap)
		if l, ok := linker.(mail.Linker); ok {
			body.Reader = tappedLink{body.Reader, l}
		}
		name, err := e.Spool.Write(ctx, e.run, body)
		if err != nil {
			return err
		}
		one := &keptMail{name: name, date: m.Date}
		if tap.begun {
			one.messageID = tap.identity().MessageID
		} else {
			linked = append(linked, one)
		}
		kept[m.Key] = one
		return nil
	})
	failed := map[mail.Key]error{}
	if partial, ok := driver.AsPartial(err); ok {
		failed, err = partial.Failed, nil
	}
	if err != nil {
		return nil, err
	}
	// The disk has to be waited for anyway, by each of them.
	group, gctx := errgroup.WithContext(ctx)
	guarded(group, "keep messages for undo", func() error { return e.Spool.Sync(gctx) })
	guarded(group, "keep messages for undo", func() error { return e.nameKept(gctx, linked) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(failed)) {
		fp.blocked.Store(true)
		if err := e.folderFailed(ctx, fp.Name, withKey(failed[key], key)); err != nil {
			return nil, err
		}
	}
	var change state.Change
	var sure []item
	for _, it := range items {
		if failed[it.meta.Key] != nil {
			continue
		}
		if one := kept[it.meta.Key]; one != nil {
			ev := e.removal(s, it, "")
			ev.Spool, ev.MessageID = one.name, one.messageID
			if ev.Date.IsZero() {
				ev.Date = one.date
			}
			e.journal(&change, ev)
		} else if placeholderItem(s, it) {
			e.journal(&change, e.removal(s, it, ""))
		} else {
			// It is gone, and nothing keeps it from coming back under its key before
			// the others are removed (a mail reader undoes a move): what is not in the
			// spool is not removed. The next run sees where it is.
			fp.blocked.Store(true)
			continue
		}
		sure = append(sure, it)
	}
	if len(change.Journal) == 0 {
		return sure, nil
	}
	return sure, e.State.Commit(ctx, fp.Name, &change)
}

// keptMail is a message in the spool.
type keptMail struct {
	name, messageID string
	date            time.Time
}

// headersAtOnce is how many files are read at a time. Mail that is old enough to be
// removed is not in the memory of the system as a rule, and a disk answers many
// questions as fast as one.
const headersAtOnce = 8

// nameKept reads the Message-IDs of messages in the spool.
func (e *Engine) nameKept(ctx context.Context, list []*keptMail) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(headersAtOnce)
	for _, one := range list {
		guarded(group, "read what is kept for undo", func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			file, body, err := e.Spool.Open(one.name)
			if err != nil {
				return err
			}
			defer file.Close() // it is only read
			var tap headerTap
			err = tap.readHeader(tapped(body.Reader, &tap))
			one.messageID = tap.identity().MessageID
			return err
		})
	}
	return group.Wait()
}

// tappedLink is a reader that is also a mail.Linker.
type tappedLink struct {
	io.Reader
	mail.Linker
}

// removal tells about a message that a step removes. The flags are those the
// copy has now, which may be news that the other side never heard of. inTrash is
// its key in the trash, for a message that went there.
func (e *Engine) removal(s *Step, it item, inTrash mail.Key) state.Event {
	ev := state.Event{Op: string(OpRemove), Side: s.Side, Reason: s.Reason, Before: it.meta.Flags, Date: it.meta.Date}
	if s.Expiry {
		ev.Op = logExpire
	}
	if it.row != nil {
		ev.Row, ev.Before = max(it.row.ID, 0), it.row.Flags
		ev.Far, ev.Near = it.row.Far, it.row.Near
	}
	if s.Side == state.Far {
		ev.Far = it.meta.Key
	} else {
		ev.Near = it.meta.Key
	}
	if s.To != "" {
		ev.Op, ev.Other, ev.Far, ev.Near = logTrash, s.To, "", ""
		if s.Side == state.Far {
			ev.Far = inTrash
		} else {
			ev.Near = inTrash
		}
	}
	return ev
}
