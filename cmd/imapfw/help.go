package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/luaapi"
)

// helpCommand replaces cobra's: it also knows the functions of the Lua API.
func (g *global) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND|api.NAME]",
		Short:   "Tell about a command, or about the options of a function of the Lua API",
		Example: "  imapfw help sync\n  imapfw help api.imap",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && strings.HasPrefix(args[0], "api.") {
				return g.apiHelp(args[0])
			}
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return usage(err)
			}
			return about.Help()
		},
	}
}

func (g *global) apiHelp(name string) error {
	for _, table := range luaapi.Tables() {
		if table.Name == name {
			_, err := fmt.Fprint(g.stdout, table.Help())
			return err
		}
	}
	return fault.New(fault.Config, "", "%s takes no table of options, or does not exist", name).
		WithHint("docs/lua-reference.md has every function")
}
