package engine

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// news tells that a run is going to change something, most likely: somebody else
// changed a folder. Planning it takes a while, in which the sides can be marked,
// which waits for the disk a few times. A plan that comes out empty leaves a new
// mark on the sides and nothing else; so does one that the guard stops.
type news struct {
	once sync.Once
	came chan struct{}
}

func (n *news) tell() {
	if n != nil {
		n.once.Do(func() { close(n.came) })
	}
}

// markEarly has the sides marked as soon as there is news. The function it returns
// waits for it, and is to be called when everything is planned.
func (e *Engine) markEarly(ctx context.Context) (planned func()) {
	n := &news{came: make(chan struct{})}
	e.news = n
	// Whoever only looks must not write; the plan that is applied has to meet the
	// state it was made from; and a first run reads too much to gain anything.
	if e.DryRun || e.doc != nil || e.begun || e.marked || e.doubt != "" || e.info.Run == 0 {
		return func() { e.news = nil }
	}
	done := make(chan struct{})
	var group errgroup.Group
	guarded(&group, "mark the run", func() error {
		select {
		case <-n.came:
		case <-done:
			select {
			case <-n.came:
			default:
				return nil
			}
		}
		e.marked = e.mark(ctx) == nil // else begin meets the same trouble, if it comes to that
		return nil
	})
	return func() {
		close(done)
		if group.Wait() != nil { // it panicked
			e.marked = false
		}
		e.news = nil
	}
}
