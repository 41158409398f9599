package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// leaveMoved leaves alone what a run over some folders cannot tell from a move:
// a message that is gone from a folder it looks into may be in one that it does
// not look into. Where none of those changed, it is not.
func (e *Engine) leaveMoved(plan *Plan) {
	if e.Once.Folders == nil {
		return
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		if !e.changedElsewhere(side) {
			continue
		}
		for _, fp := range plan.Folders {
			if n := fp.keepGone(side); n > 0 {
				e.told(fp.Name, "%d messages that are gone on the %s side are left alone on the other: "+
					"they may be in a folder that this run does not look into", n, side)
			}
		}
	}
}

// changedElsewhere reports whether a folder that this run does not look into may
// have got a message on a side.
func (e *Engine) changedElsewhere(side state.Side) bool {
	for name, f := range e.listed[side] {
		if f.Hidden || !f.Selectable() || e.Once.chosen(name) {
			continue
		}
		known, ok := e.known[name]
		epoch, cursor := known.FarEpoch, known.FarCursor
		if side == state.Near {
			epoch, cursor = known.NearEpoch, known.NearCursor
		}
		if !ok || !still(f, epoch, cursor) {
			return true
		}
	}
	return false
}

// keepGone takes out of a plan the removals of messages that are gone on a side,
// and returns how many there were. The next run looks at them again.
func (fp *FolderPlan) keepGone(side state.Side) int {
	n := 0
	for _, s := range fp.Steps {
		if s.Side == side || s.Expiry || !s.removes() {
			continue
		}
		gone := map[mail.Key]bool{}
		for _, it := range s.items.all() {
			if it.row != nil && it.row.Key(side) == "" {
				gone[it.meta.Key] = true
			}
		}
		n += s.without(func(k mail.Key) bool { return gone[k] })
	}
	if n > 0 {
		fp.blocked.Store(true)
		fp.Steps = slices.DeleteFunc(fp.Steps, func(s *Step) bool { return !s.ofFolder() && s.items.len() == 0 })
	}
	return n
}
