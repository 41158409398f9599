package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// moveBack takes messages that the run moved to this folder back to where they
// were, on both sides: on one, the user had moved them. Cut short in between, one
// side has moved a message that the other has not, which is what a sync carries.
func (u *undoing) moveBack(ctx context.Context, f *undoFolder, rows map[int64]*state.Row) error {
	byFolder := map[string][]*movedMessage{}
	missing := 0
	for _, m := range f.moved {
		if rows[m.Row] == nil {
			missing++
			continue
		}
		byFolder[m.Other] = append(byFolder[m.Other], m)
	}
	if missing > 0 {
		u.e.told(f.name, "%d messages that the run moved here are not here any more", missing)
	}
	for _, to := range slices.Sorted(maps.Keys(byFolder)) {
		for batch := range slices.Chunk(byFolder[to], changeBatch) {
			if err := u.moveBatch(ctx, f.name, to, batch, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *undoing) moveBatch(ctx context.Context, folder, to string, batch []*movedMessage, rows map[int64]*state.Row) error {
	keys := map[int64]map[state.Side]mail.Key{} // of messages that are back on a side
	for _, side := range []state.Side{state.Far, state.Near} {
		var todo []mail.Change
		var ids []int64
		for _, m := range batch {
			key := rows[m.Row].Key(side)
			if key == "" || !m.written.Has(side) && !u.may(side, OpNew) {
				continue
			}
			todo = append(todo, mail.Change{Key: key, Op: mail.ChangeMove, To: to})
			ids = append(ids, m.Row)
		}
		if len(todo) == 0 {
			continue
		}
		if err := u.ensure(ctx, side, to); err != nil {
			return err
		}
		outcomes, err := u.e.store(side).Change(ctx, u.ref(side, folder), todo)
		if err != nil {
			return err
		}
		var failed []error
		for i, out := range outcomes {
			switch {
			case out.Err != nil:
				failed = append(failed, withKey(out.Err, out.Key))
			case !out.Gone:
				if keys[ids[i]] == nil {
					keys[ids[i]] = map[state.Side]mail.Key{}
				}
				keys[ids[i]][side] = out.NewKey
			}
		}
		if err := u.e.allFailed(ctx, folder, failed); err != nil {
			return err
		}
	}
	return u.recordMoves(ctx, folder, to, batch, rows, keys)
}

// recordMoves makes pairs of what is back on both sides, and then forgets where
// it was. What a store did not tell the key of is paired by the next sync.
func (u *undoing) recordMoves(ctx context.Context, folder, to string, batch []*movedMessage, rows map[int64]*state.Row, keys map[int64]map[state.Side]mail.Key) error {
	var arrive, leave state.Change
	for _, m := range batch {
		moved := keys[m.Row]
		if moved == nil {
			continue
		}
		u.e.report.count(&u.e.report.Restored, 1)
		row := *rows[m.Row]
		ev := eventOf(string(OpMove), 0, &row, u.kind)
		ev.Other, ev.Was, ev.Row = folder, m.Row, 0
		old := row
		old.Far, old.Near = "", ""
		for _, side := range []state.Side{state.Far, state.Near} {
			if _, there := moved[side]; !there {
				setKey(&old, side, row.Key(side))
			}
		}
		if moved[state.Far] != "" && moved[state.Near] != "" {
			row.ID, row.Far, row.Near = 0, moved[state.Far], moved[state.Near]
			arrive.Put = append(arrive.Put, row)
			ev.Put, ev.Far, ev.Near = len(arrive.Put), row.Far, row.Near
		}
		u.e.journal(&arrive, ev)
		if old.Far == "" && old.Near == "" {
			leave.Drop = append(leave.Drop, m.Row)
		} else {
			leave.Put = append(leave.Put, old)
		}
	}
	if len(arrive.Journal) == 0 {
		return nil
	}
	if err := u.e.State.Commit(ctx, to, &arrive); err != nil {
		return err
	}
	return u.e.State.Commit(ctx, folder, &leave)
}
