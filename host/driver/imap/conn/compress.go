package conn

import (
	"bufio"
	"compress/flate"
	"net"
	"sync/atomic"
	"time"
)

// Compression says when a connection is compressed (RFC 4978), where the server
// can. The zero value is CompressAuto.
type Compression int

// CompressAuto compresses where it pays: on a line that is far enough away and
// not too fast, never on this machine.
const (
	CompressAuto Compression = iota
	CompressAlways
	CompressNever
)

const (
	// farAway is the round trip from which on a line is taken for a slow one.
	// Within a house and a data centre it is below.
	farAway = 5 * time.Millisecond
	// fastLine is the octets per second from which on the server's deflate would
	// be what is waited for.
	fastLine = 16 << 20
)

// Line is what connections to one server have learned of the way there. It may
// be used by several at once; the zero value is ready.
type Line struct {
	best atomic.Int64 // octets per second
}

// note takes in how long so many octets took, one behind the other.
func (l *Line) note(octets int64, took time.Duration) {
	if l == nil || took <= 0 {
		return
	}
	rate := int64(float64(octets) / took.Seconds())
	for best := l.best.Load(); rate > best && !l.best.CompareAndSwap(best, rate); best = l.best.Load() {
	}
}

// Rate is the most octets per second that were seen to arrive; 0 before enough
// have.
func (l *Line) Rate() int64 {
	if l == nil {
		return 0
	}
	return l.best.Load()
}

// pays reports whether compression saves more time than it costs on a line with
// this round trip and rate; a rate of 0 is not known.
func pays(loopback bool, roundTrip time.Duration, rate int64) bool {
	return !loopback && roundTrip >= farAway && rate < fastLine
}

// wantsCompression decides whether this connection is compressed.
func (s *session) wantsCompression() bool {
	if !s.caps.has("COMPRESS=DEFLATE") || s.cfg.Compress == CompressNever {
		return false
	}
	return s.cfg.Compress == CompressAlways || pays(isLoopback(s.cfg.Host, s.meter.RemoteAddr()), s.roundTrip, s.cfg.Line.Rate())
}

// compress switches on COMPRESS=DEFLATE after the server agreed to it.
func (s *session) compress() error {
	w, err := flate.NewWriter(s.stream, flate.BestSpeed)
	if err != nil {
		return err
	}
	// What the server sent behind its answer is compressed already.
	s.br = bufio.NewReader(flate.NewReader(s.br))
	s.stream = &deflated{Conn: s.stream, w: w}
	return nil
}

// deflated writes compressed data. What is written goes out at once: the other
// end waits for it.
type deflated struct {
	net.Conn
	w *flate.Writer
}

func (d *deflated) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err == nil {
		err = d.w.Flush()
	}
	return n, err
}
