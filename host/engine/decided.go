package engine

import (
	"maps"
	"sync"
)

// decided is what a script decided while a plan was made. Applied later, the
// plan is made again without asking.
type decided struct {
	mu        sync.Mutex
	leftOut   map[string]struct{}
	conflicts map[string]map[int64]Conflict
}

func (d *decided) leave(folder string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leftOut == nil {
		d.leftOut = map[string]struct{}{}
	}
	d.leftOut[folder] = struct{}{}
}

// settle notes what was decided about a row of the state. A message without one
// cannot be named; if that matters, its plan will not be found again.
func (d *decided) settle(folder string, row int64, is Conflict) {
	if row <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conflicts == nil {
		d.conflicts = map[string]map[int64]Conflict{}
	}
	if d.conflicts[folder] == nil {
		d.conflicts[folder] = map[int64]Conflict{}
	}
	d.conflicts[folder][row] = is
}

// of returns what was decided about the conflicts of a folder.
func (d *decided) of(folder string) map[int64]Conflict {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.conflicts[folder])
}

// take takes over what a document says was decided.
func (d *decided) take(doc *PlanDocument) {
	for _, name := range doc.LeftOut {
		d.leave(string(name))
	}
	for _, part := range doc.Folders {
		for _, one := range part.Decisions {
			d.settle(string(part.Name), one.Row, one.Is)
		}
	}
}
