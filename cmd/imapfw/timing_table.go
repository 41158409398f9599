package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/timing"
)

// worthShowing is how long a part of a run took that the table has: each has all
// of them, also where there was nothing to do. JSON has everything.
const worthShowing = 50 * time.Microsecond

// print prints the figures as a table.
func (t *timings) print(w io.Writer) {
	if t == nil {
		return
	}
	parts, stores := t.all()
	width := 0
	for _, part := range append(slices.Clone(parts), stores...) {
		for _, p := range part.Phases {
			width = max(width, len(p.Name))
		}
	}
	fmt.Fprintf(w, "imapfw: where %s went:\n", short(time.Since(t.began)))
	fmt.Fprintf(w, "  %-*s %10s %10s %10s %10s %6s\n", width, "", "from", "to", "wall", "busy", "times")
	rows := func(phases []timing.Phase) {
		for _, p := range sorted(phases) {
			if asked(p) < 0 && p.Wall < worthShowing {
				continue
			}
			fmt.Fprintf(w, "  %-*s %10s %10s %10s %10s %6d\n", width, p.Name,
				short(p.From.Sub(t.began)), short(p.To.Sub(t.began)), short(p.Wall), short(p.Busy), p.Times)
		}
	}
	for _, part := range parts {
		if part.name != "" {
			fmt.Fprintf(w, "%s:\n", part.name)
		}
		rows(part.Phases)
	}
	for _, s := range stores {
		fmt.Fprintf(w, "%s: %s\n", s.name, countsOf(s.Figures))
		rows(s.Phases)
	}
}

// requests are the first words of what is recorded about those that an engine
// asks, in the order in which they are shown, after what it does itself.
var requests = [...]string{"far: ", "near: ", "state: ", "script: "}

// asked is the place in requests of whom a phase is about; -1 is the engine.
func asked(p timing.Phase) int {
	return slices.IndexFunc(requests[:], func(r string) bool { return strings.HasPrefix(p.Name, r) })
}

// sorted orders phases by when they first began, requests apart.
func sorted(phases []timing.Phase) []timing.Phase {
	out := slices.Clone(phases)
	slices.SortStableFunc(out, func(a, b timing.Phase) int {
		return cmp.Or(cmp.Compare(asked(a), asked(b)), a.From.Compare(b.From))
	})
	return out
}

// countsOf writes the counters of a store that are not zero.
func countsOf(f timing.Figures) string {
	var parts []string
	for _, c := range timing.Counters() {
		n := f.Count(c)
		switch {
		case n == 0:
		case c == timing.BytesUp:
			parts = append(parts, size(n)+" sent")
		case c == timing.BytesDown:
			parts = append(parts, size(n)+" received")
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, countedAs(c, n)))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// countedAs says what a counter counts, one and several.
func countedAs(c timing.Counter, n int64) string {
	one, several := "sync", "syncs"
	switch c {
	case timing.Connections:
		one, several = "connection", "connections"
	case timing.RoundTrips:
		one, several = "round trip", "round trips"
	case timing.Commands:
		one, several = "command", "commands"
	case timing.Directories:
		one, several = "directory read", "directories read"
	case timing.Files:
		one, several = "file written", "files written"
	}
	if n == 1 {
		return one
	}
	return several
}

// short writes a duration with three or four digits.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func size(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 10<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
