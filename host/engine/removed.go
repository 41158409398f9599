package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A folder that the state knows and one side lacks was removed there. It is never
// made again. With the option `remove` its messages are removed on the other side,
// and then the folder; without it, it is told and left alone. Either way messages
// that were moved out of it before it was removed are moved.

// planRemoved plans the folders that were removed on one side.
func (e *Engine) planRemoved(ctx context.Context, pairs []pair, plan *Plan) error {
	for _, p := range pairs {
		if !e.removes(p) && none(arrivalsOf(plan, p.removed)) {
			e.tellRemoved(p, "it is left alone on the other")
			continue
		}
		fp, err := e.planAgain(ctx, p)
		if err != nil {
			return err
		}
		if fp != nil {
			fp.removed = p.removed
			plan.Folders = append(plan.Folders, fp)
		}
	}
	slices.SortStableFunc(plan.Folders, func(a, b *FolderPlan) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// removes reports whether a folder that was removed on one side is to go on the
// other too.
func (e *Engine) removes(p pair) bool {
	left := p.removed.Other()
	_, able := driver.As[driver.FolderRemover](e.store(left))
	return p.name != mail.Inbox && able && e.Policy.Remove.Has(left) && e.Policy.toward(left)&OpDelete != 0
}

func (e *Engine) tellRemoved(p pair, what string) {
	e.told(p.name, "the folder was removed on the %s side; %s", p.removed, what)
}

// finishRemoved leaves of the plan of a folder that was removed on one side what
// may be done to it on the other. It is called when moves are known.
func (e *Engine) finishRemoved(plan *Plan, pairs []pair) {
	for _, p := range pairs {
		fp := plan.folder(p.name)
		if fp == nil || fp.removed == 0 {
			continue
		}
		why := ""
		switch {
		case fp.reset:
			why = "it was replaced on the other, where it is left alone"
		case !e.removes(p):
			why = "it is left alone on the other"
		case p.known.Policy != e.policyOf(&p):
			// Names may mean other folders now: it may only be out of sight.
			why = "the options have changed since it was in step, so it is left alone on the other"
		case fp.lively:
			why = "on the other it has new or changed messages, and stays"
		}
		if why != "" {
			e.tellRemoved(p, why)
			fp.onlyMoves()
			continue
		}
		left := p.removed.Other()
		if going := fp.going(left); going == fp.census.now[left] {
			fp.Steps = append(fp.Steps, &Step{Op: OpDrop, Folder: fp.Name, Side: left, Reason: "removed on the " + p.removed.String() + " side"})
		} else {
			e.tellRemoved(p, fmt.Sprintf("on the other %d messages are left in it, and it stays", fp.census.now[left]-going))
		}
	}
	plan.Folders = slices.DeleteFunc(plan.Folders, func(fp *FolderPlan) bool { return fp.removed != 0 && len(fp.Steps) == 0 })
}

// going is how many messages a plan takes out of a folder on a side.
func (fp *FolderPlan) going(side state.Side) (n int) {
	for _, s := range fp.Steps {
		if s.Side == side && (s.Op == OpRemove || s.Op == OpMove) {
			n += s.items.len()
		}
	}
	return n
}

// onlyMoves takes out of a plan all but the moves. What the state knows of the
// rest stays as it is.
func (fp *FolderPlan) onlyMoves() {
	fp.Steps = slices.DeleteFunc(fp.Steps, func(s *Step) bool { return s.Op != OpMove })
	fp.put, fp.drop, fp.settle, fp.late, fp.reset = nil, nil, nil, nil, false
}

// dropPhase removes the folders that were removed on the other side, those below
// others first.
func (e *Engine) dropPhase(ctx context.Context, plan *Plan) error {
	for _, fp := range slices.Backward(plan.Folders) {
		for _, s := range fp.Steps {
			if s.Op != OpDrop || fp.left || fp.blocked.Load() || e.draining() {
				continue
			}
			if err := e.folderFailed(ctx, fp.Name, e.dropFolder(ctx, fp, s)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) dropFolder(ctx context.Context, fp *FolderPlan, s *Step) error {
	remover, ok := driver.As[driver.FolderRemover](e.store(s.Side))
	if !ok {
		return fault.New(fault.Unsupported, "remove folder", "the %s side cannot remove folders", s.Side).InFolder(fp.Name)
	}
	if err := remover.RemoveFolder(ctx, fp.Name); err != nil {
		return err
	}
	e.report.count(&e.report.FoldersRemoved, 1)
	change := state.Change{Forget: true}
	e.journal(&change, state.Event{Op: string(OpDrop), Side: s.Side, Reason: s.Reason})
	fp.finished = true
	return e.State.Commit(ctx, fp.Name, &change)
}

// forgotten are the folders that the state knows and neither side has any more.
func (e *Engine) forgotten(plan *Plan) []string {
	renamed := map[string]bool{}
	for _, one := range plan.renames {
		renamed[one.from] = true
	}
	var out []string
	for name, k := range e.known {
		there := false
		for _, side := range []state.Side{state.Far, state.Near} {
			f := e.listed[side][name]
			there = there || f != nil || e.distrusts(k, side)
		}
		if !there && !renamed[name] && !e.apartNames[name] && e.doubt == "" && e.Once.chosen(name) && !e.leftOut(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// forget drops what the state knows of folders that are nowhere any more. One of
// the same name that comes later is another one.
func (e *Engine) forget(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := e.State.Commit(ctx, name, &state.Change{Forget: true}); err != nil {
			return err
		}
		delete(e.known, name)
	}
	return nil
}
