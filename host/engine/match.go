package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// pairing is what is known of two unpaired sets of messages: which are the same
// mail. It is a pure function in steps, since digests of whole messages are only
// wanted for the few that headers cannot tell apart:
//
//  1. one message on each side has this header and this size: a pair;
//  2. several have, or the sizes differ: digests of the whole messages decide;
//  3. still alone, with a counterpart of the same header or the same Message-ID
//     that is alone as well: nobody can tell, and nobody guesses.
type pairing struct {
	pairs [][2]mail.Meta // far, near
	// unsure are groups whose whole digests are to be found out.
	unsure []group
}

type group struct {
	label     string
	far, near []described
}

// sameHeader is the first tier: what a header and the size say.
type sameHeader struct {
	header string
	size   int64
}

// match pairs messages of both sides, as multisets and in order. A pair is made
// on the header alone only when nothing else on either side looks like it, and
// when it says more than others might say by chance: it has a Message-ID, or
// both copies arrived in the same second.
func match(far, near []described) pairing {
	var p pairing
	nearBy := map[sameHeader][]described{}
	for _, n := range near {
		k := sameHeader{n.id.Header, n.id.bare()}
		nearBy[k] = append(nearBy[k], n)
	}
	farBy := map[sameHeader][]described{}
	var order []sameHeader
	for _, f := range far {
		k := sameHeader{f.id.Header, f.id.bare()}
		if len(farBy[k]) == 0 {
			order = append(order, k)
		}
		farBy[k] = append(farBy[k], f)
	}
	var alone []described // far messages that nothing near looks like
	for _, k := range order {
		f, n := farBy[k], nearBy[k]
		delete(nearBy, k)
		switch {
		case len(n) == 0:
			alone = append(alone, f...)
		case len(f) == 1 && len(n) == 1 && (f[0].id.telling() || sameSecond(f[0], n[0])):
			p.pairs = append(p.pairs, [2]mail.Meta{f[0].meta, n[0].meta})
		default:
			p.unsure = append(p.unsure, group{far: f, near: n})
		}
	}
	p.unsure = append(p.unsure, sizesAside(alone, near, nearBy)...)
	return p
}

func sameSecond(a, b described) bool {
	return !a.meta.Date.IsZero() && a.meta.Date.Unix() == b.meta.Date.Unix()
}

// inOrder pairs what is unsure as it comes.
func (p *pairing) inOrder() {
	for _, g := range p.unsure {
		for i := range min(len(g.far), len(g.near)) {
			p.pairs = append(p.pairs, [2]mail.Meta{g.far[i].meta, g.near[i].meta})
		}
	}
	p.unsure = nil
}

// sizesAside groups what is left by headers alone: there are servers that tell
// sizes which are not those of the messages. Whole digests decide.
func sizesAside(far, near []described, left map[sameHeader][]described) []group {
	var rest []described
	for _, n := range near {
		if _, alone := left[sameHeader{n.id.Header, n.id.bare()}]; alone {
			rest = append(rest, n)
		}
	}
	return groupBy(far, rest, func(d described) string { return d.id.Header })
}

// groupBy groups messages that are of one kind and on both sides, in the order of
// the far ones. An empty kind is of no group.
func groupBy(far, near []described, kind func(described) string) []group {
	by := map[string]*group{}
	var order []string
	for _, f := range far {
		k := kind(f)
		if k == "" {
			continue
		}
		if by[k] == nil {
			by[k] = &group{label: k}
			order = append(order, k)
		}
		by[k].far = append(by[k].far, f)
	}
	for _, n := range near {
		if g := by[kind(n)]; g != nil {
			g.near = append(g.near, n)
		}
	}
	var out []group
	for _, k := range order {
		if len(by[k].near) > 0 {
			out = append(out, *by[k])
		}
	}
	return out
}

// settle pairs the members of a group whose whole digests are known. Of equal
// messages, those that arrived in the same second are paired first, then in
// order: which of two equal messages is which does not matter.
func (g group) settle() [][2]mail.Meta {
	var pairs [][2]mail.Meta
	used := make([]bool, len(g.near))
	done := make([]bool, len(g.far))
	for _, together := range []bool{true, false} {
		for i, f := range g.far {
			if done[i] || f.body == "" {
				continue
			}
			for j, n := range g.near {
				if used[j] || n.body != f.body || together && !sameSecond(f, n) {
					continue
				}
				pairs = append(pairs, [2]mail.Meta{f.meta, n.meta})
				used[j], done[i] = true, true
				break
			}
		}
	}
	return pairs
}

// unpaired returns the members of a list that no pair has.
func unpaired(list []described, pairs [][2]mail.Meta, side state.Side) []described {
	taken := make(map[mail.Key]bool, len(pairs))
	for _, p := range pairs {
		taken[p[side-state.Far].Key] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(d described) bool { return taken[d.meta.Key] })
}
