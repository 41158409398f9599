package engine

import (
	"context"
	"iter"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// meet pairs messages that are new on both sides of a folder which is in step
// already: the same mail came to both in another way, by a move on either side or
// by another program. Copied, each of them would be there twice. taken are pairs
// that were made of some of them before.
func (r *reading) meet(ctx context.Context, taken []state.Row) (paired, error) {
	var open [2]iter.Seq[mail.Meta]
	for i, side := range []state.Side{state.Far, state.Near} {
		used := map[mail.Key]bool{}
		for _, row := range taken {
			used[row.Key(side)] = true
		}
		delta := r.deltas[side]
		open[i] = func(yield func(mail.Meta) bool) {
			for m := range delta.New.All() {
				if !used[m.Key] && !yield(m) {
					return
				}
			}
		}
		if none(open[i]) {
			return paired{}, nil
		}
	}
	left := [2][]mail.Meta{slices.Collect(open[0]), slices.Collect(open[1])}
	// Of the longer list only those are described that can be one of the shorter.
	few, many, fewSide := left[0], left[1], state.Far
	if len(left[1]) < len(left[0]) {
		few, many, fewSide = left[1], left[0], state.Near
	}
	known, err := r.describeSome(ctx, fewSide, few)
	if err != nil {
		return paired{}, err
	}
	var sizes []int64
	for _, d := range known {
		sizes = append(sizes, d.id.Size, d.id.bare())
		if d.standsFor != nil {
			sizes = append(sizes, d.standsFor.Size)
		}
	}
	if fewSide == state.Far {
		// A placeholder has another size. Near headers are read in any case.
		sizes = append(sizes, -1)
	}
	ref := refOf(r.p.name, r.results[fewSide.Other()])
	if many, err = r.e.ofSizes(ctx, fewSide.Other(), ref, many, newSizeSet(sizes)); err != nil || len(many) == 0 {
		return paired{}, err
	}
	others, err := r.describeSome(ctx, fewSide.Other(), many)
	if err != nil {
		return paired{}, err
	}
	far, near := known, others
	if fewSide == state.Near {
		far, near = others, known
	}
	if slices.ContainsFunc(near, func(d described) bool { return d.standsFor != nil }) {
		if err := r.whole(ctx); err != nil { // its message may be any
			return paired{}, err
		}
	}
	near = slices.DeleteFunc(near, func(d described) bool { return d.standsFor != nil && r.beside(*d.standsFor) })
	return r.pairDescribed(ctx, far, near)
}

// describeSome is describe without the messages that cannot be described: they
// are like no other.
func (r *reading) describeSome(ctx context.Context, side state.Side, metas []mail.Meta) ([]described, error) {
	out, err := r.describe(ctx, side, metas)
	if _, partial := driver.AsPartial(err); partial {
		err = nil
	}
	return out, err
}

// sizeSet is a set of sizes in CRLF form.
type sizeSet struct {
	sizes []int64 // in order
	any   bool    // a size is not known: all are possible
}

func newSizeSet(sizes []int64) sizeSet {
	slices.Sort(sizes)
	return sizeSet{sizes: slices.Compact(sizes), any: len(sizes) > 0 && sizes[0] < 0}
}

// allows reports whether a message, as its store keeps it, can have one of the
// sizes: on a server sizes are told in CRLF form, a file may take less.
func (s sizeSet) allows(m mail.Meta) bool {
	if s.any || m.Size < 0 {
		return true
	}
	i, found := slices.BinarySearch(s.sizes, m.Size)
	if _, isUID := m.Key.UID(); isUID {
		return found
	}
	return i < len(s.sizes) && s.sizes[i] <= 2*m.Size
}

// ofSizes returns the messages that can have one of the sizes. Asking for sizes
// costs little; headers are worth it only for what is left.
func (e *Engine) ofSizes(ctx context.Context, side state.Side, ref mail.Ref, metas []mail.Meta, sizes sizeSet) ([]mail.Meta, error) {
	if sizes.any {
		return metas, nil
	}
	metas = slices.Clone(metas)
	if err := e.sizesOf(ctx, side, ref, metas); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(metas, func(m mail.Meta) bool { return !sizes.allows(m) }), nil
}
