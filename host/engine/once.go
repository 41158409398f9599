package engine

import "github.com/imapfw/imapfw/host/state"

// Once is what the command line says about one run. Its zero value changes
// nothing.
type Once struct {
	// Pull and Push narrow the operations of the account to those they name;
	// NarrowPull and NarrowPush say that they do.
	Pull, Push             Ops
	NarrowPull, NarrowPush bool
	// Folders are the near names of the only folders to look into; nil: all.
	Folders []string
	// AllowRemovals is how many removals the guard lets pass in this run, instead
	// of what the account says; 0: as the account says.
	AllowRemovals int
}

// narrow returns the policy of this one run. What it leaves alone is caught up by
// a later run, since the folder is recorded with the narrower policy.
func (o Once) narrow(p Policy) Policy {
	wide := p
	if o.NarrowPull {
		p.Pull &= o.Pull
	}
	if o.NarrowPush {
		p.Push &= o.Push
	}
	// What is left out takes along what belongs to it.
	for _, side := range []state.Side{state.Far, state.Near} {
		out := wide.toward(side) &^ p.toward(side)
		if out&OpNew != 0 {
			p.Create &^= sidesOf(side)
		}
		if out&OpDelete != 0 {
			p.Expunge &^= sidesOf(side)
			p.Remove &^= sidesOf(side)
		}
	}
	return p
}

// spared returns the sides that must not be written: those toward which no
// operation is allowed.
func (p Policy) spared() Sides {
	out := NoSide
	for _, side := range []state.Side{state.Far, state.Near} {
		if p.toward(side) == OpsNone {
			out |= sidesOf(side)
		}
	}
	return out
}

// Spares reports whether nothing is ever written on a side.
func (p Policy) Spares(side state.Side) bool { return p.mirrored().spared().Has(side) }

// sparing returns the policy without anything that would write a spared side.
func (p Policy) sparing() Policy {
	written := Both &^ p.spared()
	p.Create &= written
	p.Expunge &= written
	p.Remove &= written
	p.Subscribe &= written
	return p
}
