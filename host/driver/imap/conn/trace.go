package conn

import "sync"

// maxTrace is how much of a line is traced.
const maxTrace = 1000

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

// line passes on a line without its end, shortened and fit to be printed.
func (t *tracer) line(sent bool, line []byte) {
	if t == nil {
		return
	}
	line = trimEOL(line)
	more := ""
	if len(line) > maxTrace {
		line, more = line[:maxTrace], "..."
	}
	text := printable(string(line)) + more
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to(sent, text)
}
