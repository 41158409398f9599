//go:build linux

package main

import (
	"slices"
)

// result is what came out of a row.
type result struct {
	row    row
	runs   map[string][]run // by tool
	counts map[string]run   // bytes and round trips, where they were counted apart
	before *result          // when goals were missed: this is the second time
}

// verdict says whether a goal is met.
type verdict struct {
	goal
	Is  float64 // the ratio
	Met bool
}

// verdicts judges the goals against tools that were run.
func (r result) verdicts() (out []verdict) {
	for _, g := range r.row.Goals {
		if ratio, ok := r.ratio(g.Peer); ok {
			out = append(out, verdict{g, ratio, ratio <= g.Ratio})
		}
	}
	return out
}

// ratio is imapfw's median wall time by that of a peer.
func (r result) ratio(peer string) (float64, bool) {
	ours, theirs := r.runs["imapfw"], r.runs[peer]
	if len(ours) == 0 || len(theirs) == 0 || median(theirs, wall) == 0 {
		return 0, false
	}
	return median(ours, wall) / median(theirs, wall), true
}

// peakMiB is the most memory that a tool has used in any run.
func (r result) peakMiB(tool string) float64 {
	var peak int64
	for _, one := range r.runs[tool] {
		peak = max(peak, one.PeakKiB)
	}
	return float64(peak) / 1024
}

func (r result) memoryMet() bool {
	return r.row.PeakMiB == 0 || r.peakMiB("imapfw") <= float64(r.row.PeakMiB)
}

// missed tells whether a goal is not met. Memory is not measured again: it hardly
// changes.
func (r result) missed() bool {
	return slices.ContainsFunc(r.verdicts(), func(v verdict) bool { return !v.Met })
}

// wrong returns the problems of a tool's runs.
func (r result) wrong(tool string) (problems []string) {
	for _, one := range append(slices.Clone(r.runs[tool]), r.counts[tool]) {
		problems = append(problems, one.Problems...)
	}
	if r.before == nil {
		return problems
	}
	for _, p := range r.before.wrong(tool) {
		if !slices.Contains(problems, p) {
			problems = append(problems, p)
		}
	}
	return problems
}

func wall(r run) float64       { return r.Wall }
func clientCPU(r run) float64  { return r.User + r.System }
func serverTime(r run) float64 { return r.ServerCPU }

// median of a number of each run: of an even count, the mean of the middle two.
func median(runs []run, of func(run) float64) float64 {
	v := values(runs, of)
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// values returns a number of each run, sorted.
func values(runs []run, of func(run) float64) []float64 {
	var v []float64
	for _, r := range runs {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return v
}
