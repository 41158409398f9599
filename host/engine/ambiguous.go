package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Where two folders are paired without a state there may be messages of which
// nobody can say whether they are each other: a server rewrote what it was given,
// or somebody edited a draft. Such messages are rows of their own, without a
// counterpart and with a note they have in common: they are neither copied nor
// removed until the user settles it, or until no message of the other side is
// left that it could be.

// hold makes rows of the messages that nobody can tell apart. Of two folders that
// were never in step, a Message-ID is enough to doubt that they are two.
func (p *paired) hold(neverInStep bool) {
	kind := ambiguity
	if !neverInStep {
		kind = sameHeaders
	}
	groups := groupBy(p.left[state.Far], p.left[state.Near], kind)
	for _, g := range groups {
		for _, d := range g.far {
			p.rows = append(p.rows, ambiguousRow(g.label, state.Far, d))
		}
		for _, d := range g.near {
			p.rows = append(p.rows, ambiguousRow(g.label, state.Near, d))
		}
	}
}

// ambiguity is what messages that may be each other have in common: the
// Message-ID or, where they have none, the header.
func ambiguity(d described) string {
	if d.id.MessageID != "" {
		return "Message-ID " + d.id.MessageID
	}
	return sameHeaders(d)
}

func sameHeaders(d described) string { return "header " + d.id.Header }

func ambiguousRow(note string, side state.Side, d described) state.Row {
	row := state.Row{Far: d.meta.Key, Flags: d.meta.Flags, Size: d.id.Size, Date: d.meta.Date, Ident: d.id.Header,
		Status: state.StatusAmbiguous, Note: note}
	if side == state.Near {
		row.Far, row.Near = "", d.meta.Key
	}
	return row
}

// ambiguous takes note of a message that is ambiguous.
func (d *differ) ambiguous(r state.Row) {
	side := state.Far
	if r.Far == "" {
		side = state.Near
	}
	if d.deltas[side].Gone[r.ID] {
		d.plan.drop = append(d.plan.drop, r.ID)
		return
	}
	if now, changed := d.deltas[side].Flags[r.ID]; changed {
		r.Flags = now
	}
	if d.doubts == nil {
		d.doubts = map[string][2][]state.Row{}
	}
	both := d.doubts[r.Note]
	both[side-state.Far] = append(both[side-state.Far], r)
	d.doubts[r.Note] = both
}

// ambiguities decides about what is ambiguous: with nothing left on the other
// side that it may be, a message is a new one.
func (d *differ) ambiguities() {
	for _, note := range slices.Sorted(maps.Keys(d.doubts)) {
		both := d.doubts[note]
		for i, side := range []state.Side{state.Far, state.Near} {
			alone := len(both[1-i]) == 0 && d.Policy.toward(side.Other())&OpNew != 0
			for _, r := range both[i] {
				switch _, changed := d.deltas[side].Flags[r.ID]; {
				case alone && !d.deltas[side].Hidden[r.ID]:
					d.renew(side, r, r.Flags)
					continue
				case changed || r.ID < 0:
					d.plan.put = append(d.plan.put, &r)
				}
				d.plan.ambiguous++
			}
		}
	}
}

// renew forgets a row and takes its message on a side for a new one.
func (d *differ) renew(side state.Side, r state.Row, now mail.Flags) {
	d.plan.drop = append(d.plan.drop, r.ID)
	if d.plan.renewed == nil {
		d.plan.renewed = map[int64]bool{}
	}
	d.plan.renewed[r.ID] = true
	d.again[side] = append(d.again[side], mail.Meta{Key: r.Key(side), Flags: now, Size: -1, Date: r.Date,
		Excluded: side == state.Far && d.Far.Excluded[r.ID]})
}

// tellAmbiguous reports the folders that hold ambiguous messages, in every run:
// what is not done is never silent.
func (e *Engine) tellAmbiguous(ctx context.Context, plan *Plan) error {
	count := map[string]int{}
	for name, f := range e.known {
		if f.Ambiguous > 0 {
			count[name] = f.Ambiguous
		}
	}
	for _, fp := range plan.Folders {
		count[fp.Name] = fp.ambiguous
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if count[name] == 0 {
			continue
		}
		err := fault.New(fault.Partial, "pair", "%d messages may or may not be each other's copies; they are neither copied nor removed", count[name]).
			InFolder(name).WithHint("imapfw state pair lists them, and settles it")
		if err := e.folderFailed(ctx, name, err); err != nil {
			return err
		}
	}
	return nil
}
