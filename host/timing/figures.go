package timing

import (
	"fmt"
	"time"
)

// Figures are what a Recorder has recorded, as plain data.
type Figures struct {
	Phases []Phase // in the order in which they began
	Counts [counters]int64
}

// Phase tells about everything that was recorded under one name.
type Phase struct {
	Name string
	// From is when it first began, To when it last ended.
	From, To time.Time
	// Wall is for how long at least one was in progress. Busy is the sum of all
	// of them, without what was spent on something else: with several at once it
	// is longer than Wall.
	Wall, Busy time.Duration
	Times      int // how many there were
}

// Figures returns what was recorded so far; what is in progress counts as far as
// it has come, but not among Times. Nil has no figures.
func (r *Recorder) Figures() Figures {
	var f Figures
	if r == nil {
		return f
	}
	for i := range f.Counts {
		f.Counts[i] = r.counts[i].Load()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.began)
	for _, p := range r.phases {
		out := Phase{Name: p.name, From: r.began.Add(p.first), To: r.began.Add(p.last), Wall: p.wall, Busy: p.busy, Times: p.times}
		if p.running > 0 {
			out.To, out.Wall = r.began.Add(now), p.wall+now-p.since
		}
		f.Phases = append(f.Phases, out)
	}
	return f
}

// Count returns what was counted.
func (f Figures) Count(c Counter) int64 { return f.Counts[c] }

// Phase returns the phase of a name, and whether there is one.
func (f Figures) Phase(name string) (Phase, bool) {
	for _, p := range f.Phases {
		if p.Name == name {
			return p, true
		}
	}
	return Phase{}, false
}

// Add returns the figures of two who did the same side by side. How much of their
// walls was at the same time is not known any more: the sum of them is the most
// it can be.
func (f Figures) Add(other Figures) Figures {
	out := Figures{Counts: f.Counts, Phases: append([]Phase{}, f.Phases...)}
	for i, n := range other.Counts {
		out.Counts[i] += n
	}
	for _, p := range other.Phases {
		out.Phases = addPhase(out.Phases, p)
	}
	return out
}

func addPhase(list []Phase, p Phase) []Phase {
	for i, q := range list {
		if q.Name != p.Name {
			continue
		}
		if p.From.Before(q.From) {
			q.From = p.From
		}
		if p.To.After(q.To) {
			q.To = p.To
		}
		q.Busy, q.Times = q.Busy+p.Busy, q.Times+p.Times
		q.Wall = min(q.Wall+p.Wall, q.To.Sub(q.From))
		list[i] = q
		return list
	}
	return append(list, p)
}

// Value returns figures as what may cross a channel between two workers.
func (f Figures) Value() map[string]any {
	phases := make([]any, len(f.Phases))
	for i, p := range f.Phases {
		phases[i] = map[string]any{"name": p.Name, "from": p.From.UnixNano(), "to": p.To.UnixNano(),
			"wall": int64(p.Wall), "busy": int64(p.Busy), "times": int64(p.Times)}
	}
	out := map[string]any{"phases": phases}
	for _, c := range Counters() {
		out[c.String()] = f.Counts[c]
	}
	return out
}

// Parse reads what Value wrote.
func Parse(v any) (Figures, error) {
	var f Figures
	m, ok := v.(map[string]any)
	phases, isList := m["phases"].([]any)
	if !ok || !isList {
		return f, fmt.Errorf("figures are a %T", v)
	}
	var bad error
	number := func(m map[string]any, name string) int64 {
		n, ok := m[name].(int64)
		if !ok && bad == nil {
			bad = fmt.Errorf("figures: %s is a %T", name, m[name])
		}
		return n
	}
	for _, c := range Counters() {
		f.Counts[c] = number(m, c.String())
	}
	for _, one := range phases {
		p, _ := one.(map[string]any)
		name, _ := p["name"].(string)
		f.Phases = append(f.Phases, Phase{Name: name, From: time.Unix(0, number(p, "from")), To: time.Unix(0, number(p, "to")),
			Wall: time.Duration(number(p, "wall")), Busy: time.Duration(number(p, "busy")), Times: int(number(p, "times"))})
	}
	return f, bad
}
