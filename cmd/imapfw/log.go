package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) logCommand() *cobra.Command {
	var number int
	var run int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "log [FILE|ACCOUNT...]",
		Short:   "Tell what the last runs did",
		Long:    "Tell what the last runs of accounts did, newest first. Runs that changed nothing leave no trace.",
		Example: "  imapfw log\n  imapfw log -n 5 work\n  imapfw log --run 12 work",
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []accountLog
			err := g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
				l, err := readLog(ctx, s, number, run)
				all = append(all, l)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(g.stdout, all)
			}
			for _, l := range all {
				l.print(g.stdout)
			}
			return nil
		},
	}
	cmd.Flags().IntVarP(&number, "number", "n", 20, "how many runs; 0 is all")
	cmd.Flags().Int64Var(&run, "run", 0, "everything that one run did")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// eachState opens the states of accounts for reading, one after the other.
func (g *global) eachState(cmd *cobra.Command, args []string, fn func(ctx context.Context, s luaapi.AccountState) error) error {
	file, accounts, err := g.fileAndAccounts(args)
	if err != nil {
		return err
	}
	opt := g.options(cmd, app{path: file}, newReporter(g, true, false, false))
	opt.Accounts = accounts
	ctx := context.Background()
	states, err := luaapi.States(ctx, opt)
	if err != nil {
		return err
	}
	for _, s := range states {
		if err := s.Store.OpenReadOnly(ctx); err != nil {
			return err
		}
		err := fn(ctx, s)
		if closeErr := s.Store.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// accountLog is what the journal of an account tells.
type accountLog struct {
	Account string      `json:"account"`
	Runs    []loggedRun `json:"runs"`
	Events  []event     `json:"events,omitempty"`
}

type loggedRun struct {
	ID      int64      `json:"run"`
	Kind    string     `json:"kind"`
	Began   time.Time  `json:"began"`
	Ended   *time.Time `json:"ended,omitempty"`
	Outcome string     `json:"outcome"`
	Counts  []count    `json:"counts"`
}

type count struct {
	Op    string `json:"op"`
	Side  string `json:"side,omitempty"`
	Count int64  `json:"count"`
}

func readLog(ctx context.Context, s luaapi.AccountState, number int, only int64) (accountLog, error) {
	l := accountLog{Account: s.Name, Runs: []loggedRun{}}
	if only != 0 {
		number = 0
	}
	runs, err := s.Store.Runs(ctx, number)
	if err != nil {
		return l, err
	}
	for _, r := range runs {
		if only == 0 || r.ID == only {
			l.Runs = append(l.Runs, runOf(r))
		}
	}
	if only == 0 {
		return l, nil
	}
	err = s.Store.Events(ctx, state.Query{Run: only}, func(batch []state.Event) error {
		for _, e := range batch {
			l.Events = append(l.Events, eventOf(e))
		}
		return nil
	})
	return l, err
}

func runOf(r state.Run) loggedRun {
	out := loggedRun{ID: r.ID, Kind: r.Kind, Began: r.Began, Outcome: r.Outcome, Counts: []count{}}
	if !r.Ended.IsZero() {
		out.Ended = &r.Ended
	} else if out.Outcome == "" {
		out.Outcome = "under way, or cut short"
	}
	for _, c := range r.Events {
		out.Counts = append(out.Counts, count{c.Op, sideName(c.Side), c.Count})
	}
	return out
}

func sideName(s state.Side) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func (l accountLog) print(w io.Writer) {
	if len(l.Runs) == 0 {
		fmt.Fprintf(w, "%s: no run has changed anything yet\n", l.Account)
	}
	for _, r := range l.Runs {
		var did []string
		for _, c := range r.Counts {
			did = append(did, strings.TrimSpace(fmt.Sprintf("%d %s %s", c.Count, c.Op, c.Side)))
		}
		fmt.Fprintf(w, "%s: run %d  %s  %s: %s; %s\n", l.Account, r.ID, r.Began.Local().Format(time.DateTime), r.Kind, strings.Join(did, ", "), r.Outcome)
	}
	for _, e := range l.Events {
		fmt.Fprintf(w, "  %s\n", e.line())
	}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
