package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Alarm is why a guard stops a run: everything in a plan that goes beyond what
// the account allows.
type Alarm struct {
	Dangers []Danger
	// Removals is how many messages the plan removes, each counted once.
	Removals int
	// Allowed is what the command line allowed; 0 where it said nothing.
	Allowed int
	Limits  Guard
}

// Danger is one thing that a guard stops for.
type Danger struct {
	Kind   DangerKind
	Folder string     // empty for the account
	Side   state.Side // that would be written; for the kinds of emptiness, the empty one
	Count  int        // messages that would be removed or uploaded, or that are gone
	Of     int        // messages that the folder holds on Side, or that the state knew there
}

// DangerKind says which limit is exceeded.
type DangerKind string

// The kinds of dangers.
const (
	// DangerRemovals is a folder of which too much would be removed on a side.
	DangerRemovals DangerKind = "removals"
	// DangerEmptied is a folder that lost all of its mail on a side.
	DangerEmptied DangerKind = "emptied"
	// DangerSide is a side that lost all of its mail, in all folders.
	DangerSide DangerKind = "empty side"
	// DangerVanished is a side without a single folder that was there before.
	DangerVanished DangerKind = "vanished"
	// DangerAccount is an account of which too much would be removed in all.
	DangerAccount DangerKind = "account"
	// DangerAllowed is more than the command line allowed.
	DangerAllowed DangerKind = "allowed"
	// DangerUploads is much mail to be uploaded where nothing says that the two
	// sides belong together.
	DangerUploads DangerKind = "uploads"
)

const (
	// emptiedFolder is from how many messages on a folder that lost all of them
	// is taken for an accident.
	emptiedFolder = 100
	// emptiedSide is the same for a whole side. Below it, somebody may well have
	// removed the few messages there were.
	emptiedSide = 10
)

// guardFacts is what a guard looks at beside the plan.
type guardFacts struct {
	allow  int                    // removals that the command line allows; 0: nothing said
	paired bool                   // there is no state to go by
	lost   [state.Near + 1]int    // messages the state knows on a side that holds none at all
	doubt  [state.Near + 1]bool   // the side is paired anew: nothing will be removed
	trash  [state.Near + 1]string // the folders that the account uses as trash; empty where there is none
}

// guard looks for what a plan must not do without being asked for; nil is
// nothing. It is a pure function. Moves and expiry keep the messages, and in
// Trash and Junk they are on their way out: none of them count.
func (p Policy) guard(plan *Plan, facts guardFacts) *Alarm {
	a := &Alarm{Limits: p.Guard, Allowed: facts.allow}
	var all removals
	for _, fp := range plan.Folders {
		if facts.discards(fp) {
			continue
		}
		one := all.add(fp)
		for _, side := range []state.Side{state.Far, state.Near} {
			if p.Guard.On && facts.allow == 0 && one[side] > 0 {
				a.folder(fp, side, one[side])
			}
		}
	}
	a.Removals = all.messages()
	switch {
	case facts.allow > 0 && a.Removals > facts.allow:
		a.add(DangerAllowed, "", 0, a.Removals, facts.allow)
	case facts.allow == 0 && p.Guard.On && a.Removals > p.Guard.Account:
		a.add(DangerAccount, "", 0, a.Removals, 0)
	}
	if p.Guard.On {
		a.sides(facts)
		a.uploads(plan, facts)
	}
	if len(a.Dangers) == 0 {
		return nil
	}
	return a
}

func (a *Alarm) add(kind DangerKind, folder string, side state.Side, count, of int) {
	a.Dangers = append(a.Dangers, Danger{Kind: kind, Folder: folder, Side: side, Count: count, Of: of})
}

// folder looks at what would be removed of one folder on one side.
func (a *Alarm) folder(fp *FolderPlan, side state.Side, n int) {
	holds, other := fp.census.now[side], side.Other()
	emptied := fp.census.now[other] == 0 && fp.census.known[other] >= emptiedFolder && n >= emptiedFolder
	switch {
	case n > a.Limits.Hard, n > a.Limits.Max && float64(n) > a.Limits.Share*float64(holds):
		a.add(DangerRemovals, fp.Name, side, n, holds)
	case emptied:
		a.add(DangerEmptied, fp.Name, other, n, fp.census.known[other])
	}
}

// sides looks for a side that lost all of its mail. That its folders are still
// there says little: what delivers mail makes an inbox on any disk.
func (a *Alarm) sides(facts guardFacts) {
	for _, side := range []state.Side{state.Far, state.Near} {
		n := facts.lost[side]
		if n >= emptiedSide && (facts.doubt[side] || facts.allow == 0 && a.Removals > 0) {
			a.add(DangerSide, "", side, n, n)
		}
	}
}

// uploads looks for mail that would go to a server it does not belong to.
func (a *Alarm) uploads(plan *Plan, facts guardFacts) {
	if !facts.paired {
		return
	}
	far, near := 0, 0
	for _, fp := range plan.Folders {
		far, near = far+fp.census.now[state.Far], near+fp.census.now[state.Near]
	}
	if n := plan.Total(OpPush); n > a.Limits.New && far > 0 && near > 0 {
		a.add(DangerUploads, "", state.Far, n, near)
	}
}

// removals counts messages that steps remove. One that goes from both sides is
// one message.
type removals struct {
	rows    map[*state.Row]bool
	unknown int // messages without a row
}

// add counts the removals of a folder, and returns how many there are on each
// side.
func (r *removals) add(fp *FolderPlan) [state.Near + 1]int {
	var sides [state.Near + 1]int
	for _, s := range fp.Steps {
		if !s.removes() {
			continue
		}
		sides[s.Side] += s.items.len()
		for _, it := range s.items.all() {
			if it.row == nil {
				r.unknown++
				continue
			}
			if r.rows == nil {
				r.rows = map[*state.Row]bool{}
			}
			r.rows[it.row] = true
		}
	}
	return sides
}

func (r *removals) messages() int { return len(r.rows) + r.unknown }

// removes reports whether a step takes messages away that the other side does
// not keep, or marks them to be taken away.
func (s *Step) removes() bool {
	switch s.Op {
	case OpRemove:
		return !s.Expiry
	case OpFlag:
		return s.Add.Has(mail.Deleted)
	}
	return false
}
