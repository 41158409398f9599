package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/luaapi"
)

// reporter shows what workers tell: progress while it lasts, what the user
// should know, and one line for each account at the end. Its methods may be
// called from any goroutine.
type reporter struct {
	out, err io.Writer
	quiet    bool
	json     bool
	dryRun   bool
	bars     *bars // nil where there is no terminal
	begun    time.Time

	mu       sync.Mutex
	outcomes []outcome
	plans    map[string]wire.Map
	alarms   []alarm
	called   commandLine

	documents documents
	timings   *timings // nil where nobody asked for them
}

func newReporter(g *global, quiet, json, dryRun bool) *reporter {
	r := &reporter{out: g.stdout, err: g.stderr, quiet: quiet, json: json, dryRun: dryRun, begun: time.Now(), plans: map[string]wire.Map{}, documents: documents{}}
	if g.terminal && !quiet && !json {
		r.bars = newBars(g.stderr)
		r.err = r.bars.printer()
	}
	return r
}

// account is the name a worker's news is shown under: "me" for "me.sync", and an
// engine of an app of its own is shown by its name.
func account(worker string) string {
	return strings.TrimSuffix(worker, ".sync")
}

// event takes news of a worker.
func (r *reporter) event(e worker.Event) {
	data, _ := e.Data.(wire.Map)
	switch e.Name {
	case "progress":
		if r.bars != nil {
			r.bars.update(account(e.Worker), data)
		}
	case "plan":
		r.mu.Lock()
		r.plans[account(e.Worker)] = data
		r.mu.Unlock()
	case "document":
		r.mu.Lock()
		r.documents.piece(account(e.Worker), data)
		r.mu.Unlock()
	case "guard":
		r.mu.Lock()
		r.alarms = append(r.alarms, alarm{account(e.Worker), data})
		r.mu.Unlock()
	case "told":
		r.told(account(e.Worker), data)
	case endpoint.EventTiming:
		r.timings.told(e.Worker, e.Data)
	case "report":
		r.mu.Lock()
		r.outcomes = append(r.outcomes, outcome{account: account(e.Worker), report: data})
		r.mu.Unlock()
	}
}

// told shows what the user should know at once. Failures are shown also when
// the command is to be quiet.
func (r *reporter) told(account string, data wire.Map) {
	if r.json {
		return
	}
	where := account
	if folder, _ := data["folder"].(string); folder != "" {
		where += "/" + folder
	}
	if err, ok := data["error"].(*fault.Error); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.err, "imapfw: %s: %v\n", account, err)
		return
	}
	if !r.quiet {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.err, "imapfw: %s: %v\n", where, data["text"])
	}
}

// finish takes the progress away and prints the outcome. Failures that were told
// already are not repeated.
func (r *reporter) finish(result luaapi.Result) error {
	if r.bars != nil {
		r.bars.end()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json {
		return writeJSON(r.out, result, r.outcomes, r.plans, r.alarms, r.timings)
	}
	for _, err := range failures(result) {
		if !r.alarmed(err) {
			complainOf(r.err, accountOfError(err), err)
		}
	}
	defer func() { // last, where it stays in sight
		for _, a := range r.alarms {
			a.screen(r.err, r.called)
		}
	}()
	defer r.timings.print(r.err)
	if r.quiet {
		return nil
	}
	stopped := map[string]bool{}
	for _, err := range failures(result) {
		stopped[accountOfError(err)] = true
	}
	for _, o := range r.outcomes {
		o.stopped = stopped[o.account]
		if !r.dryRun && r.alarm(o.account) || r.dryRun && o.stopped && r.plans[o.account] == nil {
			continue
		}
		if r.dryRun {
			planLines(r.out, o.account, r.plans[o.account])
			continue
		}
		fmt.Fprintln(r.out, o.line(time.Since(r.begun)))
	}
	return nil
}

// alarm reports whether the guard stopped an account.
func (r *reporter) alarm(account string) bool {
	return slices.ContainsFunc(r.alarms, func(a alarm) bool { return a.account == account })
}

// alarmed reports whether an error says in one line what an alarm tells.
func (r *reporter) alarmed(err error) bool {
	var f *fault.Error
	return errors.Is(err, fault.Guard) && errors.As(err, &f) && r.alarm(account(f.Worker))
}

// accountOfError is the account that an error is about, where it is about one.
func accountOfError(err error) string {
	if f := (&fault.Error{}); errors.As(err, &f) {
		return f.Account
	}
	return ""
}

// failures are the errors to print at the end, each text once. A partial failure
// was told item by item.
func failures(result luaapi.Result) []error {
	var out []error
	seen := map[string]bool{}
	for _, err := range append([]error{result.Err}, result.Failures...) {
		if err == nil || errors.Is(err, fault.Partial) || seen[err.Error()] {
			continue
		}
		seen[err.Error()] = true
		out = append(out, err)
	}
	return out
}
