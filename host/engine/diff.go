package engine

import (
	"cmp"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Input is what Diff looks at.
type Input struct {
	Folder string
	Rows   []state.Row // an ID below zero is a pair that is not recorded yet
	Far    Delta
	Near   Delta
	Policy Policy
	// Settled overrides Policy.Conflict for single rows.
	Settled map[int64]Conflict
	// Again reports that the options or limits have changed by which messages
	// were refused.
	Again bool
	// Touched are rows that are not as the state has them: they were completed
	// with what a run that was cut short had done.
	Touched map[int64]bool
	// Keep tells what is to be known of the predicate on what is kept near.
	Keep KeepRules
	// Pairing tells that the folder was never in step with what the state knows:
	// nothing is removed.
	Pairing bool
}

// Diff plans one folder: given what the state knows and what changed on either
// side, it says what is to be done. It is a pure function.
func Diff(in Input) *FolderPlan {
	d := differ{
		Input: in, plan: &FolderPlan{Name: in.Folder},
		deltas: map[state.Side]Delta{state.Far: in.Far, state.Near: in.Near},
		rules:  ruledBy(in.Policy.Flags),
		flags:  map[flagStep]*Step{},
		remove: map[state.Side]*Step{},
		again:  map[state.Side][]mail.Meta{},
	}
	d.oldest = d.window()
	for i := range in.Rows {
		d.row(in.Rows[i])
	}
	d.ambiguities()
	d.fresh(state.Far)
	d.fresh(state.Near)
	d.ownMail()
	d.plan.order()
	return d.plan
}

type flagStep struct {
	side        state.Side
	add, remove mail.Flags
}

type differ struct {
	Input
	deltas map[state.Side]Delta
	plan   *FolderPlan
	rules  ruled
	flags  map[flagStep]*Step
	remove map[state.Side]*Step
	again  map[state.Side][]mail.Meta // removed on the other side, but kept
	doubts map[string][2][]state.Row  // what is ambiguous, by what it has in common: far, near
	steps  map[stepKey]*Step
	oldest mail.Key // far messages with a lower key are beyond max_messages
}

// row decides about one message that the state knows.
func (d *differ) row(r state.Row) {
	farGone, nearGone := d.missing(r, state.Far), d.missing(r, state.Near)
	switch {
	case r.Status == state.StatusRefused:
		d.refused(r)
	case r.Status == state.StatusAmbiguous:
		d.ambiguous(r)
	case r.Status == state.StatusExpired && !d.Far.Hidden[r.ID]:
		d.expired(r, farGone, nearGone)
	case r.ID < 0 && (r.Far == "" || r.Near == ""):
		d.plan.put = append(d.plan.put, &r) // it is on one side only, as before it was paired anew
	case d.deltas[state.Far].Hidden[r.ID] || d.deltas[state.Near].Hidden[r.ID]:
		d.hidden(r, farGone || nearGone)
	case d.Policy.Mirror != 0:
		d.mirror(r, farGone, nearGone)
	case farGone && nearGone:
		d.lose(r, Both, mail.Flags{})
		d.plan.drop = append(d.plan.drop, r.ID)
	case farGone:
		d.removed(r, state.Far)
	case nearGone:
		d.removed(r, state.Near)
	default:
		d.both(r)
	}
}

// hidden decides about a message that a filter hides on one side at least. The
// pair is remembered, so that neither is new when both are in sight again. When
// one of them vanishes meanwhile, the other is left to itself: it will be new.
func (d *differ) hidden(r state.Row, gone bool) {
	switch {
	case !gone && r.ID < 0:
		d.plan.put = append(d.plan.put, &r)
	case gone && r.Far != "" && r.Near != "":
		d.plan.drop = append(d.plan.drop, r.ID)
	}
}

func (d *differ) missing(r state.Row, side state.Side) bool {
	return r.Key(side) == "" || d.deltas[side].Gone[r.ID]
}

// removed decides about a message that is gone on one side only.
func (d *differ) removed(r state.Row, gone state.Side) {
	kept := gone.Other()
	now, flagged := d.deltas[kept].Flags[r.ID]
	fresh := r.Key(gone) != "" // it was there when the state was last recorded
	wanted := flagged && !now.Has(mail.Deleted)
	switch {
	case !flagged:
		d.lose(r, sidesOf(gone), r.Had(kept))
	case now.Has(mail.Deleted) && !r.Flags.Has(mail.Deleted): // removed there too
		d.lose(r, Both, now)
	default:
		d.lose(r, sidesOf(gone), now)
	}
	back := fresh && wanted && d.conflict(r).keeps(gone) && d.Policy.toward(gone)&OpNew != 0 ||
		!fresh && wanted && r.Flags.Has(mail.Deleted) // somebody took the mark off again
	if back && gone == state.Far && r.Status == state.StatusPlaceholder {
		back = false // what it stands for is nowhere any more
	}
	if fresh && wanted {
		d.contest(r, gone, back)
	}
	if back {
		d.renew(kept, r, now)
		return
	}
	one := r
	if gone == state.Far {
		one.Far = ""
	} else {
		one.Near = ""
	}
	it := item{meta: mail.Meta{Key: r.Key(kept), Flags: r.Flags, Size: r.Size, Date: r.Date}, row: &one}
	if flagged {
		it.meta.Flags = now
	}
	allowed := d.Policy.toward(kept)&OpDelete != 0
	marked := it.meta.Flags.Has(mail.Deleted)
	switch {
	case allowed && d.Policy.Expunge.Has(kept),
		marked && flagged && (fresh || !r.Flags.Has(mail.Deleted)) && d.Policy.Expunge.Has(kept):
		d.removeStep(kept, "removed on the "+gone.String()+" side", it)
	case allowed && !marked:
		d.flagStep(kept, mail.Flags{System: mail.Deleted}, mail.Flags{}, "removed on the "+gone.String()+" side", it)
	case fresh:
		if marked {
			one.Flags = one.Flags.Union(mail.Flags{System: mail.Deleted})
		}
		d.plan.put = append(d.plan.put, &one)
	}
}

// both decides about a message that is on both sides: its flags are merged, and
// each side is given what it lacks of the result.
func (d *differ) both(r state.Row) {
	farFlags, farChanged := d.deltas[state.Far].Flags[r.ID]
	nearFlags, nearChanged := d.deltas[state.Near].Flags[r.ID]
	if !farChanged {
		farFlags = r.Had(state.Far)
	}
	if !nearChanged {
		nearFlags = r.Had(state.Near)
	}
	row, base := &r, r.Flags
	// What one side has and the other cannot keep stands outside of what they
	// agree on.
	farOnly := farFlags.Intersect(r.FarOnly).Minus(nearFlags)
	nearOnly := nearFlags.Intersect(r.NearOnly).Minus(farFlags)
	want := merge(base, farFlags.Minus(farOnly), nearFlags.Minus(nearOnly), d.rules)
	leaves, note := d.leaves(r, want)
	why, whole := d.upgrade(r, want)
	whole = whole && !leaves
	put := d.unrecorded(r) || !leaves && note != r.Note
	if put {
		d.plan.put = append(d.plan.put, row)
	} else if !farChanged && !nearChanged && !leaves && !whole {
		return
	}
	now := map[state.Side]mail.Flags{state.Far: farFlags, state.Near: nearFlags}
	if d.unmark(row, now, farChanged, nearChanged) {
		want = want.Minus(mail.Flags{System: mail.Deleted})
	} else if d.expunge(row, now, want.Minus(farOnly).Minus(nearOnly), farChanged, nearChanged) {
		return
	}
	if !leaves {
		row.Note = note
	}
	// What both sides changed alike is agreed on already.
	agreed := base.Union(farFlags.Intersect(nearFlags))
	agreed = agreed.Minus(base.Minus(farFlags.Union(nearFlags)))
	if !agreed.Equal(base) || !farOnly.Equal(r.FarOnly) || !nearOnly.Equal(r.NearOnly) {
		row.Flags, row.FarOnly, row.NearOnly = agreed, farOnly, nearOnly
		if !put {
			d.plan.put = append(d.plan.put, row)
		}
	}
	apart := farOnly.Union(nearOnly)
	for _, to := range []state.Side{state.Far, state.Near} {
		if to == state.Near && leaves {
			d.expire(note, item{meta: mail.Meta{Key: r.Near, Flags: nearFlags, Size: r.Size, Date: r.Date}, row: row})
			continue
		}
		add, remove := d.Policy.allowed(to, want.Minus(now[to])), d.Policy.allowed(to, now[to].Minus(want).Minus(apart))
		if to == state.Near && whole {
			d.deliverWhole(why, row, nearFlags, add, remove)
			continue
		}
		if add.Empty() && remove.Empty() {
			continue
		}
		d.flagStep(to, add, remove, d.why(to, add.Union(remove)),
			item{meta: mail.Meta{Key: r.Key(to), Flags: now[to], Size: r.Size, Date: r.Date}, row: row})
	}
}

// why says why flags are changed on a side.
func (d *differ) why(to state.Side, changed mail.Flags) string {
	if changed.Intersect(d.rules.all()).Empty() {
		return "changed on the " + to.Other().String() + " side"
	}
	return "the option flags has it as on the " + to.Other().String() + " side"
}

// allowed leaves of a change of flags what the policy lets be carried to a side:
// \Deleted is a removal, everything else a flag.
func (p Policy) allowed(to state.Side, flags mail.Flags) mail.Flags {
	deleted := mail.Flags{System: flags.System & mail.Deleted}
	out := flags.Minus(deleted)
	ops := p.toward(to)
	if ops&OpFlags == 0 {
		out = mail.Flags{}
	}
	if ops&OpDelete != 0 {
		out = out.Union(deleted)
	}
	return out
}

// expunge plans the removal of a message that somebody marked \Deleted since the
// last run, and reports whether it did.
func (d *differ) expunge(row *state.Row, now map[state.Side]mail.Flags, want mail.Flags, farChanged, nearChanged bool) bool {
	changed := map[state.Side]bool{state.Far: farChanged, state.Near: nearChanged}
	marked := func(s state.Side) bool {
		return changed[s] && markedOn(s, *row, now[s])
	}
	if !marked(state.Far) && !marked(state.Near) {
		return false
	}
	var sides []state.Side
	for _, s := range []state.Side{state.Far, state.Near} {
		carried := marked(s.Other()) && d.Policy.toward(s)&OpDelete != 0
		if d.Policy.Expunge.Has(s) && (marked(s) || carried) {
			sides = append(sides, s)
		}
	}
	if len(sides) == 0 {
		return false // the mark travels as a flag
	}
	if !marked(state.Far) || !marked(state.Near) {
		gone := state.Far
		if marked(state.Near) {
			gone = state.Near
		}
		d.lose(*row, sidesOf(gone), now[gone.Other()])
		if changed[gone.Other()] {
			d.contest(*row, gone, false)
		}
	}
	var mark *bool
	if len(sides) == 1 {
		// One copy is expunged. The other is marked, or left alone, and known
		// from then on as one whose counterpart is gone.
		kept := sides[0].Other()
		marked := now[kept].Has(mail.Deleted)
		mark = &marked
		if !marked && d.Policy.toward(kept)&OpDelete != 0 {
			d.flagStep(kept, mail.Flags{System: mail.Deleted}, mail.Flags{}, "marked as deleted",
				item{meta: mail.Meta{Key: row.Key(kept), Flags: now[kept]}, row: row, more: &extra{marked: mark}})
		}
		// What else was changed is carried to the copy that stays.
		deleted := mail.Flags{System: mail.Deleted}
		add := d.Policy.allowed(kept, want.Minus(now[kept]).Minus(deleted))
		remove := d.Policy.allowed(kept, now[kept].Minus(want).Minus(row.FarOnly).Minus(row.NearOnly).Minus(deleted))
		if !add.Empty() || !remove.Empty() {
			d.flagStep(kept, add, remove, d.why(kept, add.Union(remove)),
				item{meta: mail.Meta{Key: row.Key(kept), Flags: now[kept]}, row: row})
		}
	}
	for _, s := range sides {
		d.removeStep(s, "marked as deleted", item{meta: mail.Meta{Key: row.Key(s), Flags: now[s]}, row: row, more: &extra{marked: mark}})
	}
	return true
}

// fresh decides about the messages of one side that the state does not know.
func (d *differ) fresh(from state.Side) {
	if d.Policy.toward(from.Other())&OpNew == 0 {
		return
	}
	step := &Step{Op: OpPull, Folder: d.Folder, Side: from.Other(), FolderCount: d.deltas[from].Count, Reason: "new"}
	if from == state.Near {
		step.Op = OpPush
	}
	for _, m := range d.again[from] {
		if from == state.Near || d.keeps(m.Key, m.Flags, m.Excluded) {
			step.items.add(item{meta: m, more: &extra{again: true}})
		}
	}
	delta := d.deltas[from]
	if step.items.len() == 0 && d.plain(from, &delta.New) {
		delta.New.Freeze() // a copy of its own would take as much again
		step.items = items{metas: delta.New}
	} else {
		d.sift(from, &delta.New, step)
	}
	if step.items.len() > 0 {
		d.plan.Steps = append(d.plan.Steps, step)
	}
}

// plain reports whether all new messages of a side are simply to be copied.
func (d *differ) plain(from state.Side, list *Metas) bool {
	for m := range list.All() {
		if m.Hidden || m.Flags.Has(mail.Deleted) || from == state.Far && !d.keeps(m.Key, m.Flags, m.Excluded) {
			return false
		}
	}
	return true
}

// sift decides about new messages one by one.
func (d *differ) sift(from state.Side, list *Metas, step *Step) {
	for m := range list.All() {
		switch {
		case m.Hidden || from == state.Far && !d.keeps(m.Key, m.Flags, m.Excluded):
		case m.Flags.Has(mail.Deleted) && d.Policy.Expunge.Has(from) && !d.Pairing:
			it := item{meta: m, row: &state.Row{Flags: m.Flags, Size: -1}}
			setKey(it.row, from, m.Key)
			d.removeStep(from, "marked as deleted before it was copied", it)
		default:
			step.items.add(item{meta: m})
		}
	}
}

func (d *differ) flagStep(to state.Side, add, remove mail.Flags, reason string, it item) {
	key := flagStep{to, add, remove}
	step := d.flags[key]
	if step == nil {
		step = &Step{Op: OpFlag, Folder: d.Folder, Side: to, Add: add, Remove: remove,
			FolderCount: d.deltas[to].Count, Reason: reason}
		d.flags[key] = step
		d.plan.Steps = append(d.plan.Steps, step)
	}
	step.items.add(it)
}

func (d *differ) removeStep(side state.Side, reason string, it item) {
	step := d.remove[side]
	if step == nil {
		step = &Step{Op: OpRemove, Folder: d.Folder, Side: side, FolderCount: d.deltas[side].Count, Reason: reason}
		d.remove[side] = step
		d.plan.Steps = append(d.plan.Steps, step)
	}
	step.items.add(it)
}

// lose notes that a message is gone somewhere: it may have been moved. now are
// the flags of the copy that is left.
func (d *differ) lose(r state.Row, gone Sides, now mail.Flags) {
	if r.Status == state.StatusPair || r.Status == state.StatusPlaceholder {
		d.plan.lost = append(d.plan.lost, lost{row: r, gone: gone, now: now})
	}
}

// order puts the steps in the order in which they are applied: content first,
// then moves, then flags, removals last.
func (p *FolderPlan) order() {
	rank := map[Op]int{OpRename: 0, OpCreate: 1, OpPull: 2, OpPush: 3, OpMove: 4, OpFlag: 5, OpRemove: 6, OpDrop: 7}
	slices.SortStableFunc(p.Steps, func(a, b *Step) int { return cmp.Compare(rank[a.Op], rank[b.Op]) })
	for _, s := range p.Steps {
		s.items.sort()
	}
}
