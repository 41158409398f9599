package mail

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strings"
)

// Mark is a sum, modulo 2^128, over digests of what a folder holds. A driver that
// has no history to read from (a Maildir) puts one into its cursors, and tells with
// each change of its own what that adds to it. So it knows its own changes again
// in the next run, and that there are no others.
type Mark struct{ high, low uint64 }

// NewMark returns the mark of one thing that has this digest.
func NewMark(digest [16]byte) Mark {
	return Mark{binary.BigEndian.Uint64(digest[:8]), binary.BigEndian.Uint64(digest[8:])}
}

// Plus returns the sum of two marks.
func (m Mark) Plus(o Mark) Mark {
	low, carry := bits.Add64(m.low, o.low, 0)
	high, _ := bits.Add64(m.high, o.high, carry)
	return Mark{high, low}
}

// Minus returns the mark without what is in o.
func (m Mark) Minus(o Mark) Mark {
	low, borrow := bits.Sub64(m.low, o.low, 0)
	high, _ := bits.Sub64(m.high, o.high, borrow)
	return Mark{high, low}
}

// String writes a mark, the empty one as the empty text.
func (m Mark) String() string {
	if m == (Mark{}) {
		return ""
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], m.high)
	binary.BigEndian.PutUint64(b[8:], m.low)
	return hex.EncodeToString(b[:])
}

// ParseMark reads what String wrote.
func ParseMark(text string) (Mark, bool) {
	if text == "" {
		return Mark{}, true
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 16 {
		return Mark{}, false
	}
	return NewMark([16]byte(b)), true
}

// markSign begins the mark in a cursor.
const markSign = "#"

// Marked returns a cursor with a mark.
func (c Cursor) Marked(m Mark) Cursor {
	return c.Place() + markSign + Cursor(m.String())
}

// Mark returns the mark of a cursor, if it has one.
func (c Cursor) Mark() (Mark, bool) {
	_, text, marked := strings.Cut(string(c), markSign)
	if !marked {
		return Mark{}, false
	}
	return ParseMark(text)
}

// Place returns a cursor without its mark. Folders whose cursors have the same
// place did not change in between.
func (c Cursor) Place() Cursor {
	place, _, _ := strings.Cut(string(c), markSign)
	return Cursor(place)
}

// Advance returns the cursor after changes of our own, where it has a mark. Its
// place is the old one.
func (c Cursor) Advance(by Mark) Cursor {
	if m, marked := c.Mark(); marked && by != (Mark{}) {
		return c.Marked(m.Plus(by))
	}
	return c
}
