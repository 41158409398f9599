package imap

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// content is a message as it goes over the wire: in CRLF form, its size known.
type content struct {
	io.Reader
	size  int64
	spool *spool // what it is in, nil when it is read from the source
}

func (c content) close() {
	if c.spool != nil {
		c.spool.close()
	}
}

// wireForm prepares a body for APPEND, whose literal begins with its size. A
// body that can be sought is read twice; another one goes through a spool. So a
// source that fails, or stalls, does it before the command has begun.
func wireForm(ctx context.Context, body mail.Body, dir string) (content, error) {
	convert := func(r io.Reader) io.Reader {
		if body.LineEnds == mail.CRLF {
			return r
		}
		return newCRLFReader(r)
	}
	source := &counted{ctx: ctx, r: body.Reader}
	if seeker, ok := body.Reader.(io.Seeker); ok {
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil {
			size := body.Size
			if body.LineEnds == mail.CRLF {
				source.n, err = seeker.Seek(0, io.SeekEnd)
				source.n -= start
			} else {
				size, err = io.Copy(io.Discard, convert(source))
			}
			if err == nil {
				err = source.check(body.Size)
			}
			if err == nil {
				_, err = seeker.Seek(start, io.SeekStart)
			}
			return content{Reader: convert(body.Reader), size: size}, err
		}
	}
	sp := newSpool(dir)
	at, err := sp.add(convert(source))
	if err == nil {
		err = source.check(body.Size)
	}
	if err != nil {
		sp.close()
		return content{}, err
	}
	return content{Reader: sp.reader(at), size: at.size, spool: sp}, nil
}

// smallText is memory for a message in the form of its source and in that of the
// wire.
type smallText struct {
	source bytes.Buffer
	wire   []byte
}

// read returns a body in CRLF form. It is valid until the next call.
func (t *smallText) read(ctx context.Context, body mail.Body) ([]byte, error) {
	t.source.Reset()
	source := &counted{ctx: ctx, r: body.Reader}
	if _, err := t.source.ReadFrom(io.LimitReader(source, body.Size+1)); err != nil {
		return nil, err
	}
	if err := source.check(body.Size); err != nil {
		return nil, err
	}
	if body.LineEnds == mail.CRLF {
		return t.source.Bytes(), nil
	}
	t.wire = appendCRLF(t.wire[:0], t.source.Bytes())
	return t.wire, nil
}

// counted counts what is read, and stops when ctx ends.
type counted struct {
	ctx context.Context
	r   io.Reader
	n   int64
}

func (c *counted) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// check compares what was read with what was announced.
func (c *counted) check(size int64) error {
	switch {
	case c.n < size:
		return io.ErrUnexpectedEOF
	case c.n > size:
		return fault.New(fault.Internal, "append", "the message is longer than the %d octets announced", size)
	}
	return nil
}

// copyExactly writes all of the content, and notices when it is not as long as
// it was.
func copyExactly(w io.Writer, c content) error {
	n, err := io.CopyN(w, c.Reader, c.size)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.IO, "append", "the message shrank from %d to %d octets while it was sent", c.size, n)
	}
	return err
}
