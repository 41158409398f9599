package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// flags gives messages the flags they had before the run, on both sides.
func (u *undoing) flags(ctx context.Context, f *undoFolder, rows map[int64]*state.Row) error {
	changes := f.sortedFlags()
	missing := 0
	for _, side := range []state.Side{state.Far, state.Near} {
		var todo []mail.Change
		for _, c := range changes {
			row := rows[c.row]
			if row == nil {
				missing++
				continue
			}
			if row.Key(side) != "" && (c.written.Has(side) || u.may(side, OpFlags)) {
				todo = append(todo, mail.Change{Key: row.Key(side), Op: mail.ChangeFlags, Add: c.add(), Remove: c.remove()})
			}
		}
		if err := u.change(ctx, side, f.name, todo); err != nil {
			return err
		}
	}
	if missing > 0 {
		u.e.told(f.name, "%d messages whose flags the run changed are not there any more", missing/2)
	}
	var change state.Change
	for _, c := range changes {
		row := rows[c.row]
		if row == nil {
			continue
		}
		ev := eventOf(string(OpFlag), 0, row, u.kind)
		row.Flags = row.Flags.Union(c.add()).Minus(c.remove())
		ev.After = row.Flags
		u.e.journal(&change, ev)
		change.Put = append(change.Put, *row)
	}
	if len(change.Put) == 0 {
		return nil
	}
	return u.e.State.Commit(ctx, f.name, &change)
}

// change applies changes of flags on one side.
func (u *undoing) change(ctx context.Context, side state.Side, folder string, todo []mail.Change) error {
	for from := 0; from < len(todo); from += changeBatch {
		batch := todo[from:min(from+changeBatch, len(todo))]
		outcomes, err := u.e.store(side).Change(ctx, u.ref(side, folder), batch)
		if err != nil {
			return err
		}
		done := 0
		var failed []error
		for _, out := range outcomes {
			if out.Err != nil {
				failed = append(failed, withKey(out.Err, out.Key))
			} else if !out.Gone {
				done++
			}
		}
		u.e.countChanges(&Step{Op: OpFlag, Side: side}, done)
		if err := u.e.allFailed(ctx, folder, failed); err != nil {
			return err
		}
	}
	return nil
}
