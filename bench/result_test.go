//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// walls makes runs that took so long.
func walls(seconds ...float64) (runs []run) {
	for _, s := range seconds {
		runs = append(runs, run{usage: usage{Wall: s, User: s / 2, PeakKiB: 70 << 10, FloorKiB: 8 << 10}})
	}
	return runs
}

func sample() result {
	return result{
		row: row{Name: "noop", Scenario: "noop", Corpus: corpus{"mixed", 1, 10}, Storage: "maildir",
			Goals: []goal{{"mbsync", .5}, {"mbsync-tuned", .5}, {"offlineimap", .1}}, PeakMiB: 64},
		runs: map[string][]run{
			"imapfw":       walls(.9, .1, .3, .2, .4),
			"mbsync":       walls(1, 2, 3, .5),
			"mbsync-tuned": walls(.5),
		},
		counts: map[string]run{"imapfw": {Up: 2048, Down: 40960, Connections: 2, Turns: 5}},
	}
}

func TestMedians(t *testing.T) {
	require.InDelta(t, .3, median(walls(.9, .1, .3, .2, .4), wall), 1e-9)
	require.InDelta(t, 1.5, median(walls(1, 2, 3, .5), wall), 1e-9)
	require.InDelta(t, .75, median(walls(1, 2, 3, .5), clientCPU), 1e-9)
	require.Zero(t, median(nil, wall))
}

func TestGoalsAreJudgedByMedians(t *testing.T) {
	r := sample()
	verdicts := r.verdicts()
	require.Len(t, verdicts, 2, "OfflineIMAP was not run")
	require.InDelta(t, .2, verdicts[0].Is, 1e-9)
	require.True(t, verdicts[0].Met)
	require.InDelta(t, .6, verdicts[1].Is, 1e-9)
	require.False(t, verdicts[1].Met)
	require.True(t, r.missed())
	require.False(t, r.memoryMet())
	r.row.PeakMiB = 70
	require.True(t, r.memoryMet())
}

func TestTableOfARow(t *testing.T) {
	r := sample()
	r.runs["mbsync"][1].Problems = []string{"the Maildir, INBOX: 1 missing"}
	tools := []*tool{imapfw("imapfw"), mbsync("mbsync"), mbsync("mbsync-tuned"), offlineimap()}
	var out strings.Builder
	r.print(&out, tools)
	summary(&out, []result{r}, tools)
	for _, want := range []string{
		"| imapfw | 0.300 (0.100-0.900) |  | <= 64 MiB: **missed**, by less than the noise | 0.150 | 0.000 | 70.0 | 2.0 | 40 | 2 | 5 | 5 | right |",
		"| mbsync | 1.50 (0.500-3.00) | 0.2 | <= 0.5: met | 0.750 | 0.000 | 70.0 |  |  |  |  | 4 | WRONG (1) |",
		"| mbsync tuned | 0.500 (0.500-0.500) | 0.6 | <= 0.5: **missed**, by less than the noise |",
		"- mbsync: the Maildir, INBOX: 1 missing",
		"| noop | 0.300 | 1.50 WRONG | 0.500 |  | 0.2 of mbsync (<= 0.5) met; 0.6 of mbsync tuned (<= 0.5) **missed**, by less than the noise;",
		"1 of 3 goals met.",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "| OfflineIMAP | 0")
}

func TestChoiceOfRows(t *testing.T) {
	all := allRows()
	names := map[string]bool{}
	for _, r := range all {
		require.False(t, names[r.Name], "two rows %q", r.Name)
		names[r.Name] = true
		require.Contains(t, scenarios, r.Scenario)
		for _, g := range r.Goals {
			require.Contains(t, r.Peers, g.Peer, r.Name)
		}
	}
	chosen, err := choose(all, "")
	require.NoError(t, err)
	require.Len(t, chosen, len(all)-6, "all but those on demand")
	last := map[fixture]int{}
	for i, r := range chosen {
		if before, ok := last[r.fixture()]; ok {
			require.Equal(t, i-1, before, "rows of one fixture follow each other")
		}
		last[r.fixture()] = i
	}
	require.Len(t, ofSet(all, true), len(conditions()))
	require.Len(t, ofSet(all, false), len(all)-len(conditions()))
	chosen, err = choose(all, "1,000,000")
	require.ErrorContains(t, err, "-list")
	require.Empty(t, chosen)
	chosen, err = choose(all, "cold 1,000,000 tiny")
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	for _, r := range small(all) {
		require.LessOrEqual(t, r.Corpus.messages(), 2500, r.Name)
		require.Empty(t, r.Goals)
	}
}
