package engine

import (
	"context"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// changeBatch is the most messages changed by one call.
const changeBatch = 1000

// apply carries a plan out. In the whole account content is copied before
// anything is removed: a message that went from one folder to another is never
// on no folder of a side.
func (e *Engine) apply(ctx context.Context, plan *Plan) error {
	e.repeat.applying = true
	if err := e.forget(ctx, plan.forget); err != nil {
		return err
	}
	if len(plan.Folders) == 0 && !e.begun {
		return nil
	}
	need, err := e.destroyed(plan)
	if err != nil {
		return err
	}
	if !e.begun && (e.info.Run == 0 || e.doubt != "" || len(plan.Steps("", "", 0)) > 0 || plan.pairs()) {
		if err := e.begin(ctx); err != nil {
			return err
		}
		if e.Spool != nil {
			if err := e.Spool.Prune(time.Now().Add(-e.Policy.Undo.Keep), e.Policy.Undo.Size, need); err != nil {
				return err
			}
		}
	}
	e.counter.expect(plan.Total(OpPull) + plan.Total(OpPush))
	phases := []struct {
		name string
		do   func(context.Context, *Plan) error
	}{
		{timeRenames, e.renamePhase}, {timeCopy, e.eachFolder(e.copyPhase)}, {timeMove, e.movePhase},
		{timeChange, e.eachFolder(e.changePhase)}, {timeDrop, e.dropPhase},
	}
	for i, phase := range phases {
		err := e.Timing.Do(phase.name, func() error { return phase.do(ctx, plan) })
		if err != nil {
			e.leave(plan, true)
			return err
		}
		if e.draining() {
			return errDrained()
		}
		if e.isPostponed() { // the next attempt goes on from here
			e.leave(plan, i < len(phases)-1)
			return nil
		}
	}
	full := e.full.err()
	if e.begun {
		if err := e.finish(ctx); err != nil && full == nil {
			return err
		}
	}
	return full
}

// eachFolder makes a phase of what is done folder by folder.
func (e *Engine) eachFolder(phase func(context.Context, *FolderPlan) error) func(context.Context, *Plan) error {
	return func(ctx context.Context, plan *Plan) error {
		return e.eachLane(ctx, len(plan.Folders), func(ctx context.Context, i int) error {
			fp := plan.Folders[i]
			if fp.left {
				return nil
			}
			err := phase(ctx, fp)
			if err == nil {
				return nil
			}
			fp.blocked.Store(true)
			return e.folderFailed(ctx, fp.Name, err)
		})
	}
}

// copyPhase creates the folder, records what needs no work, and copies.
func (e *Engine) copyPhase(ctx context.Context, fp *FolderPlan) error {
	if e.draining() {
		return nil
	}
	// A folder the state knows and a side lacks counts as removed there: so it
	// is created before the state hears of it.
	for _, s := range fp.Steps {
		if s.Op == OpCreate {
			if err := e.createFolder(ctx, fp, s); err != nil {
				fp.left = true
				if e.fills(s.Side, err) {
					return nil
				}
				return err
			}
		}
	}
	if err := e.recordPlan(ctx, fp); err != nil {
		fp.left = true // its rows are not what the state knows
		return err
	}
	for _, s := range fp.Steps {
		if s.Op == OpPull || s.Op == OpPush {
			if err := e.copyStep(ctx, fp, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordPlan writes to the state what was found out while planning. The cursors
// stay where they were until everything in the folder is done.
func (e *Engine) recordPlan(ctx context.Context, fp *FolderPlan) error {
	change := state.Change{Forget: fp.reset, Settle: fp.settle}
	for _, id := range fp.drop {
		if id > 0 {
			change.Drop = append(change.Drop, id)
			if fp.renewed[id] {
				continue // it is copied as a new one
			}
			e.journal(&change, state.Event{Op: logGone, Row: id, Reason: "it is on neither side any more"})
		}
	}
	for i, row := range fp.put {
		if row.ID < 0 {
			ev := pairEvent(row)
			ev.Put, ev.MessageID = i+1, fp.names[row.Far]
			e.journal(&change, ev)
		}
	}
	change.Folder = e.begunRecord(fp)
	if len(fp.Steps)+len(fp.put)+len(fp.drop)+len(fp.settle) == 0 && !fp.reset {
		return nil // only the cursors move: one write at the end
	}
	return e.commitRows(ctx, fp, &change, fp.put)
}

// begunRecord is the record of a folder in which not everything is done yet.
func (e *Engine) begunRecord(fp *FolderPlan) *state.Folder {
	record := fp.record
	record.FarCursor, record.NearCursor, record.Policy = "", "", ""
	if known, ok := e.known[fp.Name]; ok && !fp.reset {
		record.FarCursor, record.NearCursor, record.Policy = known.FarCursor, known.NearCursor, known.Policy
	}
	if fp.partly {
		record.NearCursor = ""
	}
	if len(fp.renewed) > 0 {
		// The rows of messages go that did not change since those cursors: only
		// a full reading finds them again, until they are copied.
		record.FarCursor, record.NearCursor = "", ""
	}
	return &record
}

// commitRows commits a change with rows in it, and notes the IDs they were given.
func (e *Engine) commitRows(ctx context.Context, fp *FolderPlan, change *state.Change, rows []*state.Row) error {
	for _, row := range rows {
		put := *row
		put.ID = max(put.ID, 0)
		change.Put = append(change.Put, put)
	}
	if err := e.State.Commit(ctx, fp.Name, change); err != nil {
		return err
	}
	for i, row := range rows {
		row.ID = change.Put[i].ID
	}
	return nil
}

func (e *Engine) createFolder(ctx context.Context, fp *FolderPlan, s *Step) error {
	maker, ok := driver.As[driver.FolderMaker](e.store(s.Side))
	if !ok {
		return fault.New(fault.Unsupported, "create folder", "the %s side cannot create folders", s.Side).InFolder(fp.Name)
	}
	if err := maker.CreateFolder(ctx, fp.Name); err != nil {
		return err
	}
	e.report.count(&e.report.Created, 1)
	if e.Policy.Subscribe.Has(s.Side) {
		return maker.Subscribe(ctx, fp.Name)
	}
	return nil
}

// changePhase changes flags, removes, and then moves the cursors on.
func (e *Engine) changePhase(ctx context.Context, fp *FolderPlan) error {
	if err := e.removeReplaced(ctx, fp); err != nil {
		return err
	}
	for _, s := range fp.Steps {
		if s.Op != OpFlag && s.Op != OpRemove {
			continue
		}
		if s.Op == OpRemove && e.full.is(s.Side) {
			// What it is to get may be what it is to lose, from another folder.
			fp.blocked.Store(true)
			continue
		}
		if n := len(s.items); s.Op == OpFlag {
			// The pair of a message that was not moved after all is not there.
			s.items = slices.DeleteFunc(s.items, func(it item) bool { return it.row.ID == 0 })
			if len(s.items) < n {
				fp.blocked.Store(true)
			}
		}
		for from := 0; from < len(s.items); from += changeBatch {
			if e.draining() {
				return nil
			}
			if err := e.changeItems(ctx, fp, s, s.items[from:min(from+changeBatch, len(s.items))]); err != nil {
				return err
			}
		}
	}
	if fp.blocked.Load() || fp.removed != 0 || e.draining() {
		return nil // the next run reads it again
	}
	fp.record.Policy = fp.policy()
	change := state.Change{Folder: &fp.record}
	for _, in := range fp.late {
		change.Settle = append(change.Settle, in.ID)
	}
	err := e.State.Commit(ctx, fp.Name, &change)
	fp.finished = err == nil
	return err
}

// changeItems applies one batch of a step and records what became of it.
func (e *Engine) changeItems(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
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
		changes[i] = mail.Change{Key: it.meta.Key, Op: mail.ChangeFlags, Add: s.Add, Remove: s.Remove}
		if s.Op == OpRemove {
			changes[i] = removalOf(s, it.meta.Key)
		}
	}
	if s.Op == OpRemove && s.To != "" {
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
	var change state.Change
	var rows []*state.Row
	var failed []error
	done := 0
	for i, out := range outcomes {
		row, marked := items[i].row, items[i].marked
		switch {
		case out.Err != nil:
			fp.blocked.Store(true)
			failed = append(failed, withKey(out.Err, out.Key))
			continue
		case s.Op == OpRemove:
			done++
			if !e.spooled(s) { // else it was told before
				e.journal(&change, e.removal(s, items[i], out.NewKey))
			}
			if s.Side == state.Far {
				row.Far = ""
			} else {
				row.Near = ""
			}
			if marked != nil && *marked {
				row.Flags = row.Flags.Union(mail.Flags{System: mail.Deleted})
			}
			if row.Far == "" && row.Near == "" {
				if row.ID > 0 {
					change.Drop = append(change.Drop, row.ID)
				}
				continue
			}
		case out.Gone:
			fp.blocked.Store(true) // the next run sees it gone and decides
			continue
		default:
			// What the store does not say it kept is not agreed on: taken for
			// agreed, its absence would look like a removal the next time.
			kept := s.Add.Intersect(out.Flags)
			if !kept.Empty() || !s.Remove.Empty() {
				done++
			}
			if marked != nil {
				// The other copy is yet to be expunged. Until then the mark
				// there is news, for the next run too.
				*marked = kept.Has(mail.Deleted)
				continue
			}
			ev := eventOf(string(s.Op), s.Side, row, s.Reason)
			row.Flags = row.Flags.Union(kept).Minus(s.Remove)
			if ev.After = row.Flags; !kept.Empty() || !s.Remove.Empty() {
				e.journal(&change, ev)
			}
			e.keepApart(fp, s.Side, row, s.Add.Intersect(out.Dropped))
		}
		rows = append(rows, row)
	}
	e.countChanges(s, done)
	if err := e.commitRows(ctx, fp, &change, rows); err != nil {
		return err
	}
	return e.allFailed(ctx, fp.Name, failed)
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
