package engine

import (
	"context"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// pairAnew reads both sides in full and pairs them by identity, since the keys
// in the state cannot be trusted. Nothing is removed: a message that is on one
// side only is copied, whatever the state thought of it, unless the state knows
// for sure that it is to be on that side only.
func (r *reading) pairAnew(ctx context.Context) (*FolderPlan, error) {
	for _, side := range []state.Side{state.Far, state.Near} {
		folder := r.listed(side)
		c := newComparer(nil, side)
		res := mail.Result{Complete: true}
		if folder != nil {
			var err error
			res, err = r.e.store(side).Changes(ctx, mail.Ref{Name: r.p.name}, "", c.add)
			if err != nil {
				return nil, err
			}
		}
		r.results[side], r.deltas[side] = res, c.finish(res)
	}
	if err := r.sure(state.Far, state.Near); err != nil {
		return nil, err
	}
	found, err := r.pairNew(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.recognise(ctx, &found); err != nil {
		return nil, err
	}
	found.hold(true)
	rows := r.adopt(found.rows)
	if err := r.checkMirror(); err != nil {
		return nil, err
	}
	plan := Diff(Input{Folder: r.p.name, Rows: rows,
		Far: r.deltas[state.Far], Near: r.deltas[state.Near], Policy: r.e.Policy, Keep: r.e.keepRules(), Pairing: true})
	plan.reset = true
	return plan, nil
}

// paired is what came of pairing two lists of messages.
type paired struct {
	rows []state.Row
	left map[state.Side][]described // what has no counterpart
}

// pairNew pairs what is new on both sides.
func (r *reading) pairNew(ctx context.Context) (paired, error) {
	far, near := r.deltas[state.Far].New, r.deltas[state.Near].New
	if far.Len() == 0 || near.Len() == 0 {
		return paired{}, nil
	}
	return r.pairUp(ctx, far.Slice(0, far.Len()), near.Slice(0, near.Len()))
}

// pairUp finds the messages that are in both lists, by identity. The rows have
// no ID, and as flags those that both sides have: what one side has more is
// added on the other, so nothing is taken away. Messages that a filter hides
// are paired too: else their counterparts would be copied to where they are.
func (r *reading) pairUp(ctx context.Context, far, near []mail.Meta) (paired, error) {
	var out paired
	if len(far) == 0 || len(near) == 0 {
		return out, nil
	}
	fars, err := r.describe(ctx, state.Far, far)
	if err != nil {
		return out, err
	}
	nears, err := r.describe(ctx, state.Near, near)
	if err != nil {
		return out, err
	}
	return r.pairDescribed(ctx, fars, nears)
}

func (r *reading) pairDescribed(ctx context.Context, fars, nears []described) (paired, error) {
	var out paired
	found := match(fars, nears)
	if err := r.digest(ctx, found.unsure); err != nil {
		return out, err
	}
	for _, g := range found.unsure {
		found.pairs = append(found.pairs, g.settle()...)
	}
	stand := standIns(unpaired(fars, found.pairs, state.Far), unpaired(nears, found.pairs, state.Near))
	exact := len(found.pairs)
	found.pairs = append(found.pairs, stand...)
	idents := map[mail.Key]Identity{}
	for _, f := range fars {
		idents[f.meta.Key] = f.id
	}
	out.rows = make([]state.Row, 0, len(found.pairs))
	for i, p := range found.pairs {
		row := pairRow(p)
		if i >= exact {
			row.Status = state.StatusPlaceholder
		}
		id := idents[row.Far]
		if id.MessageID != "" {
			if r.names == nil {
				r.names = map[mail.Key]string{}
			}
			r.names[row.Far] = id.MessageID
		}
		row.Size, row.Ident = id.Size, id.Header
		out.rows = append(out.rows, row)
	}
	out.left = map[state.Side][]described{
		state.Far: unpaired(fars, found.pairs, state.Far), state.Near: unpaired(nears, found.pairs, state.Near)}
	return out, nil
}

// pairRow is the row of a pair whose copies may differ. Without a base \Deleted is
// nobody's decision of today: a mark that one side has stays there.
func pairRow(p [2]mail.Meta) state.Row {
	row := state.Row{Far: p[0].Key, Near: p[1].Key, Flags: p[0].Flags.Intersect(p[1].Flags), Size: -1, Date: p[0].Date}
	row.FarOnly = p[0].Flags.Minus(row.Flags).Intersect(deletedFlag)
	row.NearOnly = p[1].Flags.Minus(row.Flags).Intersect(deletedFlag)
	return row
}

// deletedFlag is \Deleted as a set.
var deletedFlag = mail.Flags{System: mail.Deleted}

// adopt makes paired rows part of the reading: their messages are no longer new,
// and their flags are compared like those of any row. It returns the rows with
// IDs below zero, which is how Diff knows them.
func (r *reading) adopt(rows []state.Row) []state.Row {
	if len(rows) == 0 {
		return nil
	}
	for i := range rows {
		rows[i].ID = -int64(i + 1)
	}
	r.adopted = rows
	r.adoptOn(state.Far)
	r.adoptOn(state.Near)
	return rows
}

// adoptOn is adopt for one side, which was just read.
func (r *reading) adoptOn(side state.Side) {
	byKey := make(map[mail.Key]*state.Row, len(r.adopted))
	for i := range r.adopted {
		if key := r.adopted[i].Key(side); key != "" {
			byKey[key] = &r.adopted[i]
		}
	}
	if len(byKey) == 0 {
		return
	}
	delta := r.deltas[side]
	there := make(map[mail.Key]bool, len(byKey))
	var left Metas
	for m := range delta.New.All() {
		row := byKey[m.Key]
		if row == nil {
			left.Add(m)
			continue
		}
		there[m.Key] = true
		if m.Hidden {
			delta.Hidden[row.ID] = true
			continue
		}
		delta.judge(*row, m)
		// Without a base \Deleted is nobody's decision of today.
		flags := m.Flags.Minus(deletedFlag)
		if m.Flags.Has(mail.Deleted) && row.Had(side).Has(mail.Deleted) {
			flags = m.Flags
		}
		if !flags.Equal(row.Had(side)) {
			delta.Flags[row.ID] = flags
		}
	}
	left.Freeze()
	delta.New = left
	// A delivery whose source was removed since then is a removal to carry.
	if res := r.results[side]; res.Complete && !res.Unsure {
		for key, row := range byKey {
			if !there[key] && !res.Present.Contains(key) {
				delta.Gone[row.ID] = true
			}
		}
	}
	r.deltas[side] = delta
}

// describe reads headers and sizes of messages.
func (r *reading) describe(ctx context.Context, side state.Side, metas []mail.Meta) ([]described, error) {
	byKey := make(map[mail.Key]mail.Meta, len(metas))
	var keys mail.KeySet
	for _, m := range metas {
		byKey[m.Key] = m
		keys.Add(m.Key)
	}
	out := make([]described, 0, len(metas))
	want := mail.WantHeader | mail.WantDate | mail.WantCRLFSize
	err := r.e.store(side).Describe(ctx, refOf(r.p.name, r.results[side]), keys, want, func(ds []mail.Description) error {
		for _, d := range ds {
			m := byKey[d.Key]
			m.Date = d.Date.Truncate(time.Second)
			one := described{meta: m, id: HeaderIdentity(d.Header, d.CRLFSize)}
			if side == state.Near {
				one.standsFor = r.look(d)
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// digest reads the messages that headers and sizes cannot tell apart.
func (r *reading) digest(ctx context.Context, groups []group) error {
	for _, side := range []state.Side{state.Far, state.Near} {
		at := map[mail.Key]*described{}
		for _, g := range groups {
			members := g.far
			if side == state.Near {
				members = g.near
			}
			for i := range members {
				at[members[i].meta.Key] = &members[i]
			}
		}
		if err := r.e.digestOf(ctx, side, refOf(r.p.name, r.results[side]), at); err != nil {
			return err
		}
	}
	return nil
}

// digestOf reads messages of one folder for their digests, by key.
func (e *Engine) digestOf(ctx context.Context, side state.Side, ref mail.Ref, at map[mail.Key]*described) error {
	if len(at) == 0 {
		return nil
	}
	var keys mail.KeySet
	for key := range at {
		keys.Add(key)
	}
	return e.store(side).Bodies(ctx, ref, keys, func(m mail.Meta, b mail.Body) error {
		sum := newWholeDigest()
		if _, err := io.Copy(sum, b); err != nil {
			return err
		}
		if d := at[m.Key]; d != nil {
			d.body = sum.String()
		}
		return nil
	})
}
