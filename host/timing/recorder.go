// Package timing tells where the time of a run goes, for those who ask. A nil
// Recorder records nothing and costs next to nothing, so that whoever is timed
// need not ask whether it is.
package timing

import (
	"sync"
	"sync/atomic"
	"time"
)

// Counter is something that is counted.
type Counter int

// The counters: those of connections, then those of directories.
const (
	Connections Counter = iota
	// RoundTrips are the turns of connections: each time the client sends after
	// it was sent something, and the first time it sends. That counts once what
	// is sent in several pieces, and a command that did not wait for the answer
	// to the one before only if something arrived in between.
	RoundTrips
	Commands
	BytesUp // on the wire, with what encryption and compression make of them
	BytesDown
	Directories // that were read
	Files       // that were written
	Syncs       // calls that make something durable
	counters
)

// String is how JSON calls it.
func (c Counter) String() string {
	return [...]string{"connections", "round_trips", "commands", "bytes_up", "bytes_down", "directories", "files", "syncs"}[c]
}

// Counters returns all of them, in order.
func Counters() []Counter {
	out := make([]Counter, counters)
	for i := range out {
		out[i] = Counter(i)
	}
	return out
}

// Recorder adds up how long things took, by their names, and counts. Its methods
// may be called from any goroutine, and on nil.
type Recorder struct {
	began  time.Time // with a monotonic clock, which all is measured by
	counts [counters]atomic.Int64

	mu     sync.Mutex
	phases []*phase
	named  map[string]*phase
}

// phase is everything that was recorded under one name. Times are since began.
type phase struct {
	name        string
	first, last time.Duration
	running     int
	since       time.Duration // at least one is running
	wall, busy  time.Duration
	times       int
}

// New returns a recorder that began now.
func New() *Recorder { return Since(time.Now()) }

// Since returns a recorder that began earlier.
func Since(began time.Time) *Recorder { return &Recorder{began: began, named: map[string]*phase{}} }

// Count adds to a counter.
func (r *Recorder) Count(c Counter, n int64) {
	if r != nil {
		r.counts[c].Add(n)
	}
}

// Span is something in progress. The zero one records nothing.
type Span struct {
	r     *Recorder
	phase *phase
	began time.Duration
	idle  time.Duration
}

// Begin begins something. Call End on what it returns when it is over.
func (r *Recorder) Begin(name string) Span {
	if r == nil {
		return Span{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.began)
	p := r.named[name]
	if p == nil {
		p = &phase{name: name, first: now}
		r.named[name] = p
		r.phases = append(r.phases, p)
	}
	if p.running == 0 {
		p.since = now
	}
	p.running++
	return Span{r: r, phase: p, began: now}
}

// Idle takes time off what the span was busy: it was spent on something else. A
// negative one is time spent on it elsewhere.
func (s *Span) Idle(d time.Duration) { s.idle += d }

// End ends it.
func (s *Span) End() {
	if s.r == nil {
		return
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	now, p := time.Since(s.r.began), s.phase
	p.running--
	if p.running == 0 {
		p.wall += now - p.since
	}
	p.busy += max(now-s.began-s.idle, 0)
	p.last = now
	p.times++
}

// Do runs do as a span.
func (r *Recorder) Do(name string, do func() error) error {
	span := r.Begin(name)
	defer span.End()
	return do()
}
