package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// KeepRules are what Diff has to know of the predicate that says what is kept
// near. Whether it selects a message is told by the message's meta.
type KeepRules struct {
	// Flagged and Unread tell that the predicate itself decides about flagged
	// and unread messages. Where it does not, a near copy that is flagged or
	// unread stays.
	Flagged, Unread bool
	// Never tells that nothing is removed near for not being kept.
	Never bool
}

// The options that a row may be noted to be expired by.
const (
	noteMessages = "messages"
	noteLimit    = "max_messages"
)

var expiryReasons = map[string]string{
	noteMessages: "it is not kept near any more: the option messages does not select it",
	noteLimit:    "it is not kept near any more: newer messages fill max_messages",
}

// window returns the far key of the oldest message that max_messages keeps near
// for its age; empty when it keeps them all. The first to arrive are the first to
// go, whatever their dates say.
func (d *differ) window() mail.Key {
	if d.Policy.MaxMessages <= 0 {
		return ""
	}
	keys := d.candidates()
	if len(keys) <= d.Policy.MaxMessages {
		return ""
	}
	slices.Sort(keys)
	return keys[len(keys)-d.Policy.MaxMessages]
}

// candidates are the far keys among which max_messages chooses the newest.
func (in Input) candidates() []mail.Key {
	var keys []mail.Key
	for _, r := range in.Rows {
		gone := r.Far == "" || in.Far.Gone[r.ID] || in.Far.Hidden[r.ID]
		removed := r.Status != state.StatusExpired && in.Policy.Mirror != state.Near && (r.Near == "" || in.Near.Gone[r.ID])
		if !gone && !removed && !in.excluded(r) {
			keys = append(keys, r.Far)
		}
	}
	for m := range in.Far.New.All() {
		if !m.Hidden && !m.Excluded {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// excluded reports whether the predicate leaves out the message of a row, by
// what was read now, else by what was noted.
func (in Input) excluded(r state.Row) bool {
	switch {
	case in.Far.Excluded[r.ID]:
		return true
	case in.Far.Kept[r.ID]:
		return false
	}
	return r.Note == noteMessages
}

// beyond reports whether max_messages does not keep a far message near.
func (d *differ) beyond(key mail.Key, flags mail.Flags) bool {
	if key >= d.oldest || flags.Has(mail.Flagged) {
		return false
	}
	return flags.Has(mail.Seen) || d.Policy.ExpireUnread
}

// keeps reports whether a far message that is not near is to be there.
func (d *differ) keeps(key mail.Key, flags mail.Flags, excluded bool) bool {
	return !excluded && !d.beyond(key, flags)
}

// leaves reports whether the near copy of a pair is not to be kept, and why. Of
// one that stays for its flags only, the reason is noted: when they change, the
// far message may not be read again.
func (d *differ) leaves(r state.Row, flags mail.Flags) (leaves bool, note string) {
	if d.Keep.Never || d.Policy.Pull == OpsNone {
		return false, r.Note
	}
	switch {
	case d.excluded(r):
		spared := flags.Has(mail.Flagged) && !d.Keep.Flagged || !flags.Has(mail.Seen) && !d.Keep.Unread
		leaves, note = !spared, noteMessages
	case d.beyond(r.Far, flags):
		leaves, note = true, noteLimit
	}
	if leaves && r.ID < 0 {
		// Two sides that were paired just now: nothing is removed in this run.
		d.plan.again |= FarSide
		leaves = false
	}
	return leaves, note
}

// expired decides about a message that is not kept near: it comes back when it is
// to be kept again, and nothing that happens near concerns it.
func (d *differ) expired(r state.Row, farGone, nearGone bool) {
	far := d.Far.Flags
	switch {
	case r.ID < 0: // found again in a folder that is paired anew
		d.plan.put = append(d.plan.put, &r)
		if d.Far.Kept[r.ID] {
			d.plan.again |= FarSide
		}
		return
	case farGone && nearGone:
		d.plan.drop = append(d.plan.drop, r.ID)
		return
	case farGone: // the run that was to remove the near copy was cut short
		r.Status, r.Note = state.StatusPair, ""
		d.removed(r, state.Far)
		return
	case !nearGone:
		d.expire(r.Note, item{meta: mail.Meta{Key: r.Near, Flags: r.Flags, Size: r.Size, Date: r.Date}, row: &r})
		d.plan.again |= FarSide // it may be wanted again meanwhile
		return
	}
	put := r.Near != "" || d.Touched[r.ID]
	r.Near = ""
	if flags, changed := far[r.ID]; changed {
		r.Flags, r.FarOnly, r.NearOnly, put = flags, mail.Flags{}, mail.Flags{}, true
	}
	excluded := d.excluded(r)
	if d.keeps(r.Far, r.Flags, excluded) && d.Policy.Pull&OpNew != 0 {
		d.pullAgain(item{meta: mail.Meta{Key: r.Far, Flags: r.Flags, Size: r.Size, Date: r.Date}, row: &r})
		return
	}
	note := r.Note
	if excluded {
		note = noteMessages
	} else if note == noteMessages {
		note = noteLimit
	}
	if put || note != r.Note {
		r.Note = note
		d.plan.put = append(d.plan.put, &r)
	}
}

// expire plans the removal of a near copy that is not kept any more.
func (d *differ) expire(note string, it item) {
	it.also().note = note
	d.stepFor(OpRemove, state.Near, expiryReasons[note], func(s *Step) { s.Expiry = true }).add(it)
}

// pullAgain plans that a message that has a row gets a near copy again.
func (d *differ) pullAgain(it item) {
	d.stepFor(OpPull, state.Near, "it is kept near again", nil).add(it)
}

// stepFor returns the step of an operation, side and reason, which is made when
// it is asked for first.
func (d *differ) stepFor(op Op, side state.Side, reason string, set func(*Step)) *Step {
	key := stepKey{op, side, reason}
	if d.steps[key] == nil {
		s := &Step{Op: op, Folder: d.Folder, Side: side, Reason: reason}
		s.FolderCount = d.deltas[s.source()].Count
		if set != nil {
			set(s)
		}
		if d.steps == nil {
			d.steps = map[stepKey]*Step{}
		}
		d.steps[key] = s
		d.plan.Steps = append(d.plan.Steps, s)
	}
	return d.steps[key]
}

// stepKey tells apart the steps that Diff gathers messages in.
type stepKey struct {
	op     Op
	side   state.Side
	reason string
}

func (s *Step) add(it item) { s.items.add(it) }
