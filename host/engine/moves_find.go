package engine

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// joinMoves finds what was moved from folder to folder, and plans it as moves.
// Where nothing is gone, or nothing came, it costs nothing. Else the sizes of what
// came are asked for, and of those that fit, the headers; one call for each folder.
func (e *Engine) joinMoves(ctx context.Context, plan *Plan) error {
	departures := departuresOf(plan)
	taken := map[placeOf]bool{}
	for _, stray := range []bool{false, true} {
		for _, side := range []state.Side{state.Far, state.Near} {
			f := &finder{e: e, side: side, taken: taken}
			for _, d := range departures {
				if d.stray == stray && d.from(side) && !taken[d.left()] {
					f.departures = append(f.departures, d)
				}
			}
			if err := f.find(ctx, arrivalsOf(plan, side)); err != nil {
				return err
			}
		}
	}
	if err := e.findOrphans(ctx, plan, departures, taken); err != nil {
		return err
	}
	j := &joiner{policy: e.Policy, rules: ruledBy(e.Policy.Flags), plans: map[*FolderPlan]*rewrite{}}
	for _, side := range []state.Side{state.Far, state.Near} {
		j.trash[side], _ = e.trashOf(side) // what removes will tell that there is none
	}
	var err error
	if j.settled, err = e.askMoved(ctx, departures); err != nil {
		return err
	}
	for _, d := range departures {
		j.join(d)
	}
	for _, fp := range plan.Folders {
		if r := j.plans[fp]; r != nil {
			r.do()
			// A row that came along says what was agreed on where it was.
			fp.unmark(state.Far)
			fp.unmark(state.Near)
		}
	}
	for _, n := range j.notes {
		e.told(n.Folder, "%s", n.Text)
	}
	return nil
}

func departuresOf(plan *Plan) []*departure {
	var out []*departure
	open := map[placeOf]bool{} // what is left of strays, where it is to be copied
	for _, fp := range plan.Folders {
		for _, l := range fp.strays {
			d := departure{lost: l, fp: fp}
			open[d.left()] = false
		}
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		if len(open) == 0 {
			break
		}
		for a := range arrivalsOf(plan, side) {
			if _, asked := open[a.place()]; asked {
				open[a.place()] = true
			}
		}
	}
	for _, fp := range plan.Folders {
		for _, l := range fp.lost {
			out = append(out, &departure{lost: l, fp: fp, id: Identity{Header: l.row.Ident, Size: l.row.Size}})
		}
		for _, l := range fp.strays {
			d := &departure{lost: l, fp: fp, stray: !l.orphan}
			if l.orphan || open[d.left()] {
				out = append(out, d)
			}
		}
		fp.lost, fp.strays = nil, nil
	}
	return out
}

// arrivalsOf yields what is new on a side, folder by folder. That may be very much, and
// is not for keeping.
func arrivalsOf(plan *Plan, side state.Side) iter.Seq[*arrival] {
	return func(yield func(*arrival) bool) {
		for _, fp := range plan.Folders {
			if fp.removed == 0 && !fp.arrivals(side, yield) {
				return
			}
		}
	}
}

func (fp *FolderPlan) arrivals(side state.Side, yield func(*arrival) bool) bool {
	for _, row := range fp.put {
		if row.Status == state.StatusAmbiguous && row.ID <= 0 && row.Key(side) != "" {
			meta := mail.Meta{Key: row.Key(side), Flags: row.Flags, Size: -1, Date: row.Date}
			if !yield(&arrival{fp: fp, side: side, meta: meta, held: row}) {
				return false
			}
		}
	}
	for _, s := range fp.Steps {
		if s.Op != OpPull && s.Op != OpPush || s.source() != side {
			continue
		}
		for _, it := range s.items.all() {
			if it.extra().again || it.row != nil {
				continue
			}
			if !yield(&arrival{fp: fp, side: side, meta: it.meta}) {
				return false
			}
		}
	}
	return true
}

// none reports whether a sequence is empty.
func none[T any](seq iter.Seq[T]) bool {
	for range seq {
		return false
	}
	return true
}

// askMoved lets a script settle what was moved here and removed there.
func (e *Engine) askMoved(ctx context.Context, departures []*departure) (map[*departure]Conflict, error) {
	settled := map[*departure]Conflict{}
	if e.Hooks.OnConflict == nil {
		for _, d := range departures {
			if is, ok := e.decided.of(d.fp.Name)[d.row.ID]; ok { // when the plan was made
				settled[d] = is
			}
		}
		return settled, nil
	}
	for _, d := range departures {
		a := d.came[state.Far]
		if a == nil {
			a = d.came[state.Near]
		}
		if d.gone != Both || d.orphan || a == nil || d.came[a.side.Other()] != nil || d.row.Key(a.side.Other()) == "" {
			continue
		}
		answer, err := e.Hooks.OnConflict(ctx, ConflictCase{Folder: a.fp.Name, RemovedOn: a.side.Other(), Key: a.meta.Key, Flags: a.meta.Flags})
		if err != nil {
			return nil, err
		}
		if answer != "" {
			settled[d] = answer
			e.decided.settle(d.fp.Name, d.row.ID, answer)
		}
	}
	return settled, nil
}

// finder finds out on one side which arrivals are which departures.
type finder struct {
	e          *Engine
	side       state.Side
	departures []*departure
	arrivals   []*arrival
	taken      map[placeOf]bool // messages that were found to be others before
}

// placeOf names a message of the account.
type placeOf struct {
	fp *FolderPlan
	mailAt
}

// left is where the copy is of a message that is gone on one side.
func (d *departure) left() placeOf {
	for _, side := range []state.Side{state.Far, state.Near} {
		if !d.gone.Has(side) {
			return placeOf{d.fp, mailAt{side, d.row.Key(side)}}
		}
	}
	return placeOf{}
}

func (a *arrival) place() placeOf { return placeOf{a.fp, mailAt{a.side, a.meta.Key}} }

// is notes what a departure has become.
func (f *finder) is(d *departure, a *arrival) {
	d.came[f.side] = a
	f.taken[a.place()] = true
	if d.stray {
		f.taken[d.left()] = true
	}
}

func (f *finder) find(ctx context.Context, arrivals iter.Seq[*arrival]) error {
	came := func(yield func(*arrival) bool) {
		for a := range arrivals {
			if !f.taken[a.place()] && !yield(a) {
				return
			}
		}
	}
	if len(f.departures) == 0 || none(came) {
		return nil
	}
	if err := f.recognise(ctx); err != nil {
		return err
	}
	if err := f.describe(ctx, came); err != nil {
		return err
	}
	f.sameNames()
	gone, here := f.open()
	found := match(here, gone)
	for _, p := range found.pairs {
		if d, a := f.departures[number(p[1])], f.arrivals[number(p[0])]; f.certain(d, a) {
			f.is(d, a)
		} else {
			found.unsure = append(found.unsure, group{far: one(here, p[0]), near: one(gone, p[1])})
		}
	}
	if err := f.digest(ctx, found.unsure); err != nil {
		return err
	}
	for _, g := range found.unsure {
		for _, p := range g.settle() {
			f.is(f.departures[number(p[1])], f.arrivals[number(p[0])])
		}
	}
	return nil
}

// certain reports whether equal headers and sizes are enough. Not where a header
// says so little that others have it too. A move keeps the date of arrival; and a
// message that is new in the folder it is gone from may have been edited there, as
// drafts are: then nothing but its content tells.
func (f *finder) certain(d *departure, a *arrival) bool {
	return a.id.telling() && a.fp != d.fp && sameDate(d.row.Date, a.meta.Date)
}

func sameDate(a, b time.Time) bool { return !a.IsZero() && a.Unix() == b.Unix() }

// recognise finds out what messages are of which the state does not know it, by
// the copy that is left.
func (f *finder) recognise(ctx context.Context) error {
	other := f.side.Other()
	unknown := map[*FolderPlan]map[mail.Key]*departure{}
	for _, d := range f.departures {
		if d.id.Header == "" && d.gone != Both {
			if unknown[d.fp] == nil {
				unknown[d.fp] = map[mail.Key]*departure{}
			}
			unknown[d.fp][d.row.Key(other)] = d
		}
	}
	for fp, at := range unknown {
		var keys mail.KeySet
		for key := range at {
			keys.Add(key)
		}
		err := f.e.store(other).Describe(ctx, fp.refs[other], keys, mail.WantHeader|mail.WantCRLFSize, func(ds []mail.Description) error {
			for _, one := range ds {
				if d := at[one.Key]; d != nil {
					d.id = HeaderIdentity(one.Header, one.CRLFSize)
				}
			}
			return nil
		})
		if err := asFarAsPossible(err); err != nil {
			return err
		}
	}
	return nil
}

// describe finds out what the arrivals are that can be one of the departures.
func (f *finder) describe(ctx context.Context, arrivals iter.Seq[*arrival]) error {
	sizes := make([]int64, 0, len(f.departures))
	for _, d := range f.departures {
		switch {
		case d.stub(f.side):
			sizes = append(sizes, -1) // another one than that of the message
		case d.orphan && d.id.Header == "":
			sizes = append(sizes, -1) // not known yet
		case d.id.Header != "":
			sizes = append(sizes, d.id.Size, d.id.bare())
		}
	}
	if len(sizes) == 0 {
		return nil
	}
	fits := newSizeSet(sizes)
	var came []*arrival
	for a := range arrivals {
		if fits.allows(a.meta) {
			came = append(came, a)
		}
	}
	for len(came) > 0 {
		n := slices.IndexFunc(came, func(a *arrival) bool { return a.fp != came[0].fp })
		if n < 0 {
			n = len(came)
		}
		folder := came[:n]
		came = came[n:]
		at := make(map[mail.Key]*arrival, len(folder))
		metas := make([]mail.Meta, len(folder))
		for i, a := range folder {
			at[a.meta.Key], metas[i] = a, a.meta
		}
		ref := folder[0].fp.refs[f.side]
		metas, err := f.e.ofSizes(ctx, f.side, ref, metas, fits)
		if err != nil {
			return err
		}
		var keys mail.KeySet
		for _, m := range metas {
			keys.Add(m.Key)
		}
		if keys.Empty() {
			continue
		}
		want := mail.WantHeader | mail.WantDate | mail.WantCRLFSize
		err = f.e.store(f.side).Describe(ctx, ref, keys, want, func(ds []mail.Description) error {
			for _, one := range ds {
				a := at[one.Key]
				a.meta.Date = one.Date.Truncate(time.Second)
				a.id = HeaderIdentity(one.Header, one.CRLFSize)
				if of, ok := placeholderOf(one.Header); ok && f.side == state.Near {
					a.id = Identity{Header: stubs + of.Header, HasID: true}
				}
				f.arrivals = append(f.arrivals, a)
			}
			return nil
		})
		if err := asFarAsPossible(err); err != nil {
			return err
		}
	}
	return nil
}

// sameNames finds the files that kept their names. Their headers are the same
// too: a name alone proves nothing.
func (f *finder) sameNames() {
	type named struct {
		key mail.Key
		id  sameHeader
	}
	by := map[named]*departure{}
	for _, d := range f.departures {
		if _, isUID := d.row.Key(f.side).UID(); !isUID && d.row.Key(f.side) != "" {
			by[named{d.row.Key(f.side), d.identity(f.side)}] = d
		}
	}
	f.arrivals = slices.DeleteFunc(f.arrivals, func(a *arrival) bool {
		d := by[named{a.meta.Key, sameHeader{a.id.Header, a.id.bare()}}]
		if d == nil || d.came[f.side] != nil {
			return false
		}
		f.is(d, a)
		return true
	})
}

// open returns what is still to be paired, by their numbers.
func (f *finder) open() (gone, here []described) {
	for i, d := range f.departures {
		if id := d.identity(f.side); d.came[f.side] == nil && id.header != "" {
			gone = append(gone, described{meta: mail.Meta{Key: handle(i), Date: d.row.Date}, id: Identity{Header: id.header, Size: id.size}})
		}
	}
	for i, a := range f.arrivals {
		here = append(here, described{meta: mail.Meta{Key: handle(i), Date: a.meta.Date}, id: a.id})
	}
	return gone, here
}

// digest reads the messages that headers and sizes cannot tell apart: the
// arrivals, and of the departures the copies on the other side.
func (f *finder) digest(ctx context.Context, groups []group) error {
	type place struct {
		fp   *FolderPlan
		side state.Side
	}
	at := map[place]map[mail.Key]*described{}
	want := func(fp *FolderPlan, side state.Side, key mail.Key, d *described) {
		if at[place{fp, side}] == nil {
			at[place{fp, side}] = map[mail.Key]*described{}
		}
		at[place{fp, side}][key] = d
	}
	for _, g := range groups {
		for i := range g.far {
			a := f.arrivals[number(g.far[i].meta)]
			want(a.fp, f.side, a.meta.Key, &g.far[i])
		}
		for i := range g.near {
			if d := f.departures[number(g.near[i].meta)]; d.gone != Both && !d.stub(f.side) {
				want(d.fp, f.side.Other(), d.row.Key(f.side.Other()), &g.near[i])
			}
		}
	}
	for p, ds := range at {
		if err := asFarAsPossible(f.e.digestOf(ctx, p.side, p.fp.refs[p.side], ds)); err != nil {
			return err
		}
	}
	return nil
}

// handle names a message by its place in a list: keys are good in one folder only.
func handle(i int) mail.Key { return mail.Key(strconv.Itoa(i)) }

func number(m mail.Meta) int {
	i, _ := strconv.Atoi(string(m.Key))
	return i
}

func one(list []described, m mail.Meta) []described {
	for _, d := range list {
		if d.meta.Key == m.Key {
			return []described{d}
		}
	}
	return nil
}

// asFarAsPossible takes failures of single messages for what they are here: a
// message that cannot be looked at is like no other.
func asFarAsPossible(err error) error {
	if _, partial := driver.AsPartial(err); partial {
		return nil
	}
	return err
}
