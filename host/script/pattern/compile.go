package pattern

import (
	"fmt"
	"strings"
)

// Compile reads a pattern. Its errors are Lua's: "malformed pattern (...)".
func Compile(text string) (*Pattern, error) {
	c := compiler{text: text}
	if strings.HasPrefix(text, "^") {
		c.p.anchored = true
		c.at++
	}
	c.p.plain = true
	for c.at < len(text) {
		if err := c.item(); err != nil {
			return nil, err
		}
	}
	if len(c.open) > 0 {
		return nil, fmt.Errorf("unfinished capture")
	}
	if c.p.plain {
		c.p.literal = text
		if c.p.anchored {
			c.p.literal = text[1:]
		}
	}
	return &c.p, nil
}

type compiler struct {
	text string
	at   int
	p    Pattern
	open []int // captures that have begun
}

// item reads one item of the pattern.
func (c *compiler) item() error {
	switch ch := c.text[c.at]; {
	case ch == '(':
		return c.begin()
	case ch == ')':
		return c.end()
	case ch == '$' && c.at == len(c.text)-1:
		c.at++
		c.special(item{op: opEnd})
		return nil
	case ch == '%' && c.at+1 < len(c.text):
		switch next := c.text[c.at+1]; {
		case next == 'b':
			return c.balance()
		case next == 'f':
			return c.frontier()
		case next >= '0' && next <= '9':
			return c.back(int(next-'0') - 1)
		}
	}
	s, literal, err := c.single()
	if err != nil {
		return err
	}
	it := item{op: opByte, set: s}
	if c.at < len(c.text) && strings.IndexByte("*+-?", c.text[c.at]) >= 0 {
		it.repeat = c.text[c.at]
		c.at++
	}
	if !literal || it.repeat != 0 {
		c.p.plain = false
	}
	c.p.items = append(c.p.items, it)
	return nil
}

func (c *compiler) special(it item) {
	c.p.plain = false
	c.p.items = append(c.p.items, it)
}

func (c *compiler) begin() error {
	if c.p.captures == maxCaptures {
		return fmt.Errorf("too many captures (at most %d)", maxCaptures)
	}
	n := c.p.captures
	c.p.captures++
	if strings.HasPrefix(c.text[c.at:], "()") {
		c.at += 2
		c.special(item{op: opPosition, index: n})
		return nil
	}
	c.at++
	c.open = append(c.open, n)
	c.special(item{op: opOpen, index: n})
	return nil
}

func (c *compiler) end() error {
	if len(c.open) == 0 {
		return fmt.Errorf("invalid pattern capture: ')' without '('")
	}
	n := c.open[len(c.open)-1]
	c.open = c.open[:len(c.open)-1]
	c.at++
	c.special(item{op: opClose, index: n})
	return nil
}

func (c *compiler) back(n int) error {
	if n < 0 || n >= c.p.captures {
		return fmt.Errorf("invalid capture index %%%d", n+1)
	}
	for _, open := range c.open {
		if open == n {
			return fmt.Errorf("invalid capture index %%%d: it is not closed yet", n+1)
		}
	}
	c.at += 2
	c.special(item{op: opBack, index: n})
	return nil
}

func (c *compiler) balance() error {
	if c.at+3 >= len(c.text) {
		return fmt.Errorf("malformed pattern (missing arguments to '%%b')")
	}
	c.special(item{op: opBalance, x: c.text[c.at+2], y: c.text[c.at+3]})
	c.at += 4
	return nil
}

func (c *compiler) frontier() error {
	c.at += 2
	if c.at >= len(c.text) || c.text[c.at] != '[' {
		return fmt.Errorf("malformed pattern (missing '[' after '%%f')")
	}
	s, err := c.brackets()
	if err != nil {
		return err
	}
	c.special(item{op: opFrontier, set: s})
	return nil
}

// single reads a byte, an escape, a dot or a set; literal tells that it stands
// for itself.
func (c *compiler) single() (s set, literal bool, err error) {
	ch := c.text[c.at]
	switch ch {
	case '.':
		c.at++
		s.invert()
		return s, false, nil
	case '[':
		s, err = c.brackets()
		return s, false, err
	case '%':
		if c.at+1 >= len(c.text) {
			return s, false, fmt.Errorf("malformed pattern (ends with '%%')")
		}
		c.at += 2
		return class(c.text[c.at-1]), false, nil
	}
	c.at++
	return one(ch), true, nil
}

// brackets reads a [set].
func (c *compiler) brackets() (s set, err error) {
	missing := fmt.Errorf("malformed pattern (missing ']')")
	c.at++
	negated := false
	if c.at < len(c.text) && c.text[c.at] == '^' {
		negated = true
		c.at++
	}
	for first := true; ; first = false {
		if c.at >= len(c.text) {
			return s, missing
		}
		ch := c.text[c.at]
		switch {
		case ch == ']' && !first:
			c.at++
			if negated {
				s.invert()
			}
			return s, nil
		case ch == '%':
			if c.at+1 >= len(c.text) {
				return s, missing
			}
			s.addSet(class(c.text[c.at+1]))
			c.at += 2
		case c.at+2 < len(c.text) && c.text[c.at+1] == '-' && c.text[c.at+2] != ']':
			s.addRange(ch, c.text[c.at+2])
			c.at += 3
		default:
			s.add(ch)
			c.at++
		}
	}
}
