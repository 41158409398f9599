//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// traffic is what went through a proxy.
type traffic struct {
	Up, Down    int64 // bytes on the wire: after COMPRESS and TLS
	Connections int64
	// Turns counts how often a client sent something after it had got something:
	// an estimate of the round trips, each connection for itself.
	Turns int64
}

// proxy passes bytes on to a server, each half a round-trip time after it came. It
// does not look at them, so TLS and COMPRESS are as good as plain text. Neither
// packet loss nor slow start are imitated: only the time of flight.
type proxy struct {
	target string
	delay  time.Duration // in one direction

	in          net.Listener
	up, down    atomic.Int64
	connections atomic.Int64
	turns       atomic.Int64
	serving     sync.WaitGroup

	mu    sync.Mutex
	ended bool
	open  map[net.Conn]struct{}
}

// inFlight is how many bytes may be on their way in one direction of a connection,
// as large windows of TCP have it.
const inFlight = 8 << 20

func startProxy(ctx context.Context, target string, rtt time.Duration) (*proxy, error) {
	in, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	p := &proxy{target: target, delay: rtt / 2, in: in, open: map[net.Conn]struct{}{}}
	p.serving.Go(func() {
		for {
			client, err := in.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

func (p *proxy) addr() string { return p.in.Addr().String() }

func (p *proxy) traffic() traffic {
	return traffic{Up: p.up.Load(), Down: p.down.Load(), Connections: p.connections.Load(), Turns: p.turns.Load()}
}

// close cuts what is still connected and waits for the proxy's goroutines.
func (p *proxy) close() {
	_ = p.in.Close()
	p.mu.Lock()
	p.ended = true
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

// keep notes a connection to be cut by close; false when that has happened.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.open[c] = struct{}{}
	}
	return !p.ended
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}

func (p *proxy) serve(client net.Conn) {
	defer p.drop(client)
	if !p.keep(client) {
		return
	}
	p.connections.Add(1)
	// SYN, SYN and ACK, ACK: the server hears of it after one and a half round trips.
	pause(3 * p.delay)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.keep(server) {
		return
	}
	var answered atomic.Bool // the server had the last word
	answered.Store(true)
	var toClient sync.WaitGroup
	toClient.Go(func() {
		pump(server, client, p.delay, func(n int) {
			p.down.Add(int64(n))
			answered.Store(true)
		})
	})
	pump(client, server, p.delay, func(n int) {
		p.up.Add(int64(n))
		if answered.Swap(false) {
			p.turns.Add(1)
		}
	})
	toClient.Wait()
}

// pump passes on everything from one side, and then its end.
func pump(from, to net.Conn, delay time.Duration, count func(int)) {
	if delay == 0 {
		copyOn(from, to, count)
	} else {
		copyLater(from, to, delay, count)
	}
	if c, ok := to.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
}

func copyOn(from, to net.Conn, count func(int)) {
	for buf := make([]byte, 128<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			count(n)
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// piece is what one Read gave, and when it is to arrive.
type piece struct {
	due  time.Time
	data []byte
}

func copyLater(from, to net.Conn, delay time.Duration, count func(int)) {
	var flying atomic.Int64
	landed := make(chan struct{}, 1)
	queue := make(chan piece, 1<<14)
	var writer sync.WaitGroup
	writer.Go(func() {
		var broken error
		for next := range queue {
			if broken == nil {
				pause(time.Until(next.due))
				if _, broken = to.Write(next.data); broken != nil {
					_ = from.Close()
				}
			}
			flying.Add(-int64(len(next.data)))
			select {
			case landed <- struct{}{}:
			default:
			}
		}
	})
	for buf := make([]byte, 128<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			due := time.Now().Add(delay)
			count(n)
			flying.Add(int64(n))
			queue <- piece{due, append([]byte(nil), buf[:n]...)}
			for flying.Load() > inFlight {
				<-landed
			}
		}
		if err != nil {
			break
		}
	}
	close(queue)
	writer.Wait()
}

// pause sleeps to within a tenth of a millisecond, where time.Sleep may take a whole
// one more: that would be two more for each round trip.
func pause(d time.Duration) {
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		left := syscall.NsecToTimespec(d.Nanoseconds())
		if err := syscall.Nanosleep(&left, nil); err == nil || !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}
