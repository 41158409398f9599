//go:build linux

package main

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// row is one measurement: what is done to which mail, and how fast it has to be.
type row struct {
	Name     string
	Scenario string
	Corpus   corpus
	Storage  string // of the server
	TLS      bool
	RTT      time.Duration // 0 is loopback, without a proxy
	Peers    []string      // the tools that imapfw is compared with
	Goals    []goal
	PeakMiB  int  // imapfw's memory may not be more; 0 is no goal
	Pairs    int  // at most so many runs of each tool; 0 is as many as asked for
	OnDemand bool // only when it is asked for by its whole name
	// Elsewhere marks the same deeds under other conditions, which take as long as
	// all the others.
	Elsewhere bool
}

// goal is met when imapfw's median wall time is at most Ratio of the peer's.
type goal struct {
	Peer  string
	Ratio float64
}

// fixture is what rows can share: accounts with the same mail on the same server.
type fixture struct {
	corpus  corpus
	storage string
}

func (r row) fixture() fixture { return fixture{r.Corpus, r.Storage} }

// about says what a row is, for those who read its table.
func (r row) about() string {
	s := fmt.Sprintf("%d messages (%s)", r.Corpus.messages(), r.Corpus.Profile)
	if r.Corpus.Folders > 1 {
		s += fmt.Sprintf(" in %d folders", r.Corpus.Folders)
	}
	s += ", " + r.Storage
	if r.TLS {
		s += ", TLS"
	}
	if r.RTT > 0 {
		s += fmt.Sprintf(", round trip %v", r.RTT)
	}
	return scenarios[r.Scenario].title + ": " + s
}

// choose returns the rows whose names match, in the order in which they are run:
// those of a fixture together. Without a wish it is all but those on demand.
func choose(all []row, wish string) ([]row, error) {
	some, err := regexp.Compile(wish)
	if err != nil {
		return nil, fmt.Errorf("-rows: %w", err)
	}
	whole, err := regexp.Compile("^(?:" + wish + ")$")
	if err != nil {
		return nil, fmt.Errorf("-rows: %w", err)
	}
	var order []fixture
	groups := map[fixture][]row{}
	for _, r := range all {
		if !some.MatchString(r.Name) || r.OnDemand && !whole.MatchString(r.Name) {
			continue
		}
		if groups[r.fixture()] == nil {
			order = append(order, r.fixture())
		}
		groups[r.fixture()] = append(groups[r.fixture()], r)
	}
	var out []row
	for _, f := range order {
		out = append(out, groups[f]...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("-rows %q: there is no such row; -list tells them", wish)
	}
	return out, nil
}

// ofSet returns the rows that are run when nobody asks for some: the conditions, or
// all the others.
func ofSet(rows []row, conditions bool) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Elsewhere != conditions })
}

// small returns the rows with so little mail that all are done in a minute: for
// checking results. Of those that then are alike it keeps one, and of the deeds under
// other conditions those that move mail.
func small(rows []row) []row {
	var out []row
	seen := map[string]bool{}
	for _, r := range rows {
		moves := r.Scenario == "cold" || r.Scenario == "new" || r.Scenario == "push"
		if r.OnDemand || r.Corpus == mixed5k && !moves {
			continue
		}
		if r.Corpus.Folders > 1 {
			r.Corpus.Folders, r.Corpus.Each = r.Corpus.Folders/10, r.Corpus.Each/10
		} else {
			r.Corpus.Each /= 80
		}
		if r.RTT > 0 {
			r.RTT = 5 * time.Millisecond
			r.Peers = slices.DeleteFunc(slices.Clone(r.Peers), func(p string) bool { return p == "offlineimap" })
		}
		r.Goals, r.PeakMiB, r.Pairs = nil, 0, 1
		key := fmt.Sprint(r.Scenario, r.Corpus.Profile, r.Corpus.Folders > 1, r.Storage, r.TLS, r.RTT > 0)
		if !seen[key] {
			out = append(out, r)
		}
		seen[key] = true
	}
	return out
}
