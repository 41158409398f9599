package conn

import (
	"io"

	"github.com/emersion/go-imap/v2"
)

// Literal returns the content of a literal that imapclient handed out. Where
// imapclient takes a dropped connection for the end of the literal, the reader
// returned ends with io.ErrUnexpectedEOF. It never returns more than Size
// octets. A nil literal (NIL) is empty.
func Literal(lit imap.LiteralReader) io.Reader { panic("unwritten") }
