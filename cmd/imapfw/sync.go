package main

import (
	"github.com/spf13/cobra"
)

func (g *global) syncCommand() *cobra.Command {
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "sync [FILE|ACCOUNT...]",
		Short: "Bring accounts in step, once",
		Long: "Bring the accounts of a file in step, once: all of them, or those that are named.\n\n" +
			"A FILE is a Lua file or a folder with init.lua; without one it is init.lua in the configuration folder.",
		Example: "  imapfw sync\n  imapfw sync work.lua\n  imapfw sync --dry-run personal work\n  imapfw sync --json ~/mail.lua",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, accounts, err := g.fileAndAccounts(args)
			if err != nil {
				return err
			}
			return g.runApp(cmd, appRun{app: app{path: file}, accounts: accounts, dryRun: dryRun, json: asJSON})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	return cmd
}

func (g *global) runCommand() *cobra.Command {
	var dryRun, asJSON bool
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
			return g.runApp(cmd, appRun{app: found, args: args[1:], dryRun: dryRun, json: asJSON})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	cmd.Flags().SetInterspersed(false)
	return cmd
}
