package conn

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

const (
	// maxResponse bounds a response without the message sections in it. A
	// SEARCH over a million messages takes 8 MB.
	maxResponse = 32 << 20
	// maxInline bounds a literal that is read as part of a response: a folder
	// name, a header field in an ENVELOPE.
	maxInline = 4 << 20
	// maxInlines bounds their number in one response.
	maxInlines = 1024
	// keepBuffer is how large a buffer may be to be kept for the next response.
	keepBuffer = 1 << 20
)

// inbound is the reading side: the tokenizer. Its goroutine is that of whoever
// calls Read, which is imapclient's reader.
type inbound struct {
	fill    *filler
	life    *life
	meter   *meter
	traffic *traffic
	out     *outbound // for its gate
	trace   *tracer
	conf    inboundConfig

	chunk, rest []byte // the filler's buffer, and what has not been read of it
	long        []byte // a line longer than what was left of a buffer
	timer       *time.Timer

	// What imapclient reads next, in this order.
	pieces  []piece
	ready   []byte
	literal int64
	cut     bool // the connection ended within it

	fetch *fetching // the FETCH whose literal is being read
	build []byte    // memory for ready
}

// inboundConfig is what the tokenizer has to know of the session.
type inboundConfig struct {
	caps     string // as imapclient is told them
	utf8     bool   // names are UTF-8
	untagged func(*Response)
}

// piece is part of a response that was held back: bytes or a literal.
type piece struct {
	data  []byte
	spool *spool
}

// Read gives imapclient the next bytes it understands. At the end of the stream
// it returns io.EOF between two responses, io.ErrUnexpectedEOF within one.
func (in *inbound) Read(p []byte) (int, error) {
	for {
		switch {
		case len(in.pieces) > 0:
			if n, err := in.readPiece(p); n > 0 || err != nil {
				return n, err
			}
		case len(in.ready) > 0:
			n := copy(p, in.ready)
			in.ready = in.ready[n:]
			return n, nil
		case in.literal > 0:
			n, err := in.read(p[:min(int64(len(p)), in.literal)])
			in.literal -= int64(n)
			if err != nil {
				return 0, in.cutLiteral()
			}
			return n, nil
		default:
			within := in.fetch != nil
			if err := in.next(); err != nil {
				if within || in.fetch != nil {
					return 0, io.ErrUnexpectedEOF
				}
				return 0, io.EOF
			}
		}
	}
}

// cutLiteral ends a literal that is not complete. imapclient goes on decoding
// as soon as it sees an error there, while it still lets the consumer of the
// literal read: both at once. So the first time there is no error, only no
// octets, which Literal tells its reader from everything else; the error is for
// the second time, when imapclient itself drops what was not read.
func (in *inbound) cutLiteral() error {
	if !in.cut {
		in.cut = true
		return nil
	}
	return io.ErrUnexpectedEOF
}

func (in *inbound) readPiece(p []byte) (int, error) {
	first := &in.pieces[0]
	if first.spool != nil {
		n, err := first.spool.Read(p)
		if err == io.EOF {
			err = first.spool.Close()
			in.pieces = in.pieces[1:]
		}
		if err != nil {
			in.life.end(fault.Wrap(fault.IO, "read a spooled message", err))
			return n, io.ErrUnexpectedEOF
		}
		return n, nil
	}
	n := copy(p, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		in.pieces = in.pieces[1:]
	}
	return n, nil
}

// close drops what was held back. The reading goroutine must have ended.
func (in *inbound) close() {
	if in.fetch != nil {
		in.pieces = append(in.pieces, in.fetch.pieces...)
	}
	for _, p := range in.pieces {
		if p.spool != nil {
			_ = p.spool.Close() // a temporary file; nobody could do anything about it
		}
	}
	in.pieces, in.fetch = nil, nil
}

// next reads the next response, or the next part of one.
func (in *inbound) next() error {
	if in.fetch != nil {
		line, err := in.line(false)
		if err != nil {
			return err
		}
		in.fetch.out = in.build[:0] // what was in it has been read
		return in.fetchPart(in.fetch, line)
	}
	if n := in.traffic.takeFaked(); n > 0 {
		in.ready = bytes.Repeat([]byte("+ \r\n"), n)
		return nil
	}
	line, err := in.line(true)
	if err != nil {
		if errors.Is(err, errWoken) {
			return nil
		}
		return err
	}
	switch text := trimEOL(line); {
	case len(text) == 0:
		return nil
	case text[0] == '+':
		if in.traffic.goOn() {
			in.ready = append(in.build[:0], "+ \r\n"...)
		}
		return nil
	case text[0] == '*' && len(text) > 1 && text[1] == ' ':
		return in.untagged(line)
	default:
		return in.tagged(text)
	}
}

// errWoken interrupts a wait for the server between two responses.
var errWoken = errors.New("woken")

// line returns the next line with its end. It is valid until the next call.
func (in *inbound) line(boundary bool) ([]byte, error) {
	if cap(in.long) > keepBuffer {
		in.long = nil
	}
	in.long = in.long[:0]
	for {
		if end := bytes.IndexByte(in.rest, '\n'); end >= 0 {
			line := in.rest[:end+1]
			in.rest = in.rest[end+1:]
			if len(in.long) > 0 {
				in.long = append(in.long, line...)
				line = in.long
			}
			in.trace.line(false, line)
			return line, nil
		}
		if len(in.long)+len(in.rest) > maxResponse {
			return nil, in.broken("a line of more than %d octets", maxResponse)
		}
		in.long = append(in.long, in.rest...)
		in.rest = nil
		if err := in.wait(boundary && len(in.long) == 0); err != nil {
			return nil, err
		}
	}
}

// read reads octets of a literal. A stream that ends is an error.
func (in *inbound) read(p []byte) (int, error) {
	if len(in.rest) == 0 {
		if err := in.wait(false); err != nil {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// whole returns the complete response that begins with line, the literals in it
// included, and never more than maxResponse octets.
func (in *inbound) whole(line []byte) ([]byte, error) {
	size, ok := literalSize(line)
	if !ok {
		return line, nil
	}
	all := bytes.Clone(line)
	for count := 1; ok; count++ {
		more, err := in.inline(all, size, count)
		if err != nil {
			return nil, err
		}
		size, ok = literalSize(more[len(all)+int(size):])
		all = more
	}
	return all, nil
}

// inline appends a literal and the line behind it.
func (in *inbound) inline(to []byte, size int64, count int) ([]byte, error) {
	if size > maxInline || count > maxInlines || int64(len(to))+size > maxResponse {
		return nil, in.broken("a response with too many octets in literals")
	}
	start := len(to)
	to = append(to, make([]byte, size)...)
	for at := start; at < len(to); {
		n, err := in.read(to[at:])
		if err != nil {
			return nil, err
		}
		at += n
	}
	line, err := in.line(false)
	return append(to, line...), err
}

// broken ends the connection because the server sent something that nobody can
// make sense of.
func (in *inbound) broken(format string, args ...any) error {
	in.life.end(fault.New(fault.Protocol, connOp, format, args...))
	return in.life.err()
}

// give hands imapclient a response that was built in in.build.
func (in *inbound) give(b []byte) {
	in.ready = b
	in.build = b
	if cap(b) > keepBuffer {
		in.build = nil
	}
}
