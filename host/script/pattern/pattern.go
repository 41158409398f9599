// Package pattern matches Lua patterns with a bound on the work done. The
// matcher of gopher-lua cannot be stopped: a pattern such as ".-.-.-b" on a few
// kilobytes runs for minutes, whatever the context says. This one counts its
// steps, asks now and then whether to go on, and gives up at a limit.
//
// The dialect is Lua 5.1 with %f and %g of 5.2. Text is bytes; classes are ASCII.
package pattern

import "strings"

// maxCaptures is Lua's own limit.
const maxCaptures = 32

// Pattern is a compiled pattern. It is immutable: several goroutines may use it.
type Pattern struct {
	anchored bool
	items    []item
	captures int
	literal  string // the whole pattern, where it is plain text
	plain    bool
}

// op is what an item of a pattern does.
type op uint8

const (
	opByte     op = iota // one byte of a set, perhaps repeated
	opOpen               // a capture begins
	opClose              // a capture ends
	opPosition           // a position capture
	opBack               // %1: the text of a capture again
	opBalance            // %bxy
	opFrontier           // %f[set]
	opEnd                // $ at the end
)

// item is one step of a pattern. Its repeat is 0, or one of * + - ?.
type item struct {
	op     op
	repeat byte
	index  int  // of the capture
	x, y   byte // of a balance
	set    set
}

// Span is a piece of the subject: src[Start:End]. A position capture has End -1.
type Span struct{ Start, End int }

// Match is one match and its captures, in order of their opening.
type Match struct {
	Span
	Captures []Span
}

// Find returns the first match at or after init, which is within the subject.
// An anchored pattern is tried at init only. The budget's error ends the search.
func (p *Pattern) Find(src string, init int, b *Budget) (m Match, found bool, err error) {
	if p.plain && !p.anchored {
		at := strings.Index(src[init:], p.literal)
		scanned := at
		if at < 0 {
			scanned = len(src) - init
		}
		if err := b.take(1 + scanned/64); err != nil || at < 0 {
			return Match{}, false, err
		}
		return Match{Span: Span{init + at, init + at + len(p.literal)}}, true, nil
	}
	mt := matcher{src: src, p: p, budget: b}
	for start := init; start <= len(src); start++ {
		if !p.anchored {
			if start = p.skip(src, start); start < 0 {
				break
			}
		}
		end := mt.match(start, 0)
		if mt.err != nil {
			return Match{}, false, mt.err
		}
		if end >= 0 {
			return Match{Span{start, end}, append([]Span(nil), mt.captures[:p.captures]...)}, true, nil
		}
		if p.anchored {
			break
		}
	}
	return Match{}, false, nil
}

// Anchored reports whether the pattern begins with ^.
func (p *Pattern) Anchored() bool { return p.anchored }

// skip jumps to where a match may start, when the pattern starts with one given
// byte; -1 when there is no such place.
func (p *Pattern) skip(src string, start int) int {
	if len(p.items) == 0 {
		return start
	}
	first := &p.items[0]
	if first.op != opByte || first.repeat == '*' || first.repeat == '-' || first.repeat == '?' {
		return start
	}
	c, ok := first.set.only()
	if !ok {
		return start
	}
	at := strings.IndexByte(src[start:], c)
	if at < 0 {
		return -1
	}
	return start + at
}
