package endpoint

import (
	"errors"
	"io"

	"github.com/imapfw/imapfw/host/mail"
)

// watched is a message's content on its way through Copy: it is shown to the
// tap once, from the first byte on, however often the target reads it, and the
// error it ended with is remembered.
type watched struct {
	c    *copier
	src  io.Reader
	tap  io.Writer
	at   int64 // where the target reads
	seen int64 // up to where the tap has seen it
	err  error
}

func (c *copier) watch(m mail.Meta, body mail.Body) *watched {
	w := &watched{c: c, src: body.Reader}
	if c.o.Tap != nil {
		w.tap = c.o.Tap(m, body.LineEnds)
	}
	return w
}

// reader keeps the ability of the source to be read twice, which saves a target
// that must know the size on the wire from keeping a copy.
func (w *watched) reader() io.Reader {
	if _, ok := w.src.(io.Seeker); ok {
		return seekable{w}
	}
	return w
}

// failure returns the error that reading ended with, nil at the proper end.
func (w *watched) failure() error { return w.err }

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.src.Read(p)
	if fresh := w.at + int64(n) - w.seen; fresh > 0 && w.at <= w.seen {
		if terr := w.show(p[int64(n)-fresh : n]); terr != nil {
			err = terr
		}
	}
	w.at += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (w *watched) show(p []byte) error {
	w.seen += int64(len(p))
	if w.c.o.Progress != nil {
		w.c.o.Progress(0, int64(len(p)))
	}
	if w.tap == nil {
		return nil
	}
	_, err := w.tap.Write(p)
	return err
}

// seekable adds Seek to watched where the source has it.
type seekable struct{ *watched }

func (s seekable) Seek(offset int64, whence int) (int64, error) {
	at, err := s.src.(io.Seeker).Seek(offset, whence)
	if err == nil {
		s.at = at
	}
	return at, err
}
