package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What a filter hides is neither changed nor removed. Which messages it hides is
// told with those that are handed out, and a reading of what changed does not
// hand out the others.

// lookAgain reads a side in full that a plan would change messages of without
// knowing whether they are in sight. It reports whether there was such a side:
// then the plan is to be made anew.
func (r *reading) lookAgain(ctx context.Context, plan *FolderPlan) (again bool, err error) {
	for _, side := range []state.Side{state.Far, state.Near} {
		if !changes(plan, side) || r.results[side].Complete {
			continue
		}
		ref := refOf(r.p.name, r.results[side])
		if !r.results[side].Filtered && r.unread[side] {
			// Nothing changed there, so nobody asked the side yet.
			res, err := r.e.store(side).Changes(ctx, ref, r.results[side].Cursor, func([]mail.Meta) error { return nil })
			if err != nil {
				return false, err
			}
			if !res.Filtered {
				continue
			}
		} else if !r.results[side].Filtered {
			continue
		}
		if err := r.readAgain(ctx, side); err != nil {
			return false, err
		}
		again = true
	}
	return again, nil
}

// readAgain reads a side in full that was not. Only where all keys are good is a side
// not read in full: so there are no rows but those of the state, and what was new on
// both sides.
func (r *reading) readAgain(ctx context.Context, side state.Side) error {
	if err := r.whole(ctx); err != nil {
		return err
	}
	c := newComparer(r.rows, side)
	res, err := r.e.store(side).Changes(ctx, refOf(r.p.name, r.results[side]), "", c.add)
	if err == nil {
		r.results[side], r.deltas[side] = res, c.finish(res)
		r.adoptOn(side)
	}
	return err
}

// changes reports whether a plan changes messages that a side has.
func changes(plan *FolderPlan, side state.Side) bool {
	for _, s := range plan.Steps {
		if s.Side == side && (s.Op == OpFlag || s.Op == OpRemove) {
			return true
		}
	}
	return false
}
