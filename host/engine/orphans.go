package engine

import (
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/state"
)

// findOrphans finds the messages of which a run that was killed left no more than
// its intent, where both copies were moved since: what came to other folders on
// both sides, and is the same. A file keeps its name when it is moved, a message on
// a server its date of arrival.
func (e *Engine) findOrphans(ctx context.Context, plan *Plan, departures []*departure, taken map[placeOf]bool) error {
	var orphans []*departure
	for _, d := range departures {
		if d.orphan {
			orphans = append(orphans, d)
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	var came [state.Near + 1][]*arrival
	for _, side := range []state.Side{state.Far, state.Near} {
		var may []*arrival
		for a := range arrivalsOf(plan, side) {
			if !taken[a.place()] && slices.ContainsFunc(orphans, func(d *departure) bool { return d.mayBe(a) }) {
				may = append(may, a)
			}
		}
		if len(may) == 0 {
			return nil
		}
		f := &finder{e: e, side: side, departures: orphans}
		if err := f.describe(ctx, slices.Values(may)); err != nil {
			return err
		}
		came[side] = f.arrivals
	}
	for _, d := range orphans {
		if far, near := d.common(came[state.Far], came[state.Near]); far != nil && !taken[far.place()] && !taken[near.place()] {
			d.came[state.Far], d.came[state.Near] = far, near
			taken[far.place()], taken[near.place()] = true, true
		}
	}
	return nil
}

// mayBe reports whether an arrival may be the copy of an orphan on its side. IMAP
// tells the dates of what is new without being asked.
func (d *departure) mayBe(a *arrival) bool {
	if a.fp == d.fp {
		return false
	}
	key := d.row.Key(a.side)
	if _, isUID := key.UID(); !isUID && key != "" {
		return a.meta.Key == key
	}
	return a.meta.Date.IsZero() || sameDate(d.row.Date, a.meta.Date)
}

// common returns the arrivals, one of each side, that are the same message, if
// there are exactly one and one.
func (d *departure) common(far, near []*arrival) (*arrival, *arrival) {
	type pair struct{ far, near *arrival }
	var found []pair
	for _, a := range far {
		for _, b := range near {
			if d.mayBe(a) && d.mayBe(b) && a.id.telling() && (sameHeader{a.id.Header, a.id.bare()}) == (sameHeader{b.id.Header, b.id.bare()}) {
				found = append(found, pair{a, b})
			}
		}
	}
	if len(found) != 1 {
		return nil, nil
	}
	return found[0].far, found[0].near
}
