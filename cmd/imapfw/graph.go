package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) graphCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "graph FILE",
		Short:   "Draw the workers a file declares",
		Long:    "Draw the workers and channels that a file declares, without starting any of them.",
		Example: "  imapfw graph work.lua\n  imapfw graph --format dot full.lua | dot -Tsvg > full.svg",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.findApp(args[0])
			if err != nil {
				return err
			}
			graph, err := luaapi.Topology(context.Background(), g.options(cmd, a, newReporter(g, true, false, false)))
			if err != nil {
				return err
			}
			switch format {
			case "mermaid":
				_, err = fmt.Fprint(g.stdout, graph.Mermaid())
			case "dot":
				_, err = fmt.Fprint(g.stdout, graph.DOT())
			default:
				err = fault.New(fault.Config, "", "unknown format %q", format).WithHint("mermaid or dot")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "mermaid", "mermaid or dot")
	return cmd
}
