package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// ruled are the flags that a policy does not merge three ways, by their rule.
type ruled struct{ far, near, union mail.Flags }

// ruledBy sorts the flags of an option `flags` by their rules.
func ruledBy(rules map[string]FlagRule) ruled {
	var r ruled
	for name, rule := range rules {
		one := mail.NewFlags(name)
		switch rule {
		case FlagFar:
			r.far = r.far.Union(one)
		case FlagNear:
			r.near = r.near.Union(one)
		case FlagUnion:
			r.union = r.union.Union(one)
		}
	}
	return r
}

func (r ruled) all() mail.Flags { return r.far.Union(r.near).Union(r.union) }

// merge returns the flags that both copies of a message are to have, given what
// they agreed on last and what they have now. Each flag is decided by itself:
//
//   - merge: the side that changed it wins. Where one side did, the other did
//     not, so there is always an answer, and it does not matter which is far.
//   - far, near: as it is on that side. A change on the other is undone.
//   - union: set when either side has it. Taking it off on one side is undone;
//     it goes when it was taken off on both.
//
// It never makes up a flag that neither side has. Two messages that were paired
// just now have in common what they share: then merge is the union.
func merge(base, far, near mail.Flags, rules ruled) mail.Flags {
	either := far.Union(near)
	agreed := far.Intersect(near)
	out := agreed.Union(either.Minus(agreed).Minus(base))
	if rules == (ruled{}) {
		return out
	}
	// Keywords stay as the messages write them, not as the rules do.
	out = out.Minus(rules.all())
	out = out.Union(far.Intersect(rules.far)).Union(near.Intersect(rules.near))
	return out.Union(either.Intersect(rules.union))
}

// agree notes in a row what both copies of its message agree on, now that they
// have these flags, and returns the flags that both are to have, and those that
// stand apart, since one side has them and the other cannot keep them.
func agree(row *state.Row, far, near mail.Flags, rules ruled) (want, apart mail.Flags) {
	base := row.Flags
	farOnly := far.Intersect(row.FarOnly).Minus(near)
	nearOnly := near.Intersect(row.NearOnly).Minus(far)
	want = merge(base, far.Minus(farOnly), near.Minus(nearOnly), rules)
	// What both sides changed alike is agreed on already.
	agreed := base.Union(far.Intersect(near))
	row.Flags = agreed.Minus(base.Minus(far.Union(near)))
	row.FarOnly, row.NearOnly = farOnly, nearOnly
	return want, farOnly.Union(nearOnly)
}

// sameFlags reports whether two rows know the same of the flags of a message.
func sameFlags(a, b state.Row) bool {
	return a.Flags.Equal(b.Flags) && a.FarOnly.Equal(b.FarOnly) && a.NearOnly.Equal(b.NearOnly)
}
