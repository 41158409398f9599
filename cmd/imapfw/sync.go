package main

import (
	"github.com/spf13/cobra"
)

func (g *global) syncCommand() *cobra.Command {
	var dryRun, asJSON, timing bool
	var narrow narrowing
	cmd := &cobra.Command{
		Use:   "sync [FILE|ACCOUNT[:FOLDER,...]|GROUP ...]",
		Short: "Bring accounts in step, once",
		Long: "Bring the accounts of a file in step, once: all of them, or the accounts and groups that are named, or only some\n" +
			"folders of an account.\n\n" +
			"A FILE is a Lua file or a folder with init.lua; without one it is init.lua in the configuration folder. A FOLDER has\n" +
			"the name it has on the near side; its far name is understood too. A comma in a name is written \"\\,\".\n\n" +
			"--only, --pull and --push leave out for one run what they do not name, and never allow more than the account does;\n" +
			"a later run catches up. Exit codes: see README.md; 5 is the guard, which --allow-removals lets pass for one run.\n\n" +
			timingHelp,
		Example: "  imapfw sync\n  imapfw sync work.lua\n  imapfw sync --dry-run personal work\n  imapfw sync work:INBOX,Sent\n" +
			"  imapfw sync --pull --only new,flags home\n  imapfw sync --allow-removals 200 work\n  imapfw sync --json ~/mail.lua\n" +
			"  imapfw sync --timing work\n  imapfw sync --profile cpu --profile-file /tmp/cpu.pprof work",
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := g.selects(args)
			if err != nil {
				return err
			}
			once, err := narrow.once(cmd)
			if err != nil {
				return err
			}
			return g.runApp(cmd, appRun{app: app{path: chosen.file}, typed: chosen.typed, accounts: chosen.accounts, folders: chosen.folders,
				dryRun: dryRun, json: asJSON, timing: timing, once: once})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	timingFlag(cmd, &timing)
	narrow.flags(cmd)
	return cmd
}

func (g *global) runCommand() *cobra.Command {
	var dryRun, asJSON, timing bool
	var narrow narrowing
	cmd := &cobra.Command{
		Use:   "run FILE|APP [ARGS]",
		Short: "Run an app",
		Long: "Run an app: a Lua file, a folder with init.lua, or a name that is looked up among the user's apps and the\n" +
			"shipped ones. ARGS are for the app (ctx:args()).",
		Example: "  imapfw run full.lua\n  imapfw run careful/test.lua\n  imapfw run archive 2025",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := g.findApp(args[0])
			if err != nil {
				return err
			}
			once, err := narrow.once(cmd)
			if err != nil {
				return err
			}
			return g.runApp(cmd, appRun{app: found, typed: args[0], args: args[1:], dryRun: dryRun, json: asJSON, timing: timing, once: once})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	timingFlag(cmd, &timing)
	narrow.flags(cmd)
	cmd.Flags().SetInterspersed(false)
	return cmd
}
