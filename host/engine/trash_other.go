package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// neverCopied reports whether the other side never had a message.
func (it item) neverCopied() bool { return it.row == nil || it.row.ID == 0 }

// trashOfOther copies messages into the trash of the other side that are about to
// be removed and were never copied there, where the options ask for it.
//
// They have no row, so that nothing could tell a later run that it was done: one
// that follows a run that was cut short looks into the trash first.
func (e *Engine) trashOfOther(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
	other := s.Side.Other()
	if s.Op != OpRemove || !e.Policy.Trash.FromOther.Has(other) || e.Policy.Trash.of(other) == "" {
		return nil
	}
	var keys mail.KeySet
	for _, it := range items {
		if it.neverCopied() {
			keys.Add(it.meta.Key)
		}
	}
	if keys.Empty() {
		return nil
	}
	trash, err := e.trashOf(other)
	if err != nil {
		return err
	}
	if err := e.openTrash(ctx, fp, &Step{Side: other, To: trash}, nil); err != nil {
		return err
	}
	there := map[string]bool{} // headers of messages in the trash
	if killed, err := e.lastWasKilled(ctx); err != nil {
		return err
	} else if killed {
		if there, err = e.headersOf(ctx, other, trash); err != nil {
			return err
		}
	}
	return e.copyToTrash(ctx, fp, s.Side, trash, keys, there)
}

// lastWasKilled reports whether the run before this one did not come to a good
// end.
func (e *Engine) lastWasKilled(ctx context.Context) (bool, error) {
	runs, err := e.State.Runs(ctx, 2)
	return len(runs) == 2 && runs[1].Outcome != outcomeDone, err
}

// headersOf returns the digests of the headers of a folder's messages.
func (e *Engine) headersOf(ctx context.Context, side state.Side, folder string) (map[string]bool, error) {
	var keys mail.KeySet
	res, err := e.store(side).Changes(ctx, mail.Ref{Name: folder}, "", func(batch []mail.Meta) error {
		for _, m := range batch {
			keys.Add(m.Key)
		}
		return nil
	})
	there := map[string]bool{}
	if err != nil || keys.Empty() {
		return there, err
	}
	return there, e.store(side).Describe(ctx, refOf(folder, res), keys, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			there[HeaderIdentity(d.Header, -1).Header] = true
		}
		return nil
	})
}

// copyToTrash copies messages of a folder into the trash of the other side.
func (e *Engine) copyToTrash(ctx context.Context, fp *FolderPlan, from state.Side, trash string, keys mail.KeySet, there map[string]bool) error {
	to := e.store(from.Other())
	if len(there) > 0 {
		err := e.store(from).Describe(ctx, fp.refs[from], keys, mail.WantHeader, func(ds []mail.Description) error {
			left := mail.KeySet{}
			for _, d := range ds {
				if !there[HeaderIdentity(d.Header, -1).Header] {
					left.Add(d.Key)
				}
			}
			keys = left
			return nil
		})
		if err != nil || keys.Empty() {
			return err
		}
	}
	ref := mail.Ref{Name: trash}
	reserved, err := to.Reserve(ctx, ref, keys.Len())
	if err != nil {
		return err
	}
	ref.Epoch = reserved.Epoch
	var deliveries []driver.Delivery
	err = e.store(from).Bodies(ctx, fp.refs[from], keys, func(m mail.Meta, body mail.Body) error {
		meta := mail.Meta{Flags: m.Flags.Minus(mail.Flags{System: mail.Deleted}), Size: body.Size, Date: m.Date}
		if n := len(deliveries); n < len(reserved.Keys) {
			meta.Key = reserved.Keys[n]
		}
		d, err := to.Deliver(ctx, ref, meta, body)
		if err == nil {
			deliveries = append(deliveries, d)
		}
		return err
	})
	if err != nil {
		for _, d := range deliveries {
			d.Abort()
		}
		e.giveBack(ctx, from.Other(), ref)
		return err
	}
	placed, err := to.Commit(ctx, ref, deliveries)
	if err != nil {
		return err
	}
	for _, p := range placed {
		if p.Err != nil {
			return fault.Wrap(fault.CodeOf(p.Err), "keep a message in the trash", p.Err)
		}
	}
	return nil
}
