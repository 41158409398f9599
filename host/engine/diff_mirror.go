package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A mirror is written on one side only, the target. What changes on the source is
// carried there, and what changes on the target is undone.

// mirrored returns the policy of a mirror: nothing is written on its source.
func (p Policy) mirrored() Policy {
	switch p.Mirror {
	case state.Near:
		p.Push = OpsNone
	case state.Far:
		p.Pull = OpsNone
	}
	return p
}

// mirror decides about a message that the state knows.
func (d *differ) mirror(r state.Row, farGone, nearGone bool) {
	target := d.Policy.Mirror
	sourceGone, targetGone := farGone, nearGone
	if target == state.Far {
		sourceGone, targetGone = nearGone, farGone
	}
	switch {
	case sourceGone && targetGone:
		d.plan.drop = append(d.plan.drop, r.ID)
	case sourceGone:
		d.removeFromMirror(r)
	case targetGone:
		d.restore(r)
	default:
		d.reset(r)
	}
}

// removeFromMirror carries a removal.
func (d *differ) removeFromMirror(r state.Row) {
	target := d.Policy.Mirror
	now, changed := d.deltas[target].Flags[r.ID]
	if !changed {
		now = r.Had(target)
	}
	fresh := r.Key(target.Other()) != ""
	d.lose(r, sidesOf(target.Other()), now)
	one := r
	setKey(&one, target.Other(), "")
	it := item{meta: mail.Meta{Key: r.Key(target), Flags: now, Size: r.Size, Date: r.Date}, row: &one}
	reason := "removed on the " + target.Other().String() + " side"
	switch {
	case d.Policy.toward(target)&OpDelete == 0:
		if fresh {
			d.plan.put = append(d.plan.put, &one)
		}
	case d.Policy.Expunge.Has(target):
		d.removeStep(target, reason, it)
	case !now.Has(mail.Deleted):
		d.flagStep(target, mail.Flags{System: mail.Deleted}, mail.Flags{}, reason, it)
	case fresh:
		d.plan.put = append(d.plan.put, &one)
	}
}

// restore brings back a message that was removed on the target.
func (d *differ) restore(r state.Row) {
	target := d.Policy.Mirror
	source := target.Other()
	fresh := r.Key(target) != ""
	setKey(&r, target, "")
	now, changed := d.deltas[source].Flags[r.ID]
	if !changed {
		now = r.Had(source)
	}
	switch excluded := d.excluded(r); {
	case target == state.Near && !d.keeps(r.Far, now, excluded):
		r.Status, r.Note = state.StatusExpired, noteLimit
		if excluded {
			r.Note = noteMessages
		}
		d.plan.put = append(d.plan.put, &r)
	case d.Policy.toward(target)&OpNew != 0:
		op := OpPull
		if target == state.Far {
			op = OpPush
		}
		d.stepFor(op, target, "removed on the "+target.String()+" side, which is a mirror", nil).
			add(item{meta: mail.Meta{Key: r.Key(source), Flags: now, Size: r.Size, Date: r.Date}, row: &r})
	case fresh:
		d.plan.put = append(d.plan.put, &r)
	}
}

// reset gives the copy on the target the flags of the source.
func (d *differ) reset(r state.Row) {
	target := d.Policy.Mirror
	source := target.Other()
	now := map[state.Side]mail.Flags{}
	changed := d.unrecorded(r)
	for _, side := range []state.Side{state.Far, state.Near} {
		flags, news := d.deltas[side].Flags[r.ID]
		if !news {
			flags = r.Had(side)
		}
		now[side], changed = flags, changed || news
	}
	leaves, note := d.leaves(r, now[source])
	why, whole := d.upgrade(r, now[source])
	if !changed && !leaves && !whole && note == r.Note {
		return
	}
	row := &r
	if leaves {
		d.expire(note, item{meta: mail.Meta{Key: r.Near, Flags: now[state.Near], Size: r.Size, Date: r.Date}, row: row})
		return
	}
	before, put := r, d.unrecorded(r) || note != r.Note
	row.Note = note
	_, apart := agree(row, now[state.Far], now[state.Near], ruled{})
	want := now[source].Minus(apart)
	put = put || !sameFlags(r, before)
	if put {
		d.plan.put = append(d.plan.put, row)
	}
	add, remove := d.undone(want.Minus(now[target])), d.undone(now[target].Minus(want))
	switch {
	case whole:
		d.deliverWhole(why, row, now[state.Near], add, remove)
	case !add.Empty() || !remove.Empty():
		d.flagStep(target, add, remove, "as on the "+source.String()+" side, which it mirrors",
			item{meta: mail.Meta{Key: r.Key(target), Flags: now[target], Size: r.Size, Date: r.Date}, row: row})
	}
}

// undone leaves of a change of flags what the policy lets be done on the target.
func (d *differ) undone(flags mail.Flags) mail.Flags {
	if d.Policy.toward(d.Policy.Mirror)&OpFlags == 0 {
		return mail.Flags{}
	}
	return flags
}

// unrecorded reports whether a row is not as the state has it.
func (d *differ) unrecorded(r state.Row) bool { return r.ID < 0 || d.Touched[r.ID] }

// ownMail decides about the messages that the target has for itself. In a run
// that pairs nothing is removed.
func (d *differ) ownMail() {
	target := d.Policy.Mirror
	if target == 0 || d.Policy.toward(target)&OpDelete == 0 || !d.Policy.Expunge.Has(target) {
		return
	}
	delta := d.deltas[target]
	for m := range delta.New.All() {
		switch {
		case m.Hidden:
		case d.Pairing:
			d.plan.again |= sidesOf(target)
		default:
			row := state.Row{Flags: m.Flags, Size: -1}
			setKey(&row, target, m.Key)
			d.stepFor(OpRemove, target, "it is not on the "+target.Other().String()+" side, which is mirrored", nil).add(item{meta: m, row: &row})
		}
	}
}
