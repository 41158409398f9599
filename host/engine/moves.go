package engine

import (
	"fmt"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A message that is gone from one folder and new in another of the same side,
// and is the same mail, was moved there. Planned folder by folder it would be
// removed in one place and copied to another; joined, it is moved on the other
// side too, and what became of its flags meanwhile is merged as ever.

// lost is a message that is gone from its folder on one side, or on both.
type lost struct {
	row  state.Row  // as the state has it
	gone Sides      // where it is gone
	now  mail.Flags // the flags of the copy that is left, where one is
	// orphan: all that is known of it is that it was under way to the other side
	// when a run was killed. Both copies, if there are two, went somewhere since.
	orphan bool
}

// arrival is a message that is new in a folder on one side.
type arrival struct {
	fp   *FolderPlan
	side state.Side
	meta mail.Meta
	id   Identity
	// held is its row where it may or may not be one of the other side's new
	// messages: what left another folder tells better what it is.
	held *state.Row
}

// departure is a lost message, and what it has become on each side.
type departure struct {
	lost
	stray bool // one that the state has no row of, but an intent
	fp    *FolderPlan
	id    Identity
	came  [state.Near + 1]*arrival
}

// from reports whether the message may have been moved on a side.
func (d *departure) from(side state.Side) bool {
	return !d.orphan && d.gone.Has(side) && (d.gone != Both || d.row.Key(side) != "")
}

// moved is what a move makes of a message: its pair in the other folder, in which
// the key on the side that is written is yet to come.
type moved struct {
	row *state.Row
	id  Identity
	was int64 // the row that the message had
	// from is the folder that the state has the message in. Its row there goes.
	from *FolderPlan
}

// joiner rewrites the plans of an account so that what was moved is moved. It
// does no I/O.
type joiner struct {
	policy  Policy
	rules   ruled
	settled map[*departure]Conflict // by a script
	plans   map[*FolderPlan]*rewrite
	notes   []Note
	trash   [state.Near + 1]string // folders; empty where a side has none
}

func (j *joiner) plan(fp *FolderPlan) *rewrite {
	if j.plans[fp] == nil {
		j.plans[fp] = newRewrite(fp)
	}
	return j.plans[fp]
}

// join rewrites the plans for one message that came somewhere.
func (j *joiner) join(d *departure) {
	far, near := d.came[state.Far], d.came[state.Near]
	switch {
	case far != nil && near != nil:
		j.apart(d, far, near)
	case far != nil:
		j.one(d, far)
	case near != nil:
		j.one(d, near)
	}
}

// one decides about a message that was moved on one side only.
func (j *joiner) one(d *departure, a *arrival) {
	other := a.side.Other()
	switch {
	case d.row.Key(other) == "":
		// It was removed there before, and that was not carried here: it is
		// neither copied again nor forgotten.
		j.carry(d, a)
	case d.gone == Both:
		j.removedThere(d, a)
	case a.fp == d.fp && d.stray:
	case a.fp == d.fp:
		j.rename(d, a)
	default:
		j.follow(d, a)
	}
}

// follow moves the copy on the other side.
func (j *joiner) follow(d *departure, a *arrival) {
	to := a.side.Other()
	if j.policy.toward(to)&OpDelete == 0 {
		return // as far as allowed: it is copied, and stays where it was
	}
	if d.stray {
		j.plan(d.fp).stay[mailAt{to, d.row.Key(to)}] = true
	}
	it := j.plan(d.fp).unplan(d.row, to)
	if it.row == nil {
		gone := d.row
		setKey(&gone, a.side, "")
		it.row = &gone
	}
	it.meta = mail.Meta{Key: d.row.Key(to), Flags: d.now, Size: d.row.Size, Date: d.row.Date}
	j.move(d, a, d.fp, it, "moved on the "+a.side.String()+" side")
}

// move plans that a message comes to the folder in which its counterpart is.
func (j *joiner) move(d *departure, a *arrival, from *FolderPlan, it item, reason string) {
	to := a.side.Other()
	row := d.row
	row.ID = 0
	setKey(&row, a.side, a.meta.Key)
	setKey(&row, to, "")
	j.plan(a.fp).leave(a)
	add, remove := j.merge(a, &row, it.meta.Flags)
	it.also().moved = &moved{row: &row, id: a.id, was: max(d.row.ID, 0), from: d.fp}
	j.plan(from).add(Step{Op: OpMove, Side: to, To: a.fp.Name, Add: add, Remove: remove, Reason: reason}, it)
}

// merge plans what a message that came somewhere gets of the flags of its copy on
// the other side, and returns what the copy gets.
func (j *joiner) merge(a *arrival, row *state.Row, there mail.Flags) (add, remove mail.Flags) {
	here := a.meta.Flags
	if marks := (mail.Flags{System: mail.Deleted}); here.Has(mail.Deleted) && !row.Flags.Has(mail.Deleted) {
		// Moved and then removed: the next run, which finds the pair in its
		// place, removes it.
		here = here.Minus(marks)
		a.fp.blocked.Store(true)
	}
	far, near := here, there
	if a.side == state.Near {
		far, near = there, here
	}
	want, apart := agree(row, far, near, j.rules)
	change := func(to state.Side, now mail.Flags) (add, remove mail.Flags) {
		return j.policy.allowed(to, want.Minus(now)), j.policy.allowed(to, now.Minus(want).Minus(apart))
	}
	if add, remove = change(a.side, here); !add.Empty() || !remove.Empty() {
		j.plan(a.fp).add(Step{Op: OpFlag, Side: a.side, Add: add, Remove: remove,
			Reason: "changed on the " + a.side.Other().String() + " side"}, item{meta: a.meta, row: row})
	}
	return change(a.side.Other(), there)
}

// rename gives a message its new key in the same folder: another program gave its
// file another name, or put the same message there once more.
func (j *joiner) rename(d *departure, a *arrival) {
	plan, other := j.plan(d.fp), a.side.Other()
	if plan.rows[rowAt{d.row.ID, a.side}].row != nil {
		return // the old one is still there, and to be removed
	}
	plan.unplan(d.row, other)
	plan.leave(a)
	row := d.row
	setKey(&row, a.side, a.meta.Key)
	add, remove := j.merge(a, &row, d.now)
	if !add.Empty() || !remove.Empty() {
		plan.add(Step{Op: OpFlag, Side: other, Add: add, Remove: remove, Reason: "changed on the " + a.side.String() + " side"},
			item{meta: mail.Meta{Key: row.Key(other), Flags: d.now, Size: row.Size, Date: row.Date}, row: &row})
	}
	plan.put = append(plan.put, &row)
}

// carry takes what the state knows of a message along to where it came.
func (j *joiner) carry(d *departure, a *arrival) *state.Row {
	row := d.row
	row.ID = 0
	setKey(&row, a.side, a.meta.Key)
	setKey(&row, a.side.Other(), "")
	j.plan(a.fp).leave(a)
	j.plan(a.fp).put = append(j.plan(a.fp).put, &row)
	return &row
}

// removedThere decides about a message that was moved on one side and removed on
// the other. A move is a change like any other.
func (j *joiner) removedThere(d *departure, a *arrival) {
	conflict, ok := j.settled[d]
	if !ok {
		conflict = j.policy.Conflict
	}
	if a.fp.Name == j.trash[a.side] {
		return // that is how messages are removed here, and a run that was cut short may have done it
	}
	other := a.side.Other()
	what := fmt.Sprintf("a message was moved to %q on the %s side and removed on the %s side", a.fp.Name, a.side, other)
	if conflict.keeps(other) {
		j.note(d, what+": it is kept")
		return
	}
	row := j.carry(d, a)
	if j.policy.toward(a.side)&OpDelete == 0 {
		return // left alone, as it would be without the move
	}
	j.note(d, what+": it is removed")
	s := Step{Op: OpRemove, Side: a.side, Reason: "removed on the " + other.String() + " side"}
	if !j.policy.Expunge.Has(a.side) {
		s.Op, s.Add = OpFlag, mail.Flags{System: mail.Deleted}
	}
	j.plan(a.fp).add(s, item{meta: a.meta, row: row})
}

// apart decides about a message that was moved on both sides, to different
// folders: one side's place wins.
func (j *joiner) apart(d *departure, far, near *arrival) {
	wins, loses := far, near
	switch {
	case far.fp == near.fp:
		return
	case near.fp == d.fp: // it only has another key there
	case far.fp == d.fp, j.policy.Conflict == ConflictNear:
		wins, loses = near, far
	}
	if ops := j.policy.toward(loses.side); ops&OpNew == 0 || ops&OpDelete == 0 {
		return
	}
	if loses.fp != d.fp {
		j.note(d, fmt.Sprintf("a message was moved to %q on the far side and to %q on the near side: it goes to %q",
			far.fp.Name, near.fp.Name, wins.fp.Name))
	}
	j.plan(d.fp).keep[d.row.ID] = true // it is forgotten with the move, not before
	j.plan(loses.fp).leave(loses)
	gone := d.row
	gone.Far, gone.Near = "", ""
	it := item{row: &gone, meta: loses.meta}
	for _, side := range []state.Side{state.Far, state.Near} {
		if planned := j.plan(d.fp).rows[rowAt{d.row.ID, side}]; planned.row != nil {
			it.row = planned.row
		}
	}
	j.move(d, wins, loses.fp, it, "moved on the "+wins.side.String()+" side too")
}

func (j *joiner) note(d *departure, text string) {
	j.notes = append(j.notes, Note{Folder: d.fp.Name, Text: text})
}
