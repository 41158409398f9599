package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) stateRebuildCommand() *cobra.Command {
	var folders []string
	var asJSON bool
	type rebuilt struct {
		Account string   `json:"account"`
		Folders []string `json:"folders"`
	}
	cmd := &cobra.Command{
		Use:   "rebuild [FILE|ACCOUNT...]",
		Short: "Have the next sync pair the messages of both sides anew",
		Long: "Have the next sync pair the messages of both sides anew, by their content, as if nothing were known of them. Nothing\n" +
			"is copied or removed now. The next sync removes nothing either: a message that only one side has is copied.\n" +
			"imapfw sync --dry-run shows what it would do.",
		Example: "  imapfw state rebuild work\n  imapfw state rebuild --folder INBOX --folder Archive/2024 work",
		RunE: func(cmd *cobra.Command, args []string) error {
			all := []rebuilt{}
			err := g.changeStates(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
				names, err := engine.Rebuild(ctx, s.Store, folders...)
				if err == nil {
					all = append(all, rebuilt{s.Name, append([]string{}, names...)})
				}
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(g.stdout, all)
			}
			for _, r := range all {
				fmt.Fprintf(g.stdout, "%s: the next sync pairs %d folders anew: %s\n", r.Account, len(r.Folders), strings.Join(r.Folders, ", "))
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&folders, "folder", nil, "only this folder; may be given several times")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	return cmd
}

// changeStates opens the states of accounts for writing, one after the other. An
// account that has none yet gets none.
func (g *global) changeStates(cmd *cobra.Command, args []string, fn func(ctx context.Context, s luaapi.AccountState) error) error {
	return g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
		folders, err := s.Store.Folders(ctx)
		if err != nil || len(folders) == 0 {
			return err
		}
		// It is there: opened again, it is locked against a run.
		if err := s.Store.Close(); err != nil {
			return err
		}
		if err := s.Store.Open(ctx); err != nil {
			return err
		}
		return fn(ctx, s)
	})
}
