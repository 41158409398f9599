package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/luaapi"
)

// runTime is how long a run may take before it counts as hanging.
const runTime = time.Minute

// world is a scenario while it is told, over one pair of drivers.
type world struct {
	t         *testing.T
	file      *file
	home      string
	far, near side
	memories  map[string]*memory.Store
	messages  *messages
	account   account
	filled    map[side]bool // its first listing was taken as what it holds
	kill      int           // the moment at which the next run is cut off; 0 is never
	kills     *rand.Rand    // chooses a moment to kill each run at, before it is run; nil kills none
	once      once
	update    bool
	last      outcome  // of the last run
	history   []string // of all the runs, for the case that something goes wrong
	usual     bool     // it was one without options of its own
}

// outcome is what a user saw of one run.
type outcome struct {
	code  int
	lines []string // the plan, and what was told
	plan  []string
	log   string
}

// run runs the app once, as the command does.
func (w *world) run(dry bool) (outcome, error) {
	path := filepath.Join(w.home, "me.lua")
	text := w.account.script(w.far, w.near, w.state())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return outcome{}, err
	}
	events := &events{}
	log := &record{}
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	defer w.cutAt(w.kill, cancel)()
	result, err := luaapi.Run(ctx, luaapi.RunOptions{
		App: path, DryRun: dry, Memories: w.memories, OnEvent: events.add, Once: w.once.Once, Job: w.once.job, JobArgs: w.once.args,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return outcome{}, fmt.Errorf("the run hangs")
	}
	if err != nil && result.Err == nil {
		result.Err = err
	}
	out := outcome{code: result.ExitCode, plan: events.plan, log: log.String()}
	out.lines = append(slices.Clone(events.plan), events.told...)
	out.lines = append(out.lines, failures(result)...)
	for i, line := range out.lines {
		out.lines[i] = w.private(line)
	}
	if !dry {
		w.history = append(w.history, w.tell(out))
	}
	return out, nil
}

// tell says how a run went, and what it left.
func (w *world) tell(out outcome) string {
	text := fmt.Sprintf("a run, killed at %d, ended with %d\n    %s\n", w.kill, out.code, strings.Join(out.lines, "\n    "))
	far, near, err := w.both()
	if err != nil {
		return text + err.Error()
	}
	return text + fmt.Sprintf("  far:  %s\n  near: %s\n", strings.Join(w.messages.shown(far), "; "), strings.Join(w.messages.shown(near), "; "))
}

// private takes out of a text what is different each time.
func (w *world) private(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	return strings.ReplaceAll(text, w.home, "HOME")
}

func (w *world) state() string { return filepath.Join(w.home, "state") }

// failures are the errors that a run ended with. What was told item by item is
// not repeated.
func failures(result luaapi.Result) []string {
	var out []string
	for _, err := range append([]error{result.Err}, result.Failures...) {
		if err == nil || fault.CodeOf(err) == fault.Partial {
			continue
		}
		if line := "error: " + err.Error(); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// events are what the workers of one run tell. The host calls add one at a time.
type events struct {
	plan, told []string
}

func (e *events) add(event worker.Event) {
	data, _ := event.Data.(wire.Map)
	switch event.Name {
	case "plan":
		e.plan = planLines(data)
	case "told":
		line := fmt.Sprintf("told %v: %v", data["folder"], data["text"])
		if data["folder"] == "" {
			line = fmt.Sprintf("told: %v", data["text"])
		}
		if err, ok := data["error"].(*fault.Error); ok {
			line = fmt.Sprintf("failed: %v", err)
		}
		e.told = append(e.told, line)
		slices.Sort(e.told) // folders are worked on side by side
	}
}

// planLines writes a plan as the dry run of the command prints it.
func planLines(plan wire.Map) []string {
	var out []string
	steps, _ := plan["steps"].(wire.List)
	for _, v := range steps {
		s, _ := v.(wire.Map)
		line := fmt.Sprintf("%v %v %v %v", s["op"], s["side"], s["folder"], s["count"])
		for _, field := range []string{"add", "remove"} {
			sign := map[string]string{"add": "+", "remove": "-"}[field]
			flags, _ := s[field].(wire.List)
			for _, f := range flags {
				line += fmt.Sprintf(" %s%v", sign, f)
			}
		}
		if to, _ := s["to"].(string); to != "" {
			line += " -> " + to
		}
		if reason, _ := s["reason"].(string); reason != "" {
			line += ": " + reason
		}
		out = append(out, line)
	}
	return out
}

// record is a log, kept for the case that something goes wrong.
type record struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}
