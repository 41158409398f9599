package imaptest

import (
	"net"
	"slices"
	"sync"
	"time"
)

// delayed writes everything a fixed time after it was given, in order.
type delayed struct {
	to    net.Conn
	delay time.Duration
	queue chan chunk
	done  chan struct{}

	mu    sync.Mutex // two goroutines write to the client
	ended bool
}

type chunk struct {
	due  time.Time
	data []byte
}

func newDelayed(to net.Conn, delay time.Duration) *delayed {
	d := &delayed{to: to, delay: delay, queue: make(chan chunk, 1024), done: make(chan struct{})}
	go func() {
		defer close(d.done)
		for c := range d.queue {
			time.Sleep(time.Until(c.due))
			_, _ = d.to.Write(c.data) // when it is gone, the reader of this side ends us
		}
	}()
	return d
}

func (d *delayed) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return 0, net.ErrClosed
	}
	d.queue <- chunk{time.Now().Add(d.delay), slices.Clone(b)}
	return len(b), nil
}

// end writes what is left and waits for it.
func (d *delayed) end() {
	d.mu.Lock()
	if !d.ended {
		d.ended = true
		close(d.queue)
	}
	d.mu.Unlock()
	<-d.done
}
