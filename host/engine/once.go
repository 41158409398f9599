package engine

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
	if o.NarrowPull {
		p.Pull &= o.Pull
	}
	if o.NarrowPush {
		p.Push &= o.Push
	}
	return p
}
