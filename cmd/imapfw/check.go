package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Find mistakes in a file without touching the network",
		Long: "Load a file twice in states of its own and tell every mistake in it: unknown or missing options, undefined\n" +
			"variables, values of the wrong kind, definitions that differ from one evaluation to the next.",
		Example: "  imapfw check ~/.config/imapfw/init.lua",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.findApp(args[0])
			if err != nil {
				return err
			}
			report, err := luaapi.Check(context.Background(), g.options(cmd, a, newReporter(g, true, false, false)))
			for _, warning := range report.Warnings {
				fmt.Fprintf(g.stderr, "imapfw: warning: %s\n", warning)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(g.stdout, "%s: no mistakes found\n", args[0])
			return nil
		},
	}
}
