package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// changeBatch is the most messages changed by one call.
const changeBatch = 1000

// change is what a step does to one message.
type change struct {
	step *Step
	item
}

// changePhase changes flags, removes, and then moves the cursors on. Steps that
// change flags on the same side go together: a server takes them in one round
// trip.
func (e *Engine) changePhase(ctx context.Context, fp *FolderPlan) error {
	if err := e.removeReplaced(ctx, fp); err != nil {
		return err
	}
	var flags []change
	for i, s := range fp.Steps {
		if s.Op != OpFlag && s.Op != OpRemove {
			continue
		}
		if s.Op == OpRemove && e.full.is(s.Side) {
			// What it is to get may be what it is to lose, from another folder.
			fp.blocked.Store(true)
			continue
		}
		if s.Op == OpRemove {
			for items := range s.items.chunks(changeBatch) {
				if e.draining() {
					return nil
				}
				if err := e.removeItems(ctx, fp, s, items); err != nil {
					return err
				}
			}
			continue
		}
		flags = append(flags, e.flagChanges(fp, s)...)
		if i+1 < len(fp.Steps) && fp.Steps[i+1].Op == OpFlag && fp.Steps[i+1].Side == s.Side {
			continue
		}
		for len(flags) > 0 {
			if e.draining() {
				return nil
			}
			batch := flags[:min(changeBatch, len(flags))]
			flags = flags[len(batch):]
			last := fp.only && i == len(fp.Steps)-1 && len(flags) == 0
			if err := e.changeFlags(ctx, fp, batch, last); err != nil {
				return err
			}
		}
	}
	if fp.blocked.Load() || fp.removed != 0 || e.draining() {
		return nil // the next run reads it again
	}
	fp.record = fp.done()
	done := state.Change{Folder: &fp.record, Later: true}
	for _, in := range fp.late {
		done.Settle = append(done.Settle, in.ID)
	}
	err := e.State.Commit(ctx, fp.Name, &done)
	fp.finished = err == nil
	return err
}

// flagChanges lists what a step of flags changes. The pair of a message that was
// not moved after all is not there.
func (e *Engine) flagChanges(fp *FolderPlan, s *Step) []change {
	list := make([]change, 0, s.items.len())
	for _, it := range s.items.all() {
		if it.row.ID == 0 {
			fp.blocked.Store(true)
			continue
		}
		list = append(list, change{s, it})
	}
	return list
}

// changeFlags changes the flags of messages of one side, and records what became
// of it. After the last of them the run ends.
func (e *Engine) changeFlags(ctx context.Context, fp *FolderPlan, batch []change, last bool) error {
	changes := make([]mail.Change, len(batch))
	for i, c := range batch {
		changes[i] = mail.Change{Key: c.meta.Key, Op: mail.ChangeFlags, Add: c.step.Add, Remove: c.step.Remove}
	}
	side := batch[0].step.Side
	outcomes, err := e.store(side).Change(ctx, fp.refs[side], changes)
	if err != nil {
		return err
	}
	done := recording{side: side}
	for i, out := range outcomes {
		s, row, marked := batch[i].step, batch[i].row, batch[i].extra().marked
		switch {
		case out.Err != nil:
			fp.blocked.Store(true)
			done.failed = append(done.failed, withKey(out.Err, out.Key))
			continue
		case out.Gone:
			fp.blocked.Store(true) // the next run sees it gone and decides
			continue
		}
		// What the store does not say it kept is not agreed on: taken for agreed,
		// its absence would look like a removal the next time.
		kept := s.Add.Intersect(out.Flags)
		if !kept.Empty() || !s.Remove.Empty() {
			e.countChanges(s, 1)
		}
		if marked != nil {
			// The other copy is yet to be expunged. Until then the mark there is
			// news, for the next run too.
			*marked = kept.Has(mail.Deleted)
			fp.unmark(side)
			continue
		}
		done.mark = done.mark.Plus(out.Mark)
		if out.Mark == (mail.Mark{}) { // it was so already
			fp.unmark(side)
		}
		ev := eventOf(string(s.Op), s.Side, row, s.Reason)
		row.Flags = row.Flags.Union(kept).Minus(s.Remove)
		if ev.After = row.Flags; !kept.Empty() || !s.Remove.Empty() {
			e.journal(&done.change, ev)
		}
		e.keepApart(fp, s.Side, row, s.Add.Intersect(out.Dropped))
		done.rows = append(done.rows, row)
	}
	// Near flags are what they are, and tell it again. A far one may be taken off by
	// another client meanwhile, so it is recorded at once: with the mark of the end
	// where that follows.
	done.change.Later = side == state.Near || last && len(done.failed) == 0 && !e.draining()
	return e.record(ctx, fp, &done)
}

// removeItems removes one batch of a step and records what became of it.
func (e *Engine) removeItems(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
	if e.spooled(s) {
		var err error
		if items, err = e.keep(ctx, fp, s, items); err != nil || len(items) == 0 {
			return err
		}
	}
	if err := e.trashOfOther(ctx, fp, s, items); err != nil {
		return err
	}
	changes := make([]mail.Change, len(items))
	for i, it := range items {
		changes[i] = removalOf(s, it.meta.Key)
	}
	if s.To != "" {
		if err := e.openTrash(ctx, fp, s, items); err != nil {
			return err
		}
	}
	if s.Expiry {
		if err := e.markExpired(ctx, fp, items); err != nil {
			return err
		}
	}
	outcomes, err := e.store(s.Side).Change(ctx, fp.refs[s.Side], changes)
	if err != nil {
		return err
	}
	done := recording{side: s.Side}
	done.change.Later = e.spooled(s) // it is in the journal, and that they are gone is seen again
	for i, out := range outcomes {
		row, marked := items[i].row, items[i].extra().marked
		done.mark = done.mark.Plus(out.Mark)
		if out.Mark == (mail.Mark{}) { // it was gone, or went to the trash
			fp.unmark(s.Side)
		}
		if out.Err != nil {
			fp.blocked.Store(true)
			done.failed = append(done.failed, withKey(out.Err, out.Key))
			continue
		}
		e.countChanges(s, 1)
		if !e.spooled(s) { // else it was told before
			e.journal(&done.change, e.removal(s, items[i], out.NewKey))
		}
		if s.Side == state.Far {
			row.Far = ""
		} else {
			row.Near = ""
		}
		if marked != nil && *marked {
			row.Flags = row.Flags.Union(mail.Flags{System: mail.Deleted})
		}
		if row.Far != "" || row.Near != "" {
			done.rows = append(done.rows, row)
		} else if row.ID > 0 {
			done.change.Drop = append(done.change.Drop, row.ID)
		}
	}
	return e.record(ctx, fp, &done)
}

// recording is what became of a batch of changes.
type recording struct {
	change state.Change
	rows   []*state.Row
	failed []error
	side   state.Side
	mark   mail.Mark // what was changed there
}

func (e *Engine) record(ctx context.Context, fp *FolderPlan, r *recording) error {
	if err := e.commitRows(ctx, fp, &r.change, r.rows); err != nil {
		return err
	}
	fp.advance(r.side, r.mark)
	return e.allFailed(ctx, fp.Name, r.failed)
}

// allFailed tells about messages that failed, after the others were recorded.
func (e *Engine) allFailed(ctx context.Context, folder string, failed []error) error {
	for _, err := range failed {
		if err := e.folderFailed(ctx, folder, err); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) countChanges(s *Step, n int) {
	field := &e.report.FlagsFar
	switch {
	case s.Expiry:
		field = &e.report.Expired
	case s.Op == OpFlag && s.Side == state.Near:
		field = &e.report.FlagsNear
	case s.Op == OpRemove && s.Side == state.Far:
		field = &e.report.RemovedFar
	case s.Op == OpRemove:
		field = &e.report.RemovedNear
	}
	e.report.count(field, n)
}

func withKey(err error, key mail.Key) error {
	f := *asFault(err)
	if f.Key == "" {
		f.Key = string(key)
	}
	return &f
}
