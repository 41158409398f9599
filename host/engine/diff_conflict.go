package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A conflict is a message that was removed on one side, or marked as deleted to be
// expunged there, while its flags were changed on the other.

// Conflicts returns the messages of an Input that were removed on one side and
// whose flags were changed on the other, by row ID.
func Conflicts(in Input) map[int64]ConflictCase {
	out := map[int64]ConflictCase{}
	for _, r := range in.Rows {
		for gone, deltas := range map[state.Side][2]Delta{state.Far: {in.Far, in.Near}, state.Near: {in.Near, in.Far}} {
			now, flagged := deltas[1].Flags[r.ID]
			there, marked := deltas[0].Flags[r.ID]
			removed := deltas[0].Gone[r.ID] || marked && markedOn(gone, r, there) && in.Policy.Expunge != NoSide
			if flagged && r.Status != state.StatusExpired && !now.Has(mail.Deleted) && removed && !deltas[0].Hidden[r.ID] && !deltas[1].Hidden[r.ID] {
				out[r.ID] = ConflictCase{Folder: in.Folder, RemovedOn: gone, Key: r.Key(gone.Other()), Flags: now}
			}
		}
	}
	return out
}

// conflict is what wins for a message.
func (d *differ) conflict(r state.Row) Conflict {
	if c, ok := d.Settled[r.ID]; ok {
		return c
	}
	return d.Policy.Conflict
}

// unmark reports whether a mark as deleted that one side has set is taken off
// again, since the other side changed the message and the options let that win.
func (d *differ) unmark(row *state.Row, now map[state.Side]mail.Flags, farChanged, nearChanged bool) bool {
	if !farChanged || !nearChanged {
		return false
	}
	for _, s := range []state.Side{state.Far, state.Near} {
		if markedOn(s, *row, now[s]) && !now[s.Other()].Has(mail.Deleted) && d.Policy.Expunge != NoSide {
			keeps := d.conflict(*row).keeps(s) && d.Policy.toward(s)&OpDelete != 0
			if keeps {
				d.contest(*row, s, true)
			}
			return keeps
		}
	}
	return false
}

// markedOn reports whether a message was marked as deleted on a side since the
// state was recorded.
func markedOn(s state.Side, r state.Row, now mail.Flags) bool {
	return now.Has(mail.Deleted) && !r.Had(s).Has(mail.Deleted)
}

// contested is a conflict that was settled.
type contested struct {
	row       int64
	removedOn state.Side
	kept      bool
}

// contest notes a conflict, which the user is told of.
func (d *differ) contest(r state.Row, removedOn state.Side, kept bool) {
	d.plan.contested = append(d.plan.contested, contested{r.ID, removedOn, kept})
}

// tellConflicts tells how conflicts were settled, of messages that did not turn
// out to have been moved.
func (e *Engine) tellConflicts(plan *Plan) {
	for _, fp := range plan.Folders {
		removed := map[int64]bool{}
		for _, s := range fp.Steps {
			for _, it := range s.items.all() {
				if s.removes() && it.row != nil {
					removed[it.row.ID] = true
				}
			}
		}
		counts := map[contested]int{}
		for _, c := range fp.contested {
			if c.kept || removed[c.row] {
				counts[contested{removedOn: c.removedOn, kept: c.kept}]++
			}
		}
		for _, side := range []state.Side{state.Far, state.Near} {
			for _, kept := range []bool{false, true} {
				n := counts[contested{removedOn: side, kept: kept}]
				if n == 0 {
					continue
				}
				outcome := "the removal wins"
				if kept {
					outcome = "they are kept"
				}
				e.told(fp.Name, "%d messages were removed on the %s side and changed on the %s side: %s", n, side, side.Other(), outcome)
			}
		}
	}
}
