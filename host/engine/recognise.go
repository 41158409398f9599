package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// recognise finds, in a folder that is paired anew, messages that the state knows
// something about which their content cannot tell: that the two copies differ,
// since a server rewrote one; that a message is to be on one side only. Usually
// the keys of one side are as they were. On the other side messages are known by
// their identity.
func (r *reading) recognise(ctx context.Context, found *paired) error {
	var pairs, single []state.Row
	for _, row := range r.rows {
		switch {
		case row.Status == state.StatusAmbiguous || row.Status == state.StatusRefused: // found out again
		case row.Far == "" || row.Near == "":
			single = append(single, row)
		default:
			pairs = append(pairs, row)
		}
	}
	if len(single) == 0 && (len(pairs) == 0 || found.left == nil) {
		return nil
	}
	left := map[state.Side]*remains{}
	for _, side := range []state.Side{state.Far, state.Near} {
		list := found.left[side]
		if found.left == nil { // one side was empty, and nothing was looked at
			var err error
			fresh := r.deltas[side].New
			if list, err = r.describe(ctx, side, fresh.Slice(0, fresh.Len())); err != nil {
				return err
			}
		}
		left[side] = newRemains(list)
	}
	if err := r.recogniseAltered(ctx, found, left, pairs); err != nil {
		return err
	}
	for _, row := range single {
		r.recogniseSingle(found, left, row)
	}
	found.left = map[state.Side][]described{state.Far: left[state.Far].rest(), state.Near: left[state.Near].rest()}
	return nil
}

// trusted reports whether the keys of a side are those that the rows hold.
func (r *reading) trusted(side state.Side) bool {
	return r.p.known != nil && !r.e.distrusts(*r.p.known, side) && r.epoch(side) == r.results[side].Epoch
}

// recogniseAltered pairs copies that differ: one of them by its key, the other by
// the identity that the state has of it, or else because it is the only one that
// is like it.
func (r *reading) recogniseAltered(ctx context.Context, found *paired, left map[state.Side]*remains, rows []state.Row) error {
	for _, side := range []state.Side{state.Far, state.Near} {
		other := side.Other()
		if !r.trusted(side) || r.trusted(other) {
			continue
		}
		var unlike, all []mail.Meta
		for _, row := range rows {
			at := left[side].byKey(row.Key(side))
			if at < 0 {
				continue
			}
			if to := left[other].byIdent(row); to >= 0 {
				found.rows = append(found.rows, renewed(row, side, left[side].take(at).meta, left[other].take(to).meta))
			} else if row.Status == state.StatusPair {
				unlike = append(unlike, left[side].list[at].meta)
			}
		}
		for _, d := range left[other].rest() {
			all = append(all, d.meta)
		}
		far, near := unlike, all
		if side == state.Near {
			far, near = all, unlike
		}
		pairs, err := r.pairAlike(ctx, far, near)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			found.rows = append(found.rows, pairRow(p))
			left[state.Far].take(left[state.Far].byKey(p[0].Key))
			left[state.Near].take(left[state.Near].byKey(p[1].Key))
		}
	}
	return nil
}

// renewed is a row whose two messages have other keys now. a is of the side.
func renewed(row state.Row, side state.Side, a, b mail.Meta) state.Row {
	if side == state.Near {
		a, b = b, a
	}
	made := pairRow([2]mail.Meta{a, b})
	row.ID, row.Far, row.Near = 0, made.Far, made.Near
	row.Flags, row.FarOnly, row.NearOnly = made.Flags, made.FarOnly, made.NearOnly
	return row
}

// recogniseSingle finds a message that is on one side only, and is to be.
func (r *reading) recogniseSingle(found *paired, left map[state.Side]*remains, row state.Row) {
	side := state.Far
	if row.Far == "" {
		side = state.Near
	}
	at := -1
	if r.trusted(side) {
		at = left[side].byKey(row.Key(side))
	} else {
		at = left[side].byIdent(row)
	}
	if at < 0 {
		return
	}
	d := left[side].take(at)
	row.ID, row.Flags = 0, d.meta.Flags
	row.Far, row.Near = d.meta.Key, ""
	if side == state.Near {
		row.Far, row.Near = "", d.meta.Key
	}
	found.rows = append(found.rows, row)
}

// remains are the messages of one side that have no counterpart, to be found by
// what rows say of them.
type remains struct {
	list   []described
	taken  []bool
	keys   map[mail.Key]int
	idents map[string][]int
}

func newRemains(list []described) *remains {
	r := &remains{list: list, taken: make([]bool, len(list)), keys: make(map[mail.Key]int, len(list)), idents: make(map[string][]int, len(list))}
	for i, d := range list {
		r.keys[d.meta.Key] = i
		r.idents[d.id.Header] = append(r.idents[d.id.Header], i)
	}
	return r
}

func (r *remains) byKey(key mail.Key) int {
	if at, ok := r.keys[key]; ok && !r.taken[at] {
		return at
	}
	return -1
}

func (r *remains) byIdent(row state.Row) int {
	if row.Ident == "" {
		return -1
	}
	for _, at := range r.idents[row.Ident] {
		if size := r.list[at].id.Size; !r.taken[at] && (row.Size < 0 || size < 0 || size == row.Size) {
			return at
		}
	}
	return -1
}

func (r *remains) take(at int) described {
	r.taken[at] = true
	return r.list[at]
}

func (r *remains) rest() []described {
	var out []described
	for i, d := range r.list {
		if !r.taken[i] {
			out = append(out, d)
		}
	}
	return out
}
