package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

func (g *global) planCommand() *cobra.Command {
	var output string
	var asJSON, timing bool
	var narrow narrowing
	cmd := &cobra.Command{
		Use:   "plan [FILE|ACCOUNT[:FOLDER,...]|GROUP ...] [-o PLAN]",
		Short: "Plan a sync, and save the plan for imapfw apply",
		Long: "Plan a sync and change nothing: print what would be done, and write it to a file with -o.\n\n" +
			"The file is JSON, for people too. Steps may be deleted from it; imapfw apply takes those that are left. It takes\n" +
			"them only if all they touch is still as it was.",
		Example: "  imapfw plan\n  imapfw plan work.lua -o work.plan\n  imapfw plan --pull -o p.json work:INBOX\n  imapfw plan --json | less",
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := g.selects(args)
			if err != nil {
				return err
			}
			once, err := narrow.once(cmd)
			if err != nil {
				return err
			}
			path, err := filepath.Abs(chosen.file)
			if err != nil {
				return fault.Wrap(fault.IO, "plan", err)
			}
			save := func(accounts []engine.PlanDocument) error {
				f := &engine.PlanFile{Version: engine.PlanVersion, Made: time.Now().UTC().Truncate(time.Second), By: version(),
					App: engine.Text(path), Accounts: accounts}
				return g.savePlan(f, output, asJSON)
			}
			run := appRun{app: app{path: chosen.file}, typed: chosen.typed, accounts: chosen.accounts, folders: chosen.folders,
				dryRun: true, once: once, job: engine.JobPlan, saved: save, silent: asJSON, timing: timing}
			if output != "" {
				run.next = &commandLine{command: "apply", file: output}
			}
			return g.runApp(cmd, run)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the plan to this `FILE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON, as it would be written")
	timingFlag(cmd, &timing)
	narrow.flags(cmd)
	return cmd
}

// savePlan writes a plan. Nobody else needs to read it: it names messages.
func (g *global) savePlan(f *engine.PlanFile, path string, print bool) error {
	data, err := f.Encode()
	if err != nil {
		return err
	}
	if print {
		if _, err := g.stdout.Write(data); err != nil {
			return fault.Wrap(fault.IO, "plan", err)
		}
	}
	if path == "" {
		return nil
	}
	return fault.Wrap(fault.IO, "plan", renameio.WriteFile(path, data, 0o600))
}

func (g *global) applyCommand() *cobra.Command {
	var dryRun, asJSON, timing bool
	var narrow narrowing
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Take the steps of a saved plan",
		Long: "Take the steps of a plan that imapfw plan has written, and no others.\n\n" +
			"Everything that a plan touches must be as it was when it was made: the state, the options of the account, each\n" +
			"message and its flags. Else nothing is written, the folders that moved on are named, and the exit code is 5: make a\n" +
			"new plan. Mail that came since does not matter; the next sync sees to it. Steps may be deleted from the file.",
		Example: "  imapfw apply work.plan\n  imapfw apply --dry-run work.plan\n  imapfw apply --allow-removals 200 work.plan",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := readPlan(args[0])
			if err != nil {
				return err
			}
			once, err := narrow.once(cmd)
			if err != nil {
				return err
			}
			run := appRun{app: app{path: string(f.App)}, typed: args[0], dryRun: dryRun, json: asJSON, timing: timing, once: once, job: engine.JobApply}
			plans := wire.Map{}
			for _, d := range f.Accounts {
				text, err := json.Marshal(d)
				if err != nil {
					return fault.Wrap(fault.Internal, "apply", err)
				}
				name := string(d.Account)
				plans[name] = string(text)
				run.accounts = append(run.accounts, name)
			}
			if len(plans) == 0 {
				fmt.Fprintf(g.stdout, "%s: nothing to do\n", args[0])
				return nil
			}
			run.jobArgs = wire.Map{"plans": plans}
			return g.runApp(cmd, run)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "see whether the plan can still be applied, write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	timingFlag(cmd, &timing)
	narrow.allowFlag(cmd)
	return cmd
}

// largestPlan is how large a file may be that is read as a plan.
const largestPlan = 1 << 30

func readPlan(path string) (*engine.PlanFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Config, "apply", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestPlan+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.IO, "apply", err)
	case len(data) > largestPlan:
		return nil, fault.New(fault.Config, "apply", "%s is larger than any plan", path)
	}
	f, err := engine.ParsePlan(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := os.Stat(string(f.App)); err != nil {
		return nil, fault.Wrap(fault.Config, "apply", err)
	}
	return f, nil
}

// documents gathers the pieces in which engines tell their plans.
type documents map[string]*strings.Builder

func (d documents) piece(account string, data wire.Map) {
	if d[account] == nil || data["first"] == true {
		d[account] = &strings.Builder{}
	}
	piece, _ := data["piece"].(string)
	d[account].WriteString(piece)
}

// plans returns what was told, by the name of the account.
func (d documents) plans() ([]engine.PlanDocument, error) {
	out := []engine.PlanDocument{}
	for account, text := range d {
		var doc engine.PlanDocument
		if err := json.Unmarshal([]byte(text.String()), &doc); err != nil {
			return nil, fault.New(fault.Internal, "plan", "the plan of %s: %v", account, err)
		}
		out = append(out, doc)
	}
	slices.SortFunc(out, func(a, b engine.PlanDocument) int { return strings.Compare(string(a.Account), string(b.Account)) })
	return out, nil
}
