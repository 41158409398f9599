package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/foreign"
	"github.com/imapfw/imapfw/host/wire"
)

// adoption is what becomes of another tool's memory of a folder. It is a pure
// function in steps.
type adoption struct {
	state    *foreign.State
	policy   Policy
	removals bool // carry what was removed since the tool's last run

	metas   map[state.Side]map[mail.Key]mail.Meta
	order   map[state.Side][]mail.Key
	pairs   []*adopted
	alone   []aloneness
	singles []state.Row
	used    map[state.Side]map[mail.Key]bool

	// What the user is told.
	expired, placeholders, removed, skipped, moved, odd, held int
	paired, ambiguous                                         int // by content, of what the tool did not know
}

// adopted is a pair of messages that the tool knows and that both sides have.
type adopted struct {
	row  state.Row
	kind foreign.Kind
	bad  bool // it turned out not to be one message
}

// aloneness is a message that the tool had a pair for, which is gone.
type aloneness struct {
	pair foreign.Pair
	side state.Side
	key  mail.Key
}

// match finds the messages of the pairs.
func (a *adoption) match(far, near []mail.Meta) {
	a.metas, a.order, a.used = map[state.Side]map[mail.Key]mail.Meta{}, map[state.Side][]mail.Key{}, map[state.Side]map[mail.Key]bool{}
	keys := map[state.Side]map[uint32]mail.Key{}
	for side, list := range map[state.Side][]mail.Meta{state.Far: far, state.Near: near} {
		byKey := make(map[mail.Key]mail.Meta, len(list))
		for _, m := range list {
			if _, twice := byKey[m.Key]; !twice {
				a.order[side] = append(a.order[side], m.Key)
			}
			byKey[m.Key] = m
		}
		a.metas[side], a.used[side] = byKey, map[mail.Key]bool{}
		var others int
		keys[side], others = a.state.Keys(a.order[side])
		a.moved += others
	}
	known := make(map[uint32]bool, len(a.state.Pairs))
	for _, p := range a.state.Pairs {
		known[p.Far] = true
		farKey, farThere := keys[state.Far][p.Far]
		nearKey, nearThere := keys[state.Near][p.Near]
		switch {
		case p.Kind == foreign.Skipped:
			a.skipped++
		case farThere && nearThere:
			a.both(p, farKey, nearKey)
		case p.Kind == foreign.Expired && farThere:
			a.expire(farKey)
		case farThere:
			a.alone = append(a.alone, aloneness{p, state.Far, farKey})
		case nearThere:
			a.alone = append(a.alone, aloneness{p, state.Near, nearKey})
		}
	}
	for uid, key := range keys[state.Far] {
		if uid <= a.state.ExpiredTo && !known[uid] {
			a.expire(key)
		}
	}
}

// both adopts a pair. Its flags are those that the tool saw both sides agree on:
// what either side has otherwise is a change to carry. A mark of \Deleted that
// one side has is left where it is, unless removals are to be carried.
func (a *adoption) both(p foreign.Pair, far, near mail.Key) {
	f, n := a.metas[state.Far][far], a.metas[state.Near][near]
	row := state.Row{Far: far, Near: near, Flags: p.Flags, Size: -1, Date: f.Date}
	if f.Date.IsZero() {
		row.Date = n.Date
	}
	if !row.Flags.Has(mail.Deleted) && !a.removals || p.Kind == foreign.Expired {
		marked := [2]bool{f.Flags.Has(mail.Deleted), n.Flags.Has(mail.Deleted)}
		switch {
		case marked[0] && marked[1]:
			row.Flags = row.Flags.Union(deletedFlag)
		case marked[0]:
			row.FarOnly = deletedFlag
			a.held++
		case marked[1]:
			row.NearOnly = deletedFlag
			a.held++
		}
	}
	switch p.Kind {
	case foreign.NearPlaceholder:
		row.Status = state.StatusPlaceholder
		// mbsync does not carry that a placeholder was read: the message was not.
		read := mail.Flags{System: n.Flags.System & mail.Seen &^ p.Flags.System &^ f.Flags.System}
		row.NearOnly = row.NearOnly.Union(read)
		a.placeholders++
	case foreign.FarPlaceholder:
		a.odd++
	}
	a.pairs = append(a.pairs, &adopted{row: row, kind: p.Kind})
	a.used[state.Far][far], a.used[state.Near][near] = true, true
}

// expire adopts a far message that is not kept near.
func (a *adoption) expire(key mail.Key) {
	m := a.metas[state.Far][key]
	a.singles = append(a.singles, state.Row{Far: key, Flags: m.Flags, Size: sizeOf(m), Date: m.Date, Status: state.StatusExpired, Note: noteLimit})
	a.used[state.Far][key] = true
	a.expired++
}

// settle decides about messages whose counterparts are gone, now that it is known
// which of them were found again by their content. Where the account does not
// carry removals, they stay as they are. Elsewhere they would be removed by the
// next sync, on the word of another tool: they are copied back instead, unless
// the user said otherwise.
func (a *adoption) settle(found []state.Row) {
	for _, row := range found {
		a.used[state.Far][row.Far], a.used[state.Near][row.Near] = true, true
	}
	for _, one := range a.alone {
		if !a.used[one.side][one.key] {
			a.single(one.pair, one.side, one.key)
		}
	}
}

func (a *adoption) single(p foreign.Pair, side state.Side, key mail.Key) {
	m := a.metas[side][key]
	carries := a.policy.toward(side)&OpDelete != 0 && (a.policy.Expunge.Has(side) || !m.Flags.Has(mail.Deleted))
	if carries && !a.removals {
		a.removed++
		return
	}
	row := state.Row{Far: key, Flags: p.Flags, Size: sizeOf(m), Date: m.Date}
	if !a.removals { // a mark that is there is no news
		row.Flags = row.Flags.Union(m.Flags.Intersect(deletedFlag))
	}
	if side == state.Near {
		row.Far, row.Near = "", key
	}
	a.singles = append(a.singles, row)
	a.used[side][key] = true
}

// sizeOf is a size in CRLF form, -1 where it is not known: only servers tell it.
func sizeOf(m mail.Meta) int64 {
	if _, isUID := m.Key.UID(); isUID {
		return m.Size
	}
	return -1
}

// left returns the messages of a side that nothing was adopted about.
func (a *adoption) left(side state.Side) []mail.Meta {
	var out []mail.Meta
	for _, key := range a.order[side] {
		if !a.used[side][key] {
			out = append(out, a.metas[side][key])
		}
	}
	return out
}

// rows returns what is to be recorded.
func (a *adoption) rows() []state.Row {
	var out []state.Row
	for _, p := range a.pairs {
		if !p.bad {
			out = append(out, p.row)
		}
	}
	return append(out, a.singles...)
}

// clean reports whether there is nothing for a sync to do.
func (a *adoption) clean() bool {
	if len(a.singles)+a.placeholders+len(a.left(state.Far))+len(a.left(state.Near)) > 0 {
		return false
	}
	for _, p := range a.pairs {
		for _, side := range []state.Side{state.Far, state.Near} {
			m := a.metas[side][p.row.Key(side)]
			if p.bad || m.Hidden || !m.Flags.Equal(p.row.Had(side)) {
				return false
			}
		}
	}
	return true
}

func (a *adoption) value(folder string) wire.Map {
	good, bad := 0, 0
	for _, p := range a.pairs {
		if p.bad {
			bad++
		} else {
			good++
		}
	}
	v := wire.Map{"folder": folder, "file": a.state.File}
	for name, n := range map[string]int{
		"pairs": good, "wrong": bad, "expired": a.expired, "placeholders": a.placeholders, "far_placeholders": a.odd,
		"removed": a.removed, "skipped": a.skipped, "moved": a.moved, "held": a.held,
		"paired": a.paired, "ambiguous": a.ambiguous,
		"left_far": len(a.left(state.Far)), "left_near": len(a.left(state.Near)),
	} {
		v[name] = int64(n)
	}
	return v
}
