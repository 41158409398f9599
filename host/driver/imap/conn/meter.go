package conn

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/imapfw/imapfw/host/timing"
)

// writePiece is how much is written under one deadline.
const writePiece = 16 << 10

// meter is the socket below TLS. It knows when a byte last got through, and it
// alone sets deadlines: those that imapclient and crypto/tls ask for are fixed
// times for whole messages, which a slow line cannot meet.
type meter struct {
	net.Conn
	timeout time.Duration
	start   time.Time
	moved   atomic.Int64 // since start
	setup   atomic.Bool  // each read has a deadline; afterwards wire.fill watches

	line  *Line
	begun time.Time // of the burst that is arriving
	burst int64     // its octets

	timing *timing.Recorder
	heard  atomic.Bool // it is our turn: something came since we last sent
}

const (
	// pause is what ends a burst: nothing arrived for so long.
	pause = 20 * time.Millisecond
	// burstSize is how much says something about a line's rate.
	burstSize = 1 << 20
)

func newMeter(c net.Conn, timeout time.Duration, line *Line) *meter {
	m := &meter{Conn: c, timeout: timeout, start: time.Now(), line: line}
	m.setup.Store(true)
	m.heard.Store(true)
	return m
}

// endSetup takes the deadline off reads. No read may be in progress.
func (m *meter) endSetup() {
	m.setup.Store(false)
	m.touch()
	_ = m.Conn.SetReadDeadline(time.Time{}) // fails only where Read will, too
}

func (m *meter) touch() { m.moved.Store(int64(time.Since(m.start))) }

// since returns for how long no byte has moved.
func (m *meter) since() time.Duration {
	return time.Since(m.start) - time.Duration(m.moved.Load())
}

func (m *meter) Read(p []byte) (int, error) {
	if m.setup.Load() {
		_ = m.Conn.SetReadDeadline(time.Now().Add(m.timeout)) // fails only where Read will, too
	}
	n, err := m.Conn.Read(p)
	if n > 0 {
		if m.since() > pause {
			m.begun, m.burst = time.Now(), 0
		}
		m.touch()
		if m.burst += int64(n); m.burst >= burstSize {
			m.line.note(m.burst, time.Since(m.begun))
			m.begun, m.burst = time.Now(), 0
		}
		if m.timing != nil {
			m.heard.Store(true)
			m.timing.Count(timing.BytesDown, int64(n))
		}
	}
	return n, err
}

// Write writes all of p, however long it takes, as long as it moves. It looks
// several times within the timeout how far it has come, since wait watches too.
func (m *meter) Write(p []byte) (int, error) {
	done := 0
	// Before the first byte: the answer may be here before Write returns.
	if m.timing != nil && m.heard.Swap(false) {
		m.timing.Count(timing.RoundTrips, 1)
	}
	last := time.Now() // when a byte last went out
	for done < len(p) {
		if err := m.Conn.SetWriteDeadline(time.Now().Add(m.timeout / 4)); err != nil {
			return done, err
		}
		n, err := m.Conn.Write(p[done:min(done+writePiece, len(p))])
		done += n
		m.timing.Count(timing.BytesUp, int64(n))
		if n > 0 {
			m.touch()
			last = time.Now()
		}
		if err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || time.Since(last) >= m.timeout) {
			return done, err
		}
	}
	return done, nil
}

func (m *meter) SetDeadline(time.Time) error      { return nil }
func (m *meter) SetReadDeadline(time.Time) error  { return nil }
func (m *meter) SetWriteDeadline(time.Time) error { return nil }
