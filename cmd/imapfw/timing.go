package main

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/wire"
)

// timingHelp is what the commands that have it say about --timing.
const timingHelp = "--timing tells at the end, on stderr or as \"timing\" in the JSON, where the time went. Of each thing: when it first\n" +
	"began and last ended, counted from the start of the command; wall, for how long at least one was in progress; busy,\n" +
	"the sum of all of them, so that two at once count twice; and how many there were. Things lie within each other\n" +
	"(requests to a side within copying), so columns do not add up. A round trip is a turn of a connection: imapfw sends\n" +
	"after it was sent something."

func timingFlag(cmd *cobra.Command, timing *bool) {
	cmd.Flags().BoolVar(timing, "timing", false, "tell at the end where the time went (see imapfw help sync)")
}

// timings gathers where the time of a run went. Its methods may be called from
// any goroutine.
type timings struct {
	began   time.Time
	command *timing.Recorder

	mu      sync.Mutex
	workers map[string]timing.Figures // what each has told last
}

// newTimings begins a record; began is when the command was started.
func newTimings(began time.Time) *timings {
	return &timings{began: began, command: timing.Since(began), workers: map[string]timing.Figures{}}
}

// told takes what a worker has recorded.
func (t *timings) told(worker string, data wire.Value) {
	f, err := timing.Parse(data)
	if t == nil || err != nil {
		return // it is of no use to anybody, and no reason to fail
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.workers[worker] = f
}

// timed are the figures of one account or store.
type timed struct {
	name string
	timing.Figures
}

// all returns the figures of the parts of a run, first those of the command, which
// have no name, then those of the engines, by their accounts; and those of the
// stores: a store may be several workers ("me.far/1", "me.far/2").
func (t *timings) all() (parts, stores []timed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	byStore := map[string]timing.Figures{}
	for worker, f := range t.workers {
		if name, _, isStore := strings.Cut(worker, "/"); isStore {
			byStore[name] = byStore[name].Add(f)
			continue
		}
		parts = append(parts, timed{account(worker), f})
	}
	for name, f := range byStore {
		stores = append(stores, timed{name, f})
	}
	byName := func(a, b timed) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(parts, byName)
	slices.SortFunc(stores, byName)
	return append([]timed{{"", t.command.Figures()}}, parts...), stores
}

// value returns the figures for JSON, times in milliseconds.
func (t *timings) value() any {
	if t == nil {
		return nil
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	rows := func(phases []timing.Phase) []wire.Map {
		out := []wire.Map{}
		for _, p := range sorted(phases) {
			out = append(out, wire.Map{"name": p.Name, "from_ms": ms(p.From.Sub(t.began)), "to_ms": ms(p.To.Sub(t.began)),
				"wall_ms": ms(p.Wall), "busy_ms": ms(p.Busy), "times": p.Times})
		}
		return out
	}
	parts, stores := t.all()
	accounts, storeList := []wire.Map{}, []wire.Map{}
	for _, part := range parts[1:] {
		accounts = append(accounts, wire.Map{"account": part.name, "phases": rows(part.Phases)})
	}
	for _, s := range stores {
		one := wire.Map{"store": s.name, "phases": rows(s.Phases)}
		for _, c := range timing.Counters() {
			if n := s.Count(c); n > 0 {
				one[c.String()] = n
			}
		}
		storeList = append(storeList, one)
	}
	return wire.Map{"total_ms": ms(time.Since(t.began)), "phases": rows(parts[0].Phases), "accounts": accounts, "stores": storeList}
}
