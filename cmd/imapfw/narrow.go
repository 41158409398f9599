package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
)

// narrowing is what the options of a command say about one run.
type narrowing struct {
	only       []string
	pull, push bool
	allow      int
}

func (n *narrowing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&n.only, "only", nil, "carry only these operations: new, upgrade, flags, delete")
	f.BoolVar(&n.pull, "pull", false, "carry from far to near only")
	f.BoolVar(&n.push, "push", false, "carry from near to far only")
	n.allowFlag(cmd)
}

func (n *narrowing) allowFlag(cmd *cobra.Command) {
	cmd.Flags().IntVar(&n.allow, "allow-removals", 0, "let this run remove up to `N` messages of each account, whatever the guard says")
}

// once reads the options. They only ever narrow what an account allows; what a
// run leaves alone is caught up by a later one.
func (n *narrowing) once(cmd *cobra.Command) (engine.Once, error) {
	once := engine.Once{AllowRemovals: n.allow}
	if cmd.Flags().Changed("allow-removals") && n.allow <= 0 {
		return once, fault.New(fault.Config, "", "--allow-removals %d allows nothing", n.allow).
			WithHint("name how many messages may be removed; to remove none: --only new,flags")
	}
	ops := engine.OpsAll
	if cmd.Flags().Changed("only") {
		var err error
		if ops, err = engine.ParseOps(n.only...); err != nil {
			return once, err
		}
		if ops == engine.OpsNone {
			return once, fault.New(fault.Config, "", "--only %s leaves nothing to do", strings.Join(n.only, ",")).
				WithHint("one or several of new, upgrade, flags, delete")
		}
		once.NarrowPull, once.NarrowPush = true, true
	}
	once.Pull, once.Push = ops, ops
	switch {
	case n.pull && !n.push:
		once.NarrowPush, once.Push = true, engine.OpsNone
	case n.push && !n.pull:
		once.NarrowPull, once.Pull = true, engine.OpsNone
	}
	return once, nil
}
