package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) undoCommand() *cobra.Command {
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "undo [RUN] [FILE|ACCOUNT]",
		Short: "Give back what a run removed, moved, or changed of flags",
		Long: "Give both sides back what a run removed, moved, and changed of flags: the last run that did any of it, or the one\n" +
			"with the number RUN in imapfw log. What the run copied stays: undo removes no mail.\n\n" +
			"Removed messages are kept for a while, see the option undo of an account.",
		Example: "  imapfw undo --dry-run\n  imapfw undo\n  imapfw undo 12 work",
		RunE: func(cmd *cobra.Command, args []string) error {
			run, rest := runArg(args)
			file, accounts, err := g.fileAndAccounts(rest)
			if err != nil {
				return err
			}
			a := appRun{app: app{path: file}, accounts: accounts, dryRun: dryRun, json: asJSON,
				job: engine.JobUndo, jobArgs: wire.Map{"run": run}}
			if err := g.oneAccount(cmd, a); err != nil {
				return err
			}
			return g.runApp(cmd, a)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be given back, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	return cmd
}

// runArg takes the number of a run from the front of arguments; 0 when there is
// none.
func runArg(args []string) (run int64, rest []string) {
	if len(args) > 0 {
		if n, err := strconv.ParseInt(args[0], 10, 64); err == nil && n > 0 {
			return n, args[1:]
		}
	}
	return 0, args
}

// oneAccount refuses a command about one account's runs where several are meant:
// every account counts its own.
func (g *global) oneAccount(cmd *cobra.Command, run appRun) error {
	opt := g.options(cmd, run.app, newReporter(g, true, false, false))
	opt.Accounts = run.accounts
	states, err := luaapi.States(context.Background(), opt)
	if err != nil {
		return err
	}
	if len(states) > 1 {
		return fault.New(fault.Config, "", "there are %d accounts, and each has runs of its own", len(states)).
			WithHint("name one: imapfw %s %s", cmd.Name(), states[0].Name)
	}
	return nil
}
