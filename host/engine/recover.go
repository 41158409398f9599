package engine

import (
	"context"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// settleLimit is how long a folder is waited for to stand still.
const settleLimit = time.Minute

// settle waits until no delivery of a run that was killed can still arrive: a
// server goes on with what it had received when the connection died.
func (r *reading) settle(ctx context.Context) error {
	open := map[state.Side]int{}
	for _, in := range r.intents {
		if in.Target == "" {
			open[in.To]++
		}
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		if open[side] == 0 {
			continue
		}
		looks := 1
		if open[side] > 1 { // they may come together, and nothing is seen until then
			looks = manyLooks
		}
		if err := r.stand(ctx, side, looks); err != nil {
			return err
		}
	}
	return nil
}

// manyLooks is how often in a row a folder has to be the same where several
// deliveries may still arrive.
const manyLooks = 4

// stand returns when so many looks at a folder in a row, each a while after the
// other, show what the one before did.
func (r *reading) stand(ctx context.Context, side state.Side, looks int) error {
	ref := mail.Ref{Name: r.p.name}
	deadline := time.Now().Add(settleLimit)
	var before mail.Key
	for same := -1; ; {
		now, err := r.e.store(side).Reserve(ctx, ref, 0)
		if err != nil {
			return err
		}
		if _, err := r.e.store(side).Commit(ctx, ref, nil); err != nil { // give the folder back
			return err
		}
		if same < 0 || now.Next != before {
			same, before = 0, now.Next
		} else {
			same++
		}
		if same == looks || time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(r.e.Settle):
		}
	}
}

// recover resolves the intents of a run that was cut short: which of the
// deliveries they announce took place. It returns the pairs that were made and
// the intents, all of which are resolved by them.
func (r *reading) recover(ctx context.Context) ([]state.Row, []int64, error) {
	var rows []state.Row
	var settled []int64
	for _, to := range []state.Side{state.Far, state.Near} {
		fresh := r.newOf(to, r.announced())
		var all, unnamed []state.Intent
		begin := len(rows)
		for _, in := range r.intents {
			if in.To != to {
				continue
			}
			all = append(all, in)
			settled = append(settled, in.ID)
			if in.Target == "" {
				unnamed = append(unnamed, in)
			} else if m, arrived := fresh[in.Target]; arrived {
				rows = append(rows, intentRow(in, m))
			}
		}
		if to == state.Near {
			if err := r.lookAtDelivered(ctx, rows[begin:]); err != nil {
				return nil, nil, err
			}
		}
		if len(unnamed) > 0 {
			found, err := r.searchArrivals(ctx, to, unnamed)
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, found...)
		}
		r.stray(to, all, rows[begin:])
	}
	return r.rejoin(rows), settled, nil
}

// announced returns the keys that intents are about, far and near.
func (r *reading) announced() (keys [2]mail.KeySet) {
	for _, in := range r.intents {
		keys[in.To.Other()-state.Far].Add(in.Source)
		if in.Target != "" {
			keys[in.To-state.Far].Add(in.Target)
		}
	}
	return keys
}

// newOf returns those of the new messages of a side that have one of the keys.
func (r *reading) newOf(side state.Side, keys [2]mail.KeySet) map[mail.Key]mail.Meta {
	found := map[mail.Key]mail.Meta{}
	if keys[side-state.Far].Empty() {
		return found
	}
	delta := r.deltas[side]
	for m := range delta.New.All() {
		if keys[side-state.Far].Contains(m.Key) {
			found[m.Key] = m
		}
	}
	return found
}

// outlast divides the intents that are resolved into those that the plan ends when
// it is recorded, and those that are still needed then: of a message that was moved
// or removed since it was delivered they are all that is known, until that was
// carried to the other side.
func (r *reading) outlast(settled []int64, paired []state.Row) (now []int64, late []state.Intent) {
	if len(r.intents) == 0 {
		return settled, nil
	}
	recorded := map[state.Side]map[mail.Key]bool{state.Far: {}, state.Near: {}}
	needed := len(r.strays) > 0
	for _, row := range slices.Concat(r.rows, paired) {
		if row.ID < 0 && (r.deltas[state.Far].Gone[row.ID] || r.deltas[state.Near].Gone[row.ID]) {
			needed = true
			continue
		}
		recorded[state.Far][row.Far], recorded[state.Near][row.Near] = true, true
	}
	if !needed {
		return settled, nil
	}
	for _, in := range r.intents {
		if recorded[in.To.Other()][in.Source] {
			now = append(now, in.ID)
		} else {
			late = append(late, in)
		}
	}
	return now, late
}

// stray notes which copies may have been under way to each other when the user
// moved one of them: sources whose delivery is not found, and, where a source is
// gone, what came to the target since.
func (r *reading) stray(to state.Side, intents []state.Intent, found []state.Row) {
	from := to.Other()
	paired := map[state.Side]map[mail.Key]bool{from: {}, to: {}}
	for _, row := range slices.Concat(r.rows, found) {
		paired[from][row.Key(from)], paired[to][row.Key(to)] = true, true
	}
	there := r.newOf(from, r.announced())
	target := r.deltas[to]
	gone, next := false, mail.Key("")
	for _, in := range intents {
		m, isThere := there[in.Source]
		switch {
		case paired[from][in.Source]:
		case isThere:
			r.strays = append(r.strays, strayed(m, from, in.Flags))
		default:
			r.strays = append(r.strays, orphaned(in))
			if in.Target != "" {
				continue
			}
			if !gone || in.Next < next {
				next = in.Next
			}
			gone = true
		}
	}
	for m := range target.New.All() {
		if gone && m.Key >= next && !paired[to][m.Key] {
			r.strays = append(r.strays, strayed(m, to, m.Flags))
		}
	}
}

// strayed is a message of which one copy is left, on the given side.
func strayed(m mail.Meta, side state.Side, base mail.Flags) lost {
	l := lost{row: state.Row{Flags: base, Size: -1, Date: m.Date}, gone: sidesOf(side.Other()), now: m.Flags}
	setKey(&l.row, side, m.Key)
	return l
}

// orphaned is a message of which nothing is left in its folder, on neither side.
func orphaned(in state.Intent) lost {
	l := lost{row: state.Row{Flags: in.Flags, Size: -1, Date: in.Date}, gone: Both, orphan: true}
	setKey(&l.row, in.To, in.Target)
	setKey(&l.row, in.To.Other(), in.Source)
	return l
}

// intentRow is the pair that a delivery made. The source may have got other
// flags since: those it was delivered with are what both sides agreed on.
func intentRow(in state.Intent, arrived mail.Meta) state.Row {
	row := state.Row{Far: arrived.Key, Near: in.Source, Flags: in.Flags.Intersect(arrived.Flags),
		Size: in.Size, Date: in.Date, Ident: in.Ident}
	if in.To == state.Near {
		row.Far, row.Near = in.Source, arrived.Key
	}
	return row
}

// searchArrivals finds deliveries whose key the store chose: among the messages
// of the target that no row knows and that came at or after the announced key,
// by the identity of what was to be delivered.
func (r *reading) searchArrivals(ctx context.Context, to state.Side, intents []state.Intent) ([]state.Row, error) {
	sources := map[mail.Key]bool{}
	next := intents[0].Next
	for _, in := range intents {
		sources[in.Source] = true
		next = min(next, in.Next)
	}
	var sent, arrived []mail.Meta
	source, target := r.deltas[to.Other()], r.deltas[to]
	for m := range source.New.All() {
		if sources[m.Key] {
			sent = append(sent, m)
		}
	}
	sameEpoch := intents[0].Epoch == "" || intents[0].Epoch == r.results[to].Epoch
	for _, row := range r.rows { // those that were to get a copy again
		if k := row.Key(to.Other()); k != "" && sources[k] {
			sent = append(sent, mail.Meta{Key: k, Flags: row.Flags, Size: row.Size, Date: row.Date})
		}
	}
	for m := range target.New.All() {
		if m.Key >= next || !sameEpoch {
			arrived = append(arrived, m)
		}
	}
	far, near := sent, arrived
	if to == state.Far {
		far, near = arrived, sent
	}
	same, err := r.pairUp(ctx, far, near)
	if err != nil {
		return nil, err
	}
	rows := same.rows
	for i := range rows { // what was marked since then is a decision
		rows[i].FarOnly, rows[i].NearOnly = mail.Flags{}, mail.Flags{}
	}
	found := map[state.Side]map[mail.Key]bool{state.Far: {}, state.Near: {}}
	for _, row := range rows {
		found[state.Far][row.Far], found[state.Near][row.Near] = true, true
	}
	without := func(metas []mail.Meta, side state.Side) []mail.Meta {
		return slices.DeleteFunc(metas, func(m mail.Meta) bool { return found[side][m.Key] })
	}
	pairs, err := r.pairAlike(ctx, without(far, state.Far), without(near, state.Near))
	for _, p := range pairs {
		rows = append(rows, state.Row{Far: p[0].Key, Near: p[1].Key, Flags: p[0].Flags.Intersect(p[1].Flags), Size: -1, Date: p[0].Date})
	}
	return append(rows, r.undecided(same, pairs)...), err
}

// undecided are the sources and arrivals that may be each other, and of which
// nothing says that they are: delivered again, a message might be there twice.
func (r *reading) undecided(same paired, pairs [][2]mail.Meta) []state.Row {
	known := map[state.Side]map[mail.Key]bool{state.Far: {}, state.Near: {}}
	for _, row := range r.rows { // a message that was to get a copy again
		known[state.Far][row.Far], known[state.Near][row.Near] = true, true
	}
	var rest paired
	rest.left = map[state.Side][]described{}
	for side, list := range same.left {
		rest.left[side] = slices.DeleteFunc(unpaired(list, pairs, side), func(d described) bool { return known[side][d.meta.Key] })
	}
	rest.hold(true)
	return rest.rows
}
