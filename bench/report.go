//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes the table of a row.
func (r result) print(w io.Writer, tools []*tool) {
	again := ""
	if r.before != nil {
		again = ", measured a second time"
	}
	_, _ = fmt.Fprintf(w, "### %s\n\n%s%s\n\n", r.row.Name, r.row.about(), again)
	line(w, "tool", "wall s, median (min-max)", "imapfw/it", "goal", "CPU s", "server CPU s", "peak MiB",
		"KiB up", "KiB down", "connections", "round trips", "runs", "results")
	line(w, "---", "--:", "--:", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "---")
	for _, t := range tools {
		runs := r.runs[t.Name]
		if len(runs) == 0 {
			continue
		}
		cells := []string{t.Title, span(values(runs, wall)), "", r.goalCell(t.Name), sec(median(runs, clientCPU)),
			sec(median(runs, serverTime)), r.memoryCell(t.Name)}
		if ratio, ok := r.ratio(t.Name); ok && t.Name != "imapfw" {
			cells[2] = fmt.Sprintf("%.3g", ratio)
		}
		cells = append(cells, r.wireCells(t.Name)...)
		results := "right"
		if t.Blind {
			results = "not kept"
		}
		if n := len(r.wrong(t.Name)); n > 0 {
			results = fmt.Sprintf("WRONG (%d)", n)
		}
		line(w, append(cells, fmt.Sprint(len(runs)), results)...)
	}
	_, _ = fmt.Fprintln(w)
	for _, t := range tools {
		for _, p := range r.wrong(t.Name) {
			_, _ = fmt.Fprintf(w, "- %s: %s\n", t.Title, strings.ReplaceAll(p, "\n", " "))
		}
	}
}

// goalCell judges what has to do with a tool.
func (r result) goalCell(tool string) string {
	if tool == "imapfw" {
		if r.row.PeakMiB == 0 {
			return ""
		}
		return fmt.Sprintf("<= %d MiB: %s", r.row.PeakMiB, judged(r.memoryMet(), r.peakMiB(tool), float64(r.row.PeakMiB)))
	}
	for _, v := range r.verdicts() {
		if v.Peer == tool {
			return fmt.Sprintf("<= %g: %s", v.Ratio, judged(v.Met, v.Is, v.Ratio))
		}
	}
	return ""
}

// judged says how a goal was met or missed. Two measurements that are less than 30 %
// apart may be the same.
func judged(met bool, is, goal float64) string {
	switch {
	case met:
		return "met"
	case is <= goal*1.3:
		return "**missed**, by less than the noise"
	}
	return "**missed**"
}

func (r result) memoryCell(tool string) string {
	for _, one := range r.runs[tool] {
		if one.PeakKiB > one.FloorKiB {
			return fmt.Sprintf("%.1f", r.peakMiB(tool))
		}
	}
	return fmt.Sprintf("< %.0f", r.peakMiB(tool)+.5)
}

// wireCells tell what went over the wire, as counted apart or, with a round-trip
// time, in the runs that were timed.
func (r result) wireCells(tool string) []string {
	runs := r.runs[tool]
	if counted, ok := r.counts[tool]; ok {
		runs = []run{counted}
	}
	if median(runs, func(r run) float64 { return float64(r.Connections) }) == 0 {
		return []string{"", "", "", ""}
	}
	number := func(of func(run) int64, unit float64) string {
		n := median(runs, func(r run) float64 { return float64(of(r)) }) / unit
		if unit > 1 && n < 10 {
			return fmt.Sprintf("%.1f", n)
		}
		return fmt.Sprintf("%.0f", n)
	}
	return []string{
		number(func(r run) int64 { return r.Up }, 1024),
		number(func(r run) int64 { return r.Down }, 1024),
		number(func(r run) int64 { return r.Connections }, 1),
		number(func(r run) int64 { return r.Turns }, 1),
	}
}

// summary writes one table of all rows.
func summary(w io.Writer, results []result, tools []*tool) {
	_, _ = fmt.Fprintf(w, "### All rows: wall seconds, medians\n\n")
	head, rule := []string{"row"}, []string{"---"}
	for _, t := range tools {
		head, rule = append(head, t.Title), append(rule, "--:")
	}
	line(w, append(head, "imapfw/peer (goal)")...)
	line(w, append(rule, "---")...)
	titles := map[string]string{}
	for _, t := range tools {
		titles[t.Name] = t.Title
	}
	missed, goals := 0, 0
	for _, r := range results {
		cells := []string{r.row.Name}
		for _, t := range tools {
			cell := ""
			if runs := r.runs[t.Name]; len(runs) > 0 {
				cell = sec(median(runs, wall))
			}
			if len(r.wrong(t.Name)) > 0 {
				cell += " WRONG"
			}
			cells = append(cells, cell)
		}
		var judgements []string
		for _, v := range r.verdicts() {
			goals++
			if !v.Met {
				missed++
			}
			judgements = append(judgements, fmt.Sprintf("%.3g of %s (<= %g) %s", v.Is, titles[v.Peer], v.Ratio, judged(v.Met, v.Is, v.Ratio)))
		}
		if r.row.PeakMiB > 0 {
			goals++
			if !r.memoryMet() {
				missed++
			}
			judgements = append(judgements, fmt.Sprintf("%.0f MiB (<= %d) %s", r.peakMiB("imapfw"), r.row.PeakMiB,
				judged(r.memoryMet(), r.peakMiB("imapfw"), float64(r.row.PeakMiB))))
		}
		line(w, append(cells, strings.Join(judgements, "; "))...)
	}
	if goals > 0 {
		_, _ = fmt.Fprintf(w, "\n%d of %d goals met.\n", goals-missed, goals)
	}
}

func line(w io.Writer, cells ...string) {
	_, _ = fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

// sec writes seconds with three digits that mean something.
func sec(s float64) string {
	switch {
	case s < 1:
		return fmt.Sprintf("%.3f", s)
	case s < 100:
		return fmt.Sprintf("%.2f", s)
	}
	return fmt.Sprintf("%.0f", s)
}

// span writes the median of sorted numbers, and the least and the largest.
func span(v []float64) string {
	if len(v) == 0 {
		return ""
	}
	middle := (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	return fmt.Sprintf("%s (%s-%s)", sec(middle), sec(v[0]), sec(v[len(v)-1]))
}
