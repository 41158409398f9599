package engine

import (
	"github.com/imapfw/imapfw/host/mail"
)

// pairing is what is known of two unpaired sets of messages: which are the same
// mail. It is a pure function in two steps, since digests of whole messages are
// only wanted for the few that headers cannot tell apart.
type pairing struct {
	pairs [][2]mail.Meta // far, near
	// unsure are groups of messages with equal headers and sizes; whole
	// digests decide about them.
	unsure []group
}

type group struct{ far, near []described }

// sameHeader is the first tier: what a header and the size say.
type sameHeader struct {
	header string
	size   int64
}

// match pairs messages of both sides, as multisets and in order. A pair is made
// on the header alone only when it has a Message-ID and nothing else on either
// side looks like it.
func match(far, near []described) pairing {
	var p pairing
	nearBy := map[sameHeader][]described{}
	for _, n := range near {
		k := sameHeader{n.id.Header, n.id.Size}
		nearBy[k] = append(nearBy[k], n)
	}
	farBy := map[sameHeader][]described{}
	var order []sameHeader
	for _, f := range far {
		k := sameHeader{f.id.Header, f.id.Size}
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
		case len(f) == 1 && len(n) == 1 && f[0].id.HasID:
			p.pairs = append(p.pairs, [2]mail.Meta{f[0].meta, n[0].meta})
		default:
			p.unsure = append(p.unsure, group{f, n})
		}
	}
	p.unsure = append(p.unsure, sizesAside(alone, near, nearBy)...)
	return p
}

// sizesAside groups what is left by headers alone: there are servers that tell
// sizes which are not those of the messages. Whole digests decide.
func sizesAside(far, near []described, left map[sameHeader][]described) []group {
	by := map[string]*group{}
	for _, f := range far {
		if by[f.id.Header] == nil {
			by[f.id.Header] = &group{}
		}
		g := by[f.id.Header]
		g.far = append(g.far, f)
	}
	for _, n := range near {
		g := by[n.id.Header]
		if _, alone := left[sameHeader{n.id.Header, n.id.Size}]; g != nil && alone {
			g.near = append(g.near, n)
		}
	}
	var out []group
	for _, f := range far {
		if g := by[f.id.Header]; g != nil && len(g.near) > 0 {
			out = append(out, *g)
		}
		delete(by, f.id.Header)
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
	for _, sameSecond := range []bool{true, false} {
		for i, f := range g.far {
			if done[i] || f.body == "" {
				continue
			}
			for j, n := range g.near {
				if used[j] || n.body != f.body || sameSecond && f.meta.Date.Unix() != n.meta.Date.Unix() {
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
