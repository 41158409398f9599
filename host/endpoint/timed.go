package endpoint

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// Timed returns a Store whose calls are recorded, under its side ("far: list
// folders"). A call is
// busy while its caller waits for the Store, also for its turn: the time that a
// callback takes is not the Store's, nor that of a Deliver while its content
// comes from elsewhere. What a callback waits for content of the Store is.
func Timed(inner driver.Store, r *timing.Recorder, side string) driver.Store {
	a := &around{Store: inner, run: func(_ context.Context, c *call, do func() error) error {
		return r.Do(timeName(side, c.op), do)
	}}
	return &timed{around: a, r: r, side: side}
}

// timeName says what a method does in words that mean something to users.
func timeName(side string, op Op) string {
	what := string(op)
	switch op {
	case OpFolders:
		what = "list folders"
	case OpChanges:
		what = "read changes"
	case OpDescribe:
		what = "read headers, flags"
	case OpBodies:
		what = "read messages"
	case OpReserve:
		what = "announce messages"
	case OpDeliver:
		what = "write messages"
	case OpCommit:
		what = "commit messages"
	case OpChange:
		what = "change, move, remove"
	case OpStamp, OpSetStamp:
		what = "stamp"
	}
	return side + ": " + what
}

type timed struct {
	*around
	r    *timing.Recorder
	side string
}

func (t *timed) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	span := t.r.Begin(timeName(t.side, OpBodies))
	defer span.End()
	return t.Store.Bodies(ctx, ref, keys, func(m mail.Meta, body mail.Body) error {
		var reading stopwatch
		body.Reader = reading.around(body)
		began := time.Now()
		err := fn(m, body)
		span.Idle(time.Since(began) - reading.time())
		return err
	})
}

func (t *timed) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	var reading stopwatch
	body.Reader = reading.around(body)
	span := t.r.Begin(timeName(t.side, OpDeliver))
	d, err := t.Store.Deliver(ctx, ref, m, body)
	span.Idle(reading.time())
	span.End()
	return d, err
}

// stopwatch measures for how long somebody waited for content. Who reads may do so
// on another goroutine.
type stopwatch struct{ ns atomic.Int64 }

func (w *stopwatch) time() time.Duration { return time.Duration(w.ns.Load()) }

func (w *stopwatch) around(body mail.Body) io.Reader {
	r := &watchedReader{body.Reader, w}
	s, twice := body.Reader.(io.Seeker)
	l, linked := body.Reader.(mail.Linker)
	switch {
	case twice && linked:
		return struct {
			io.Reader
			io.Seeker
			mail.Linker
		}{r, s, l}
	case twice:
		return struct {
			io.Reader
			io.Seeker
		}{r, s}
	}
	return r
}

type watchedReader struct {
	io.Reader
	watch *stopwatch
}

func (r *watchedReader) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := r.Reader.Read(p)
	r.watch.ns.Add(int64(time.Since(began)))
	return n, err
}
