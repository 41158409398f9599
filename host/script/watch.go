package script

import (
	"fmt"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Running describes a call that takes long.
type Running struct {
	Worker string
	What   string // "on_plan of home.lua:12"
	Since  time.Time
}

// callee is what a state was last asked to call. It holds only what does not
// change, since the watcher reads it beside the running state.
type callee struct {
	fn     lua.LValue
	method string
}

func (c *callee) String() string {
	if c == nil {
		return "the host"
	}
	name := c.method
	if name == "" {
		name = "function"
	}
	if fn, ok := c.fn.(*lua.LFunction); ok && fn.Proto != nil {
		return fmt.Sprintf("%s of %s:%d", name, fn.Proto.SourceName, fn.Proto.LineDefined)
	}
	return name
}

// watcher tells Options.Slow about a Do that takes long. A nil watcher does
// nothing.
type watcher struct {
	mu    sync.Mutex
	ended bool
	timer *time.Timer
}

func (s *State) watch() *watcher {
	if s.opts.Slow == nil {
		return nil
	}
	w, since := &watcher{}, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(s.opts.SlowAfter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended {
			return
		}
		s.opts.Slow(Running{Worker: s.opts.Worker, What: s.running.Load().String(), Since: since})
		w.timer.Reset(s.opts.SlowAfter)
	})
	return w
}

// end returns after the last call of Slow has.
func (w *watcher) end() {
	if w == nil {
		return
	}
	w.timer.Stop()
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
}
