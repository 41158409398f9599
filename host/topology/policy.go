package topology

import (
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/worker"
)

// Decision is what to do about a worker that failed.
type Decision string

// The decisions.
const (
	Default Decision = ""        // as the master decides by itself
	Stop    Decision = "stop"    // the whole run; the failure is its cause
	Restart Decision = "restart" // the worker, after a pause; at the limit: stop
	Go      Decision = "go"      // on without it
)

// Backoff says how often and how soon a worker is restarted.
type Backoff struct {
	Limit   int           // restarts in a row; 0 is 5, less is none
	First   time.Duration // pause before the first one, doubled for each further; 0 is 1s
	Longest time.Duration // 0 is 1m
	// Healthy is how long a worker must have run for its failure to count as
	// the first in a row; 0 is 10m.
	Healthy time.Duration
}

func (b Backoff) withDefaults() Backoff {
	if b.Limit == 0 {
		b.Limit = 5
	}
	if b.First == 0 {
		b.First = time.Second
	}
	if b.Longest == 0 {
		b.Longest = time.Minute
	}
	if b.Healthy == 0 {
		b.Healthy = 10 * time.Minute
	}
	return b
}

// pause returns how long to wait before the nth restart in a row, from 1.
func (b Backoff) pause(n int) time.Duration {
	d := b.First
	for ; n > 1 && d < b.Longest; n-- {
		d *= 2
	}
	return min(d, b.Longest)
}

// byDefault is the decision where nobody else makes one: a repository whose
// failure may pass is restarted, any other failure ends the run.
func byDefault(kind Kind, exit worker.Exit) Decision {
	if (kind == RepositoryManager || kind == StateManager) && fault.IsTemporary(exit.Err) {
		return Restart
	}
	return Stop
}
