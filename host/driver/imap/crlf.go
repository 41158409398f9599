package imap

import (
	"bytes"
	"io"
)

// crlfReader turns the LF of line ends into CRLF, where no CR is there already
// (RFC 5322 section 2.3). Nothing else changes.
type crlfReader struct {
	r      io.Reader
	in     []byte
	left   []byte // of in, not converted yet
	prevCR bool   // the octet handed out last was CR
	owesLF bool   // a CR was handed out for an LF that is first in left
	err    error
}

func newCRLFReader(r io.Reader) *crlfReader {
	return &crlfReader{r: r, in: make([]byte, 32<<10)}
}

func (c *crlfReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(c.left) == 0 {
			if c.err != nil {
				break
			}
			if n > 0 {
				return n, nil
			}
			var k int
			k, c.err = c.r.Read(c.in)
			c.left = c.in[:k]
			continue
		}
		if c.left[0] == '\n' && !c.prevCR && !c.owesLF {
			p[n], c.owesLF = '\r', true
			n++
			continue
		}
		k := copy(p[n:], c.left[:c.run()])
		n += k
		c.prevCR = c.left[k-1] == '\r'
		c.left = c.left[k:]
		c.owesLF = false
	}
	if n == 0 {
		return 0, c.err
	}
	return n, nil
}

// run returns how much of left stays as it is: at least one octet, up to the
// next LF that lacks its CR.
func (c *crlfReader) run() int {
	for at := 1; at < len(c.left); {
		i := bytes.IndexByte(c.left[at:], '\n')
		if i < 0 {
			break
		}
		if at += i; c.left[at-1] != '\r' {
			return at
		}
		at++
	}
	return len(c.left)
}

// appendCRLF appends text with the LF of its line ends turned into CRLF, as
// crlfReader does.
func appendCRLF(to, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(to, text...)
		}
		to = append(to, text[:i]...)
		if n := len(to); n == 0 || to[n-1] != '\r' {
			to = append(to, '\r')
		}
		to = append(to, '\n')
		text = text[i+1:]
	}
}
