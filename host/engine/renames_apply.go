package engine

import (
	"context"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// renamePhase gives folders the names that they have on the other side, before
// anything else: the rest of the plan speaks of them by their new names.
func (e *Engine) renamePhase(ctx context.Context, plan *Plan) error {
	for _, one := range plan.renames {
		if one.covered || e.draining() {
			continue
		}
		if fp := plan.folder(one.to); fp == nil || fp.left { // by a script, or since it cannot be read
			plan.leaveRenamed(one)
			continue
		}
		err := e.renameFolder(ctx, plan, one)
		if err == nil {
			continue
		}
		plan.leaveRenamed(one)
		switch fault.CodeOf(err) {
		case fault.Unsupported, fault.BadName, fault.Exists, fault.Refused:
			// It is not to be had this way: created and filled by moves it is.
			e.told(one.from, "the folder cannot be renamed to %q on the %s side (%s); its messages are moved", one.to, one.on.Other(), asFault(err).Message)
			e.cannotRename(one.from)
			continue
		}
		if err := e.folderFailed(ctx, one.from, err); err != nil {
			return err
		}
	}
	return nil
}

// cannotRename remembers that a folder is not to be renamed in this run, which
// plans it once more, another way.
func (e *Engine) cannotRename(folder string) {
	if e.unrenamable == nil {
		e.unrenamable = map[string]bool{}
	}
	e.unrenamable[folder], e.replan = true, true
}

func (e *Engine) renameFolder(ctx context.Context, plan *Plan, one renaming) error {
	if one.on != 0 {
		renamer, ok := driver.As[driver.FolderRenamer](e.store(one.on.Other()))
		if !ok {
			return fault.New(fault.Unsupported, "rename folder", "the %s side cannot rename folders", one.on.Other()).InFolder(one.from)
		}
		if err := renamer.RenameFolder(ctx, one.from, one.to); err != nil {
			return err
		}
		e.report.count(&e.report.Renamed, 1)
		e.replan = e.replan || len(e.along) > 0
	}
	return e.renamed(ctx, plan, one)
}

// renamed lets the state follow, for a folder and those below it that went along.
// Killed before that, the next run finds that both sides have renamed it.
func (e *Engine) renamed(ctx context.Context, plan *Plan, one renaming) error {
	names := []string{one.from}
	if one.on != 0 {
		for name := range e.known {
			if strings.HasPrefix(name, one.from+"/") {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		to := one.to + strings.TrimPrefix(name, one.from)
		record := e.known[name]
		record.Far, record.Near = to, to
		change := state.Change{Folder: &record}
		side := state.Side(0)
		if one.on != 0 {
			side = one.on.Other()
			e.alias(side).call(to, to)
		}
		e.journal(&change, state.Event{Op: string(OpRename), Side: side, Other: to, Reason: one.reason()})
		if err := e.State.Commit(ctx, name, &change); err != nil {
			return err
		}
		delete(e.known, name)
		e.known[to] = record
		if fp := plan.folder(to); fp == nil {
			e.replan = true // it went along without having been renamed: now it can be seen
		}
	}
	return nil
}

func (r renaming) reason() string {
	if r.on == 0 {
		return "renamed on both sides"
	}
	return "renamed on the " + r.on.String() + " side"
}

// leaveRenamed leaves alone a folder that was not renamed, and those below it.
func (p *Plan) leaveRenamed(one renaming) {
	for _, other := range p.renames {
		if other.from == one.from || strings.HasPrefix(other.from, one.from+"/") {
			if fp := p.folder(other.to); fp != nil {
				fp.left = true
			}
		}
	}
}

func (e *Engine) alias(side state.Side) *aliased {
	if side == state.Far {
		return e.farNames
	}
	return e.nearNames
}
