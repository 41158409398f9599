package mail

import "io"

// LineEnds is how the lines of a message's content end.
type LineEnds uint8

// Content from IMAP has CRLF, content from a Maildir file LF. A store converts
// on the way in, while streaming, and only when the forms differ: LF becomes
// CRLF unless a CR is there already, CRLF becomes LF; a bare CR stays.
const (
	LF LineEnds = iota + 1
	CRLF
)

// Linker is what a body's Reader is, too, where the content is a file that nobody
// writes to any more.
type Linker interface {
	// Link makes path, which must not be there, another name of the file. It fails
	// where the file system cannot do that; then the content is to be copied.
	Link(path string) error
}

// Body is a message's content on its way. It is read once, by the one it was
// handed to, before the call that handed it out returns. A reader that ends
// before Size bytes returns io.ErrUnexpectedEOF: a short message never looks
// complete. If Reader is also an io.Seeker it may be read twice.
type Body struct {
	io.Reader
	Size     int64
	LineEnds LineEnds
	// Altered tells that a controller changed the content on its way, so that
	// it is not what the store it came from keeps.
	Altered bool
}
