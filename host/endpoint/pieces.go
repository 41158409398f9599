package endpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// pieceSize is the most content that one item of a stream carries.
const pieceSize = 64 << 10

// A body on a stream is its pieces, each a []byte, and then one map: with the
// length and the digest of all of it, or with the fault that cut it short.

// sendBody sends what body holds. The error is that of sending; one of reading
// goes to the other end, and is returned as failed.
func sendBody(ctx context.Context, s interface {
	Send(context.Context, wire.Value) error
}, body mail.Body) (failed, err error) {
	sum, length := sha256.New(), int64(0)
	for {
		piece := make([]byte, min(pieceSize, max(body.Size-length, 0)+1))
		n, err := fill(body, piece)
		if n > 0 {
			sum.Write(piece[:n])
			length += int64(n)
			if err := s.Send(ctx, piece[:n:n]); err != nil {
				return nil, err
			}
		}
		if err == nil {
			continue
		}
		if err == io.EOF && length < body.Size {
			err = io.ErrUnexpectedEOF
		}
		if err != io.EOF {
			return err, s.Send(ctx, wire.Map{"fault": wire.Fault(err)})
		}
		return nil, s.Send(ctx, wire.Map{"length": length, "digest": sum.Sum(nil)})
	}
}

// fill reads until p is full or the reader ends.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// pieces reads a body from a stream. It hands out a piece only when the one
// after it is there, so that the last one is read by nobody before length and
// digest are proven: a target that stops reading at the announced size cannot
// take altered content for complete.
type pieces struct {
	recv  func() (wire.Value, error)
	size  int64 // announced
	sum   hash.Hash
	count int64
	cur   []byte // being handed out
	next  []byte // arrived, not proven to be followed by more or by the end
	begun bool
	ended bool // the last item has come
	err   error
}

func newPieces(size int64, recv func() (wire.Value, error)) *pieces {
	return &pieces{recv: recv, size: size, sum: sha256.New()}
}

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.cur) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if p.ended && len(p.next) == 0 {
			return 0, io.EOF
		}
		p.advance()
	}
	n := copy(b, p.cur)
	p.cur = p.cur[n:]
	return n, nil
}

// advance makes the next piece the current one, once the one after it is there.
func (p *pieces) advance() {
	if !p.begun {
		p.begun = true
		p.next = p.item()
	}
	if p.err != nil {
		return
	}
	p.cur, p.next = p.next, nil
	if !p.ended {
		p.next = p.item()
	}
	if p.err != nil {
		p.cur = nil
	}
}

// item takes one item from the stream: a piece, or the end.
func (p *pieces) item() []byte {
	v, err := p.recv()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		p.err, p.ended = err, true
		return nil
	}
	if piece, ok := v.([]byte); ok {
		p.sum.Write(piece)
		p.count += int64(len(piece))
		if len(piece) == 0 || p.count > p.size {
			p.broken()
		}
		return piece
	}
	p.ended = true
	end := read(v)
	cause, length, digest := end.fault("fault"), end.int("length"), end.bytes("digest")
	switch {
	case end.err != nil:
		p.err = end.err
	case cause != nil:
		p.err = cause
	case length != p.count || length != p.size || !bytes.Equal(digest, p.sum.Sum(nil)):
		p.broken()
	}
	return nil
}

func (p *pieces) broken() {
	p.err = fault.New(fault.Protocol, "transfer", "%d of %d bytes arrived, and they are not those that were sent", p.count, p.size)
}

// finish takes what was not read from the stream, up to the end of the body, and
// returns the error of the body, if any. A stream that broke is drained too.
func (p *pieces) finish() error {
	p.begun, p.cur, p.next = true, nil, nil
	for !p.ended {
		broken := p.err
		p.item()
		if broken != nil {
			p.err = broken
		}
	}
	return p.err
}
