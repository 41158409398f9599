package conn

import "sync"

// tracer passes protocol lines on, one at a time. A nil tracer does nothing.
type tracer struct {
	mu sync.Mutex
	to func(sent bool, line string)
}

func newTracer(to func(bool, string)) *tracer {
	if to == nil {
		return nil
	}
	return &tracer{to: to}
}

// line passes on a line, shortened, without its end.
func (t *tracer) line(sent bool, line []byte) {
	if t == nil {
		return
	}
	line = trimEOL(line)
	text := string(line[:min(len(line), 1000)])
	if len(line) > 1000 {
		text += "..."
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to(sent, text)
}
