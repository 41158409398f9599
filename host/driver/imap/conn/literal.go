package conn

import (
	"bytes"
	"io"

	"github.com/emersion/go-imap/v2"
)

// Literal returns the content of a literal that imapclient handed out. Where
// imapclient takes a dropped connection for the end of the literal, the reader
// returned ends with io.ErrUnexpectedEOF. It never returns more than Size octets.
// A nil literal (NIL) is empty. Content must be read through it, not from
// imapclient directly, whose own reader races with its decoder on an error.
func Literal(lit imap.LiteralReader) io.Reader {
	if lit == nil {
		return bytes.NewReader(nil)
	}
	return &exact{r: lit, left: lit.Size()}
}

// exact reads exactly so many octets. It reads on to the end of r, which is how
// imapclient learns that a literal has been read.
type exact struct {
	r    io.Reader
	left int64
	err  error
}

func (e *exact) Read(p []byte) (int, error) {
	if e.err != nil || len(p) == 0 {
		return 0, e.err
	}
	n, err := e.r.Read(p)
	if int64(n) > e.left {
		n, err = int(e.left), io.EOF
	}
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 || n == 0 && err == nil {
		err = io.ErrUnexpectedEOF // no octets and no error: see inbound.cutLiteral
	}
	e.err = err
	return n, err
}
