package engine

import (
	"cmp"
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// apply carries a plan out. In the whole account content is copied before
// anything is removed: a message that went from one folder to another is never
// on no folder of a side.
func (e *Engine) apply(ctx context.Context, plan *Plan) (err error) {
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
	}
	if e.begun {
		if err := e.stillMarked(ctx); err != nil {
			return err
		}
		wait := e.pruneSpool(need)
		defer func() { err = cmp.Or(err, wait()) }()
	}
	if len(plan.Folders) == 1 {
		plan.Folders[0].only = plan.Folders[0].removed == 0 // else the folder is removed at the end
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
	change.Later = len(fp.put)+len(fp.drop)+len(fp.settle) == 0 && !fp.reset
	return e.commitRows(ctx, fp, &change, fp.put)
}

// begunRecord is the record of a folder in which not everything is done yet.
func (e *Engine) begunRecord(fp *FolderPlan) *state.Folder {
	record := fp.record
	record.FarCursor, record.NearCursor, record.Policy = "", "", ""
	if known, ok := e.known[fp.Name]; ok && !fp.reset {
		record.FarCursor, record.NearCursor, record.Policy = known.FarCursor.Place(), known.NearCursor.Place(), known.Policy
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
	fp.startEmpty(s.Side)
	if e.Policy.Subscribe.Has(s.Side) {
		return maker.Subscribe(ctx, fp.Name)
	}
	return nil
}
