package maildir

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// copier writes bodies. It is reused: most messages are smaller than its buffer.
type copier struct {
	buf [64 << 10]byte
	out lfWriter
}

func newCopiers() *sync.Pool { return &sync.Pool{New: func() any { return new(copier) }} }

// copyBody writes a body, or fails: also when it is shorter or longer than it
// promised.
func (s *Store) copyBody(ctx context.Context, w io.Writer, body mail.Body) error {
	c := s.copiers.Get().(*copier)
	defer s.copiers.Put(c)
	c.out.waiting = false
	left := body.Size
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := body.Read(c.buf[:])
		if left -= int64(n); left < 0 {
			return fault.New(fault.IO, "deliver", "the message is longer than its %d bytes", body.Size)
		}
		piece := c.buf[:n]
		if body.LineEnds == mail.CRLF {
			piece = c.out.convert(piece)
		}
		if len(piece) > 0 {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read the message: %w", err)
		}
	}
	if left > 0 {
		return fmt.Errorf("read the message: %w", io.ErrUnexpectedEOF)
	}
	if rest := c.out.rest(); len(rest) > 0 {
		_, err := w.Write(rest)
		return err
	}
	return nil
}

// lfWriter makes every CRLF of a stream a LF. A CR at the end of a piece waits
// for the next one.
type lfWriter struct {
	waiting bool
	out     []byte
}

// convert returns the piece converted. The result is valid until the next call.
func (l *lfWriter) convert(p []byte) []byte {
	if len(p) == 0 || !l.waiting && bytes.IndexByte(p, '\r') < 0 {
		return p
	}
	l.out = l.out[:0]
	if l.waiting && p[0] != '\n' {
		l.out = append(l.out, '\r')
	}
	if l.waiting = p[len(p)-1] == '\r'; l.waiting {
		p = p[:len(p)-1]
	}
	for {
		i := bytes.Index(p, []byte("\r\n"))
		if i < 0 {
			break
		}
		l.out = append(l.out, p[:i]...)
		p = p[i+1:]
	}
	l.out = append(l.out, p...)
	return l.out
}

// rest returns what is left when the stream has ended.
func (l *lfWriter) rest() []byte {
	if l.waiting {
		return []byte{'\r'}
	}
	return nil
}
