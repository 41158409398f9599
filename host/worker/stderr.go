package worker

import (
	"bufio"
	"errors"
	"io"
	"sync"
)

// maxLine is the longest line of stderr that is logged as one.
const maxLine = 16 << 10

// lines calls fn for each line of r until it ends. Longer lines come in pieces.
func lines(r io.Reader, fn func(line []byte)) {
	br := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := br.ReadSlice('\n')
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			fn(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// tail keeps the last lines of what a child wrote: where it panicked, they say
// why.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const maxTail = 16 << 10

func (t *tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(append(t.buf, line...), '\n')
	if over := len(t.buf) - maxTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
