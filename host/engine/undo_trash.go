package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// outOfTrash takes messages out of the trash that the run threw away. They are
// new where they come back to: the next sync brings them to the other side.
func (u *undoing) outOfTrash(ctx context.Context, f *undoFolder, rows map[int64]*state.Row) error {
	type place struct {
		side  state.Side
		trash string
	}
	byPlace, untold := map[place][]*movedMessage{}, 0
	for _, m := range f.trash {
		key := m.Far
		if m.Side == state.Near {
			key = m.Near
		}
		if key == "" {
			untold++ // the store did not say where it went
			continue
		}
		at := place{m.Side, m.Other}
		byPlace[at] = append(byPlace[at], m)
	}
	if untold > 0 {
		if err := u.missed(ctx, f.name, "%d messages are in the trash, and the server did not tell which: move them back by hand", untold); err != nil {
			return err
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(byPlace), func(a, b place) int { return int(a.side) - int(b.side) }) {
		if err := u.ensure(ctx, at.side, f.name); err != nil {
			return err
		}
		for batch := range slices.Chunk(byPlace[at], changeBatch) {
			if err := u.fetchBack(ctx, f.name, at.side, at.trash, batch, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *undoing) fetchBack(ctx context.Context, folder string, side state.Side, trash string, batch []*movedMessage, rows map[int64]*state.Row) error {
	todo := make([]mail.Change, len(batch))
	for i, m := range batch {
		key := m.Far
		if side == state.Near {
			key = m.Near
		}
		todo[i] = mail.Change{Key: key, Op: mail.ChangeMove, To: folder}
	}
	outcomes, err := u.e.store(side).Change(ctx, mail.Ref{Name: trash}, todo)
	if err != nil {
		return err
	}
	var change state.Change
	var failed []error
	gone := 0
	for i, out := range outcomes {
		switch {
		case out.Err != nil:
			failed = append(failed, withKey(out.Err, out.Key))
			continue
		case out.Gone:
			gone++
			continue
		}
		u.e.report.count(&u.e.report.Restored, 1)
		ev := batch[i].Event
		ev.Op, ev.Reason = logRestore, u.kind
		if row := rows[ev.Row]; row != nil && out.NewKey != "" && row.Key(side) == "" {
			setKey(row, side, out.NewKey) // the other copy is still there
			change.Put = append(change.Put, *row)
		}
		u.e.journal(&change, ev)
	}
	if gone > 0 {
		if err := u.missed(ctx, folder, "%d messages are not in %q any more", gone, trash); err != nil {
			return err
		}
	}
	if len(change.Journal) > 0 {
		if err := u.e.State.Commit(ctx, folder, &change); err != nil {
			return err
		}
	}
	return u.e.allFailed(ctx, folder, failed)
}
