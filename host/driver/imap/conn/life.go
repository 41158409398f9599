package conn

import (
	"io"
	"sync"
)

// life ends once, with a cause.
type life struct {
	socket io.Closer
	dead   chan struct{}

	mu    sync.Mutex
	cause error
}

func newLife(socket io.Closer) *life {
	return &life{socket: socket, dead: make(chan struct{})}
}

// end closes the socket, which wakes everybody up. Only the first cause counts.
func (l *life) end(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return
	}
	l.cause = cause
	// The socket is closed without a goodbye of TLS: that would wait for a
	// line that may be the reason for ending. What Close returns says nothing
	// that the cause does not.
	_ = l.socket.Close()
	close(l.dead)
}

// endWell is end for a connection that was given up on purpose, whatever the
// server did while it was said goodbye to.
func (l *life) endWell(cause error) {
	l.end(cause)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cause = cause
}

// err returns the cause, nil while alive.
func (l *life) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
