package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) stateCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [FILE|ACCOUNT...]",
		Short: "Compare what is remembered with both sides",
		Long: "Read the whole database, then compare it with both sides: whether folders are still the same ones, whether pairs\n" +
			"are of one message (a sample), what is ambiguous, what was begun and not ended. Nothing is changed.\n\n" +
			"Exit code 0: all is well; 1: the database is damaged; 3: something is to be repaired by a sync, or settled by you.",
		Example: "  imapfw state check\n  imapfw state check --json work",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
				return s.Store.Check(ctx)
			})
			if err != nil {
				return err
			}
			file, accounts, err := g.fileAndAccounts(args)
			if err != nil {
				return err
			}
			run := appRun{app: app{path: file}, accounts: accounts, dryRun: true, json: asJSON, job: engine.JobCheck}
			s, result := g.runState(cmd, run, "checked")
			return s.finish(g, result, asJSON, checkedLine)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	return cmd
}

func checkedLine(account string, item wire.Map) string {
	rows, _ := item["rows"].(int64)
	looked, _ := item["looked_at"].(int64)
	parts := []string{fmt.Sprintf("%d messages known, %d looked at", rows, looked)}
	for _, one := range [][2]string{
		{"new_far", "new far"}, {"new_near", "new near"}, {"gone_far", "gone far"}, {"gone_near", "gone near"},
		{"flags_far", "with other flags far"}, {"flags_near", "with other flags near"},
	} {
		parts = counted(parts, item, one[0], one[1])
	}
	return fmt.Sprintf("%s/%s: %s", account, item["folder"], strings.Join(parts, ", "))
}
