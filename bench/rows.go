//go:build linux

package main

import (
	"fmt"
	"time"
)

// What a row can be about. The names stand for themselves in rows.
var (
	mixed20k  = corpus{"mixed", 1, 20_000}
	mixed10k  = corpus{"mixed", 1, 10_000}
	mixed5k   = corpus{"mixed", 1, 5_000}
	tiny100k  = corpus{"tiny", 1, 100_000}
	tiny1m    = corpus{"tiny", 1, 1_000_000}
	folders   = corpus{"mixed", 200, 100}
	folders2k = corpus{"tiny", 2_000, 20}
	bothAnd   = []string{"mbsync", "mbsync-tuned", "offlineimap"}
	limited   = append([]string{"server"}, bothAnd...)
	both      = []string{"mbsync", "mbsync-tuned"}
	byDefault = []string{"mbsync"}
)

const ms = time.Millisecond

// allRows returns the rows, grouped as they are read. OfflineIMAP takes part where
// it ends within minutes.
func allRows() []row {
	rows := []row{
		{Name: "cold 20,000", Scenario: "cold", Corpus: mixed20k, Peers: limited,
			Goals: []goal{{"mbsync", .12}, {"mbsync-tuned", 1.1}}},
		{Name: "cold 20,000, 20 ms", Scenario: "cold", Corpus: mixed20k, RTT: 20 * ms, Peers: both,
			Goals: []goal{{"mbsync-tuned", 1}}},
		{Name: "noop 20,000", Scenario: "noop", Corpus: mixed20k, Peers: bothAnd,
			Goals: []goal{{"mbsync-tuned", .45}}},
		{Name: "noop 20,000, 20 ms", Scenario: "noop", Corpus: mixed20k, RTT: 20 * ms, Peers: bothAnd,
			Goals: []goal{{"mbsync-tuned", .7}}},
		{Name: "flags 20,000", Scenario: "flags", Corpus: mixed20k, Peers: limited,
			Goals: []goal{{"mbsync-tuned", .4}}},
		{Name: "local flags 20,000", Scenario: "local-flags", Corpus: mixed20k, Peers: bothAnd,
			Goals: []goal{{"mbsync-tuned", .5}}},
		{Name: "new 20,000", Scenario: "new", Corpus: mixed20k, Peers: limited,
			Goals: []goal{{"mbsync-tuned", .4}}},
		{Name: "new 20,000, 20 ms", Scenario: "new", Corpus: mixed20k, RTT: 20 * ms, Peers: both,
			Goals: []goal{{"mbsync", .6}}},
		{Name: "expunged 20,000", Scenario: "expunged", Corpus: mixed20k, Peers: limited,
			Goals: []goal{{"mbsync-tuned", .4}}},

		{Name: "noop 200 folders", Scenario: "noop", Corpus: folders, Peers: bothAnd,
			Goals: []goal{{"mbsync", .35}}},
		{Name: "noop 200 folders, 20 ms", Scenario: "noop", Corpus: folders, RTT: 20 * ms, Peers: []string{"mbsync", "offlineimap"},
			Goals: []goal{{"mbsync", .02}}},

		{Name: "push 10,000, mdbox", Scenario: "push", Corpus: mixed10k, Storage: "mdbox", Peers: bothAnd,
			Goals: []goal{{"mbsync", .25}, {"mbsync-tuned", .6}}},

		{Name: "cold 100,000 tiny", Scenario: "cold", Corpus: tiny100k, Peers: []string{"mbsync", "mbsync-nosync"},
			Goals: []goal{{"mbsync", .1}, {"mbsync-nosync", 1}}, PeakMiB: 64, Pairs: 3},
		{Name: "noop 100,000 tiny", Scenario: "noop", Corpus: tiny100k, Peers: byDefault,
			Goals: []goal{{"mbsync", .08}}, PeakMiB: 64},
		{Name: "flags 100,000 tiny", Scenario: "flags", Corpus: tiny100k, Peers: byDefault,
			Goals: []goal{{"mbsync", .15}}, PeakMiB: 64},
		{Name: "local flags 100,000 tiny", Scenario: "local-flags", Corpus: tiny100k, Peers: byDefault, PeakMiB: 64},

		{Name: "cold 2,000 folders", Scenario: "cold", Corpus: folders2k, Peers: byDefault, PeakMiB: 64, Pairs: 1, OnDemand: true},
		{Name: "noop 2,000 folders", Scenario: "noop", Corpus: folders2k, Peers: byDefault, PeakMiB: 64, Pairs: 3, OnDemand: true},
		{Name: "flags 2,000 folders", Scenario: "flags", Corpus: folders2k, Peers: byDefault, PeakMiB: 64, Pairs: 3, OnDemand: true},

		{Name: "cold 1,000,000 tiny", Scenario: "cold", Corpus: tiny1m, PeakMiB: 96, Pairs: 1, OnDemand: true},
		{Name: "noop 1,000,000 tiny", Scenario: "noop", Corpus: tiny1m, PeakMiB: 96, Pairs: 3, OnDemand: true},
		{Name: "flags 1,000,000 tiny", Scenario: "flags", Corpus: tiny1m, PeakMiB: 96, Pairs: 1, OnDemand: true},
	}
	for _, r := range conditions() {
		r.Elsewhere = true
		rows = append(rows, r)
	}
	for i := range rows {
		if rows[i].Storage == "" {
			rows[i].Storage = "maildir"
		}
	}
	return rows
}

// conditions are the same deeds elsewhere: nowhere may imapfw be slower than mbsync
// as it comes.
func conditions() []row {
	atMost := []goal{{"mbsync", 1}}
	var rows []row
	for _, in := range []row{
		{Name: "TLS", TLS: true},
		{Name: "5 ms", RTT: 5 * ms},
		{Name: "80 ms", RTT: 80 * ms},
		{Name: "sdbox", Storage: "sdbox"},
		{Name: "mdbox", Storage: "mdbox"},
	} {
		for _, scenario := range []string{"cold", "noop", "flags", "local-flags", "new", "expunged", "push"} {
			r := in
			r.Name = fmt.Sprintf("%s 5,000, %s", scenarios[scenario].name, in.Name)
			r.Scenario, r.Corpus, r.Peers, r.Goals, r.Pairs = scenario, mixed5k, byDefault, atMost, 3
			rows = append(rows, r)
		}
		if in.Storage == "" {
			r := in
			r.Name = "noop 200 folders, " + in.Name
			r.Scenario, r.Corpus, r.Peers, r.Goals, r.Pairs = "noop", folders, byDefault, atMost, 3
			if r.RTT > 20*ms {
				r.Pairs = 1 // mbsync takes the better part of a minute
			}
			rows = append(rows, r)
		}
	}
	return append(rows, row{Name: "push 5,000, maildir", Scenario: "push", Corpus: mixed5k, Peers: byDefault, Goals: atMost, Pairs: 3})
}
