package state

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// memoryJournal is the journal of a Memory, under its lock.
type memoryJournal struct {
	runs   []Run
	events []Event
}

func (j *memoryJournal) log(folder string, events []Event) {
	for _, e := range events {
		e.ID, e.Folder = 1, folder
		if n := len(j.events); n > 0 {
			e.ID = j.events[n-1].ID + 1
		}
		j.events = append(j.events, e)
	}
}

// BeginRun notes a run that is about to change something.
func (m *Memory) BeginRun(ctx context.Context, kind string) (int64, error) {
	leave, err := m.enter(ctx, opWriteJournal)
	if err != nil {
		return 0, err
	}
	defer leave()
	id := int64(1)
	if n := len(m.journal.runs); n > 0 {
		id = m.journal.runs[n-1].ID + 1
	}
	m.journal.runs = append(m.journal.runs, Run{ID: id, Kind: kind, Began: wholeSecond(time.Now())})
	return id, nil
}

// EndRun notes how a run ended.
func (m *Memory) EndRun(ctx context.Context, run int64, outcome string) error {
	leave, err := m.enter(ctx, opWriteJournal)
	if err != nil {
		return err
	}
	defer leave()
	for i := range m.journal.runs {
		if r := &m.journal.runs[i]; r.ID == run {
			r.Ended, r.Outcome = wholeSecond(time.Now()), outcome
		}
	}
	return nil
}

// Runs returns the runs, newest first.
func (m *Memory) Runs(ctx context.Context, limit int) ([]Run, error) {
	leave, err := m.enter(ctx, opJournal)
	if err != nil {
		return nil, err
	}
	defer leave()
	out := slices.Clone(m.journal.runs)
	slices.Reverse(out)
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	for i := range out {
		out[i].Events = m.journal.counts(out[i].ID)
	}
	return out, nil
}

func (j *memoryJournal) counts(run int64) []Count {
	var out []Count
	for _, e := range j.events {
		if e.Run != run {
			continue
		}
		at := slices.IndexFunc(out, func(c Count) bool { return c.Op == e.Op && c.Side == e.Side })
		if at < 0 {
			at = len(out)
			out = append(out, Count{Op: e.Op, Side: e.Side})
		}
		out[at].Count++
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Op, b.Op), cmp.Compare(sideWord(a.Side), sideWord(b.Side)))
	})
	return out
}

// Events hands out events in the order in which they were written.
func (m *Memory) Events(ctx context.Context, q Query, fn func([]Event) error) error {
	leave, err := m.enter(ctx, opJournal)
	if err != nil {
		return err
	}
	var out []Event
	for _, e := range m.journal.events {
		if q.selects(e) {
			out = append(out, e)
		}
	}
	leave()
	for batch := range slices.Chunk(out, batchRows) {
		if err := fn(slices.Clip(batch)); err != nil {
			return err
		}
	}
	return nil
}

// Prune forgets old runs, but the newest: its number is not given twice.
func (m *Memory) Prune(ctx context.Context, before time.Time) error {
	leave, err := m.enter(ctx, opWriteJournal)
	if err != nil {
		return err
	}
	defer leave()
	old := map[int64]bool{}
	for i, r := range m.journal.runs {
		if r.Began.Unix() < before.Unix() && i < len(m.journal.runs)-1 {
			old[r.ID] = true
		}
	}
	m.journal.runs = slices.DeleteFunc(m.journal.runs, func(r Run) bool { return old[r.ID] })
	m.journal.events = slices.DeleteFunc(m.journal.events, func(e Event) bool { return old[e.Run] })
	return nil
}
