package worker

import (
	"sync"

	"github.com/imapfw/imapfw/host/fault"
)

// Guard runs fn and returns its error. A panic becomes a fault.Crashed whose
// Trace is the stack.
func Guard(op string, fn func() error) error {
	err, _ := guard(op, fn)
	return err
}

func guard(op string, fn func() error) (err error, crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			err, crashed = fault.FromPanic(op, r), true
		}
	}()
	return fn(), false
}

// tally counts what is running. Unlike a WaitGroup it may be waited for while
// it grows, and together with other things.
type tally struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // made by idle, closed when n is 0
}

func (t *tally) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

func (t *tally) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
}

// idle returns a channel that is closed as soon as nothing runs.
func (t *tally) idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	return t.zero
}

// spawn is the one place where this package starts goroutines. failed is called
// when fn panicked or ended its goroutine.
func (t *tally) spawn(op string, fn func(), failed func(error)) {
	t.add()
	go func() {
		defer t.done()
		returned := false
		defer func() {
			if r := recover(); r != nil {
				failed(fault.FromPanic(op, r))
			} else if !returned {
				failed(fault.New(fault.Crashed, op, "the goroutine was ended from within"))
			}
		}()
		fn()
		returned = true
	}()
}

// Group runs functions on goroutines for a worker that needs some of its own,
// and waits for them. The zero value is ready for use.
type Group struct {
	running tally
	mu      sync.Mutex
	err     error
}

// Go runs fn on a new goroutine. op says what it does, for the error of a panic.
func (g *Group) Go(op string, fn func() error) {
	g.running.spawn(op, func() { g.fail(fn()) }, g.fail)
}

func (g *Group) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
}

// Wait waits until all of them returned and tells the first error; a panic in
// one of them is a fault.Crashed.
func (g *Group) Wait() error {
	<-g.running.idle()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}
