package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// rewrite is what is to be changed about a plan that was made already. It is
// collected first and done at once: a folder may hold many messages of which many
// are concerned.
type rewrite struct {
	fp   *FolderPlan
	rows map[rowAt]item      // the messages that are to be changed
	out  map[rowAt]bool      // of them, those that are not any more
	stay map[mailAt]bool     // new messages that are not copied
	back map[mailAt]bool     // removed messages that are not brought back
	keep map[int64]bool      // rows that are neither written nor forgotten
	held map[*state.Row]bool // rows of messages that are not ambiguous after all
	put  []*state.Row
	more []*Step
}

type rowAt struct {
	id   int64
	side state.Side
}

type mailAt struct {
	side state.Side
	key  mail.Key
}

func newRewrite(fp *FolderPlan) *rewrite {
	r := &rewrite{fp: fp, rows: map[rowAt]item{}, out: map[rowAt]bool{}, stay: map[mailAt]bool{}, back: map[mailAt]bool{}, keep: map[int64]bool{},
		held: map[*state.Row]bool{}}
	for _, s := range fp.Steps {
		for _, it := range s.items.all() {
			if it.row != nil {
				r.rows[rowAt{it.row.ID, s.Side}] = it
			}
		}
	}
	return r
}

// leave takes a new message out of the step that would have copied it, or out of
// those that nobody can tell apart.
func (r *rewrite) leave(a *arrival) {
	if a.held != nil {
		r.held[a.held] = true
		return
	}
	r.stay[mailAt{a.side, a.meta.Key}] = true
}

// unplan takes out what is planned for a message of which one copy is left, on
// the given side. It returns what was planned, without a row when nothing was.
func (r *rewrite) unplan(row state.Row, kept state.Side) item {
	r.keep[row.ID] = true
	r.out[rowAt{row.ID, kept}] = true
	r.back[mailAt{kept, row.Key(kept)}] = true
	return r.rows[rowAt{row.ID, kept}]
}

// add puts an item into the step that is like s.
func (r *rewrite) add(s Step, it item) {
	for _, have := range r.more {
		if have.Op == s.Op && have.Side == s.Side && have.To == s.To && have.Add == s.Add && have.Remove == s.Remove && have.Reason == s.Reason {
			have.items.add(it)
			return
		}
	}
	s.Folder, s.FolderCount, s.items = r.fp.Name, r.fp.census.now[s.Side], itemsOf(it)
	r.more = append(r.more, &s)
}

// do changes the plan.
func (r *rewrite) do() {
	p := r.fp
	for _, s := range p.Steps {
		copies := s.Op == OpPull || s.Op == OpPush
		s.items.drop(func(it item) bool {
			switch at := (mailAt{s.source(), it.meta.Key}); {
			case it.extra().again:
				return r.back[at]
			case copies:
				return r.stay[at]
			}
			return it.row != nil && r.out[rowAt{it.row.ID, s.Side}]
		})
	}
	p.ambiguous -= len(r.held)
	p.put = slices.DeleteFunc(p.put, func(row *state.Row) bool { return r.keep[row.ID] || r.held[row] })
	for id := range r.keep {
		delete(p.renewed, id)
	}
	p.drop = slices.DeleteFunc(p.drop, func(id int64) bool { return r.keep[id] })
	p.put = append(p.put, r.put...)
	for _, s := range r.more {
		p.join(s)
	}
	p.Steps = slices.DeleteFunc(p.Steps, func(s *Step) bool { return !s.ofFolder() && s.items.len() == 0 })
	p.order()
}

// join adds a step, to one that does the same if there is such a one.
func (p *FolderPlan) join(s *Step) {
	for _, have := range p.Steps {
		if have.Op == s.Op && have.Op != OpMove && have.Side == s.Side && have.Add == s.Add && have.Remove == s.Remove {
			for _, it := range s.items.all() {
				have.items.add(it)
			}
			return
		}
	}
	p.Steps = append(p.Steps, s)
}
