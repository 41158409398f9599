package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/imapfw/imapfw/host/mail"
)

// Identity is what tells a message from another one without trusting keys. It
// is computed on the normalised form of the message: lines end with LF, NUL
// counts as 0x80 (which is what Dovecot makes of it), and the header lines that
// other sync tools add for themselves do not count. So it is the same on every
// store that keeps the message at all.
type Identity struct {
	// Header is a digest of the normalised header.
	Header string
	// Size is in CRLF form; -1 when it is not known.
	Size int64
	// Marks is how much of Size are header lines that do not count.
	Marks int64
	// HasID reports whether the header has a Message-ID, and Dated whether it has
	// a date.
	HasID, Dated bool
	// MessageID is the Message-ID without its angle brackets: for people to look
	// a message up by, nothing is paired by it.
	MessageID string
}

// bare is the size without what sync tools added: it is the same on all copies.
func (id Identity) bare() int64 {
	if id.Size < 0 {
		return -1
	}
	return id.Size - id.Marks
}

// telling reports whether the header is of one message only, and of its copies.
func (id Identity) telling() bool { return id.HasID || id.Dated }

// toolMarks are header lines that sync tools add to their copies.
var toolMarks = [][]byte{[]byte("x-tuid:"), []byte("x-offlineimap:")}

// HeaderIdentity computes the identity of a header: the bytes of a message up to
// and including the empty line, in any form.
func HeaderIdentity(header []byte, crlfSize int64) Identity {
	var t headerTap
	t.Write(header)
	id := t.identity()
	id.Size = crlfSize
	return id
}

// headerTap takes the identity of a message while it streams by. It looks at no
// byte beyond the header but to count line ends.
type headerTap struct {
	sum       hash.Hash
	line      []byte // the header line read so far, at most lineLook of it
	skipping  bool   // in a line that does not count, or in its continuation
	decided   bool   // whether the current line counts is known
	inBody    bool
	hasID     bool
	prevCR    bool
	lineEmpty bool
	size      int64 // in CRLF form
	marks     int64 // of lines that do not count, in CRLF form
	begun     bool
	body      io.Writer // gets what follows the header; nil: nobody does
	naming    bool      // in the Message-ID, or in its continuation
	name      []byte    // the value of the first Message-ID, at most longestID of it
	dated     bool
}

// longestID is how much of a Message-ID is kept.
const longestID = 512

// lineLook is how much of a header line is kept to recognise its name.
const lineLook = 32

// Write takes the next bytes of the message. It never fails.
func (t *headerTap) Write(p []byte) (int, error) {
	if !t.begun {
		t.begun, t.sum, t.lineEmpty = true, sha256.New(), true
	}
	for rest := p; len(rest) > 0; {
		if t.inBody {
			t.countLines(rest)
			if t.body != nil {
				_, _ = t.body.Write(rest) // a digest, which never fails
			}
			break
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			t.headerBytes(rest)
			break
		}
		t.headerBytes(rest[:i])
		t.headerLineEnd()
		rest = rest[i+1:]
	}
	return len(p), nil
}

// readHeader reads on, through the tap, until the header has passed.
func (t *headerTap) readHeader(tapped io.Reader) error {
	for piece := make([]byte, 4096); !t.inBody; {
		switch _, err := tapped.Read(piece); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
	return nil
}

// countLines adds what p takes in CRLF form.
func (t *headerTap) countLines(p []byte) {
	t.size += int64(len(p))
	for i := 0; i < len(p); {
		j := bytes.IndexByte(p[i:], '\n')
		if j < 0 {
			break
		}
		j += i
		if j == 0 && !t.prevCR || j > 0 && p[j-1] != '\r' {
			t.size++
		}
		i = j + 1
	}
	t.prevCR = p[len(p)-1] == '\r'
}

func (t *headerTap) headerBytes(p []byte) {
	if len(p) == 0 {
		return
	}
	t.size += int64(len(p))
	if t.prevCR { // a CR that no LF followed is content
		t.content([]byte{'\r'})
	}
	if t.prevCR = p[len(p)-1] == '\r'; t.prevCR {
		p = p[:len(p)-1]
	}
	t.content(p)
}

// content takes bytes of the current header line, line ends taken away.
func (t *headerTap) content(p []byte) {
	if len(p) == 0 {
		return
	}
	if t.lineEmpty {
		t.lineEmpty = false
		if p[0] != ' ' && p[0] != '\t' { // a continuation counts as its line does
			t.skipping, t.decided, t.naming = false, false, false
		}
	}
	if t.decided {
		if t.naming {
			t.name = append(t.name, p[:min(len(p), longestID-min(len(t.name), longestID))]...)
		}
		t.digest(p)
		return
	}
	t.line = append(t.line, p...)
	if len(t.line) >= lineLook {
		t.decide()
	}
}

// decide looks at the name of the line and says whether it counts.
func (t *headerTap) decide() {
	t.decided = true
	name := bytes.ToLower(t.line[:min(len(t.line), lineLook)])
	for _, mark := range toolMarks {
		t.skipping = t.skipping || bytes.HasPrefix(name, mark)
	}
	if field := []byte("message-id:"); bytes.HasPrefix(name, field) && !t.hasID {
		t.hasID, t.naming = true, true
		t.name = append(t.name, t.line[len(field):]...)
	}
	t.dated = t.dated || bytes.HasPrefix(name, []byte("date:"))
	t.digest(t.line)
	t.line = t.line[:0]
}

func (t *headerTap) digest(p []byte) {
	if t.skipping {
		t.marks += int64(len(p))
		return
	}
	if bytes.IndexByte(p, 0) >= 0 {
		p = bytes.ReplaceAll(p, []byte{0}, []byte{0x80})
	}
	t.sum.Write(p)
}

func (t *headerTap) headerLineEnd() {
	t.size++
	if !t.prevCR {
		t.size++
	}
	t.prevCR = false
	if t.lineEmpty {
		t.inBody = true
		return
	}
	if !t.decided {
		t.decide()
	}
	t.digest([]byte{'\n'})
	if t.skipping {
		t.marks++ // the CR
	}
	t.lineEmpty = true
}

// identity returns what was seen so far. A message that ends within its header
// is digested as it is.
func (t *headerTap) identity() Identity {
	if !t.begun {
		t.Write(nil)
		t.sum = sha256.New()
	}
	if !t.inBody && !t.decided && len(t.line) > 0 {
		t.decide()
	}
	return Identity{Header: hex.EncodeToString(t.sum.Sum(nil)[:12]), Size: t.size, Marks: t.marks, HasID: t.hasID,
		Dated: t.dated, MessageID: messageID(t.name)}
}

// messageID returns what a Message-ID field names.
func messageID(value []byte) string {
	if _, rest, ok := bytes.Cut(value, []byte{'<'}); ok {
		value, _, _ = bytes.Cut(rest, []byte{'>'})
	}
	return string(bytes.ToValidUTF8(bytes.TrimSpace(value), []byte("?")))
}

// wholeDigest is a digest of a whole message in normalised form, fed by Write.
type wholeDigest struct {
	head headerTap
	rest restDigest
}

func newWholeDigest() *wholeDigest {
	d := &wholeDigest{rest: restDigest{sum: sha256.New()}}
	d.head.body = &d.rest
	return d
}

func (d *wholeDigest) Write(p []byte) (int, error) { return d.head.Write(p) }

func (d *wholeDigest) String() string { return d.head.identity().Header + " " + d.rest.String() }

// restDigest is that of what follows the header.
type restDigest struct {
	sum    hash.Hash
	prevCR bool
}

func (d *restDigest) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p)+1)
	for _, c := range p {
		if d.prevCR && c != '\n' {
			out = append(out, '\r')
		}
		d.prevCR = c == '\r'
		switch c {
		case '\r':
		case 0:
			out = append(out, 0x80)
		default:
			out = append(out, c)
		}
	}
	d.sum.Write(out)
	return len(p), nil
}

func (d *restDigest) String() string {
	if d.prevCR {
		d.sum.Write([]byte{'\r'})
		d.prevCR = false
	}
	return hex.EncodeToString(d.sum.Sum(nil)[:16])
}

// described is a message with its identity, as pairing sees it.
type described struct {
	meta mail.Meta
	id   Identity
	body string // digest of the whole message, only where it was needed
	// standsFor is the message that this one is a placeholder of, or nil.
	standsFor *Identity
}
