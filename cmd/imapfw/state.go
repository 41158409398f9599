package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look after what imapfw remembers",
		Long: "Look after what imapfw remembers of an account: which message is which file, and the flags both last had.\n" +
			"docs/state.md tells where it is kept and how to look into it.",
		Example: "  imapfw state import --from mbsync\n  imapfw state check work\n  imapfw state pair",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(g.stateImportCommand(), g.stateCheckCommand(), g.stateRebuildCommand(), g.statePairCommand())
	return cmd
}

// stateRun is a job of engines about their states, and what they told of it.
type stateRun struct {
	show *reporter

	mu    sync.Mutex
	items map[string][]wire.Map // by account
	names []string              // accounts, in the order in which they were heard of
	kind  string                // of the events to gather
}

// runState runs a job for accounts and gathers the events of a kind.
func (g *global) runState(cmd *cobra.Command, run appRun, kind string) (*stateRun, luaapi.Result) {
	quiet, _ := cmd.Flags().GetBool("quiet")
	s := &stateRun{show: newReporter(g, quiet, run.json, run.dryRun), kind: kind, items: map[string][]wire.Map{}}
	opt := g.options(cmd, run.app, s.show)
	opt.OnEvent = s.event
	opt.Folders = run.folders
	opt.Accounts, opt.DryRun, opt.Job, opt.JobArgs = run.accounts, run.dryRun, run.job, run.jobArgs
	result, err := luaapi.Run(context.Background(), opt)
	if err != nil {
		result.Err, result.ExitCode = err, luaapi.ExitCode(err)
	}
	return s, result
}

func (s *stateRun) event(e worker.Event) {
	data, _ := e.Data.(wire.Map)
	name := account(e.Worker)
	switch e.Name {
	case s.kind, "report":
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, heard := s.items[name]; !heard {
			s.items[name] = nil
			s.names = append(s.names, name)
		}
		if e.Name == s.kind {
			s.items[name] = append(s.items[name], data)
			return
		}
		// Failures that were not told one by one.
		failures, _ := data["failures"].(wire.List)
		for _, f := range failures {
			if err, ok := f.(*fault.Error); ok {
				s.items[name] = append(s.items[name], wire.Map{"failure": err})
			}
		}
	case "told":
		if _, failure := data["error"]; !failure {
			s.show.told(name, data)
		}
	}
}

// finish prints what was gathered: as JSON, or each item with line. It returns
// the exit code.
func (s *stateRun) finish(g *global, result luaapi.Result, asJSON bool, line func(account string, item wire.Map) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, items := range s.items { // several folders were worked on at once
		slices.SortStableFunc(items, func(a, b wire.Map) int {
			x, _ := a["folder"].(string)
			y, _ := b["folder"].(string)
			return cmp.Compare(x, y)
		})
	}
	if asJSON {
		if err := s.writeJSON(g, result); err != nil {
			return err
		}
	} else {
		for _, name := range s.names {
			for _, item := range s.items[name] {
				if err, ok := item["failure"].(*fault.Error); ok {
					fmt.Fprintf(s.show.err, "imapfw: %s: %v\n", name, err)
				} else if !s.show.quiet {
					fmt.Fprintln(g.stdout, line(name, item))
				}
			}
		}
		for _, err := range failures(result) {
			complain(s.show.err, err)
		}
	}
	if result.ExitCode != luaapi.ExitDone {
		return exitCode(result.ExitCode)
	}
	return nil
}

func (s *stateRun) writeJSON(g *global, result luaapi.Result) error {
	type account struct {
		Account  string `json:"account"`
		Folders  []any  `json:"folders"`
		Failures []any  `json:"failures"`
	}
	doc := struct {
		ExitCode int       `json:"exit_code"`
		Error    string    `json:"error,omitempty"`
		Accounts []account `json:"accounts"`
	}{ExitCode: result.ExitCode, Accounts: []account{}}
	if result.Err != nil {
		doc.Error = result.Err.Error()
	}
	for _, name := range s.names {
		a := account{Account: name, Folders: []any{}, Failures: []any{}}
		for _, item := range s.items[name] {
			if err, ok := item["failure"].(*fault.Error); ok {
				a.Failures = append(a.Failures, textual(err))
			} else {
				a.Folders = append(a.Folders, textual(item))
			}
		}
		doc.Accounts = append(doc.Accounts, a)
	}
	enc := json.NewEncoder(g.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// counted adds "N what" to a list where N is not 0.
func counted(list []string, item wire.Map, field, what string) []string {
	if n, _ := item[field].(int64); n > 0 {
		list = append(list, fmt.Sprintf("%d %s", n, what))
	}
	return list
}
