package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// renamedFolder is a folder that a run renamed, or found renamed on both sides.
type renamedFolder struct{ from, to string }

// renames returns the renames among the events of a run, parents first.
func renames(events []state.Event) []renamedFolder {
	var out []renamedFolder
	for _, ev := range events {
		if Op(ev.Op) == OpRename && ev.Side != 0 {
			out = append(out, renamedFolder{from: ev.Folder, to: ev.Other})
		}
	}
	slices.SortFunc(out, func(a, b renamedFolder) int { return strings.Compare(a.to, b.to) })
	return out
}

// renameBack gives folders the names that they had before the run, on both sides.
// Cut short in between, one side has renamed a folder that the other has not,
// which is what a sync carries.
func (u *undoing) renameBack(ctx context.Context, list []renamedFolder) error {
	var done []renamedFolder
	for _, r := range list {
		along := slices.ContainsFunc(done, func(p renamedFolder) bool {
			return strings.HasPrefix(r.to, p.to+"/") && r.from == p.from+strings.TrimPrefix(r.to, p.to)
		})
		if !along {
			err := u.renameOne(ctx, r)
			if err := u.e.folderFailed(ctx, r.to, err); err != nil {
				return err
			}
			if err != nil {
				continue
			}
			done = append(done, r)
			u.e.report.count(&u.e.report.Renamed, 1)
		}
		record, known := u.e.known[r.to]
		if !known {
			continue
		}
		record.Far, record.Near = r.from, r.from
		change := state.Change{Folder: &record}
		u.e.journal(&change, state.Event{Op: string(OpRename), Other: r.from, Reason: u.kind})
		if err := u.e.State.Commit(ctx, r.to, &change); err != nil {
			return err
		}
	}
	return nil
}

func (u *undoing) renameOne(ctx context.Context, r renamedFolder) error {
	for _, side := range []state.Side{state.Far, state.Near} {
		if _, there := u.listed[side][r.to]; !there {
			continue // it has this name no more
		}
		if _, taken := u.listed[side][r.from]; taken {
			return fault.New(fault.Exists, "rename folder", "there is a folder %q again on the %s side", r.from, side).InFolder(r.to)
		}
		renamer, ok := driver.As[driver.FolderRenamer](u.e.store(side))
		if !ok {
			return fault.New(fault.Unsupported, "rename folder", "the %s side cannot rename folders", side).InFolder(r.to)
		}
		if err := renamer.RenameFolder(ctx, r.to, r.from); err != nil {
			return err
		}
	}
	return nil
}

// remake makes the folder anew on both sides, where the run removed it.
func (u *undoing) remake(ctx context.Context, f *undoFolder) error {
	if !f.removed {
		return nil
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		if err := u.ensure(ctx, side, f.name); err != nil {
			return err
		}
	}
	return nil
}
