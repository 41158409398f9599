package conn

import (
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of lists.
const maxDepth = 64

// Uint returns a number, and false for anything else.
func (v Value) Uint() (uint64, bool) {
	if v.Kind == List || v.Kind == Nil {
		return 0, false
	}
	n, err := strconv.ParseUint(v.Text, 10, 64)
	return n, err == nil
}

// Strings returns the texts of a list of atoms and strings; of a single one, it
// alone.
func (v Value) Strings() []string {
	switch v.Kind {
	case Atom, String:
		return []string{v.Text}
	case List:
		out := make([]string, 0, len(v.List))
		for _, e := range v.List {
			if e.Kind == Atom || e.Kind == String {
				out = append(out, e.Text)
			}
		}
		return out
	}
	return nil
}

// scanner reads values from the text of a response, in which literals stand as
// they came: announcement, line end, octets. Values are parts of that text.
type scanner struct {
	s   string
	pos int
}

func (p *scanner) spaces() {
	for p.pos < len(p.s) && p.s[p.pos] == ' ' {
		p.pos++
	}
}

// values reads values up to the end of the text, or, inside of a list, to its
// closing parenthesis.
func (p *scanner) values(depth int) ([]Value, bool) {
	var out []Value
	for {
		p.spaces()
		if p.pos == len(p.s) {
			return out, depth == 0
		}
		if p.s[p.pos] == ')' && depth > 0 {
			p.pos++
			return out, true
		}
		v, ok := p.value(depth)
		if !ok {
			return out, false
		}
		out = append(out, v)
	}
}

func (p *scanner) value(depth int) (Value, bool) {
	switch c := p.s[p.pos]; {
	case c == '"':
		text, ok := p.quoted()
		return Value{Kind: String, Text: text}, ok
	case c == '{' || c == '~' && strings.HasPrefix(p.s[p.pos:], "~{"):
		text, ok := p.literal()
		return Value{Kind: String, Text: text}, ok
	case c == '(':
		if depth == maxDepth {
			return Value{}, false
		}
		p.pos++
		list, ok := p.values(depth + 1)
		return Value{Kind: List, List: list}, ok
	case c == ')':
		return Value{}, false
	}
	text := p.atom()
	if strings.EqualFold(text, "NIL") {
		return Value{Kind: Nil, Text: text}, true
	}
	return Value{Kind: Atom, Text: text}, text != ""
}

func (p *scanner) quoted() (string, bool) {
	p.pos++
	start, escaped := p.pos, false
	for ; p.pos < len(p.s); p.pos++ {
		switch p.s[p.pos] {
		case '\\':
			escaped = true
			p.pos++
		case '"':
			text := p.s[start:p.pos]
			p.pos++
			if escaped {
				text = unescape(text)
			}
			return text, true
		}
	}
	p.pos = len(p.s)
	return "", false
}

func unescape(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

func (p *scanner) literal() (string, bool) {
	end := strings.IndexByte(p.s[p.pos:], '\n')
	if end < 0 {
		return "", false
	}
	head := p.s[p.pos : p.pos+end+1]
	size, ok := literalSize([]byte(head))
	p.pos += len(head)
	if !ok || size > int64(len(p.s)-p.pos) {
		return "", false
	}
	text := p.s[p.pos : p.pos+int(size)]
	p.pos += int(size)
	return text, true
}

// atom reads up to a space or a parenthesis. The section of BODY[...] and
// BINARY[...] may hold both.
func (p *scanner) atom() string {
	start := p.pos
	p.pos += nameLen([]byte(p.s[p.pos:]))
	return p.s[start:p.pos]
}

// nameLen is the length of the atom or item name at the beginning of b.
func nameLen(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case ' ', '(', ')', '\r', '\n':
			return i
		case '[':
			if !foldEqual(b[:i], "BODY") && !foldEqual(b[:i], "BINARY") && !foldEqual(b[:i], "BODY.PEEK") {
				continue
			}
			end := sectionEnd(b[i:])
			if end < 0 {
				return len(b)
			}
			i += end
		}
	}
	return len(b)
}

// sectionEnd is the index of the bracket that closes the one b begins with.
func sectionEnd(b []byte) int {
	quoted := false
	for i := 1; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ']' && !quoted:
			return i
		}
	}
	return -1
}

// literalSize reads a literal's announcement at the end of a line (RFC 9051
// section 4.3), also a literal8, also with a lone LF behind it.
func literalSize(line []byte) (int64, bool) {
	b := trimEOL(line)
	if len(b) == len(line) || len(b) < 3 || b[len(b)-1] != '}' {
		return 0, false
	}
	b = b[:len(b)-1]
	if b[len(b)-1] == '+' {
		b = b[:len(b)-1]
	}
	i := len(b)
	for i > 0 && b[i-1] >= '0' && b[i-1] <= '9' {
		i--
	}
	if i == len(b) || i == 0 || b[i-1] != '{' {
		return 0, false
	}
	// An announcement is a value: what stands before it separates values.
	if j := i - 2; j >= 0 && b[j] != ' ' && b[j] != '(' && b[j] != '~' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b[i:]), 10, 64)
	return n, err == nil
}

func trimEOL(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
		if n := len(b); n > 0 && b[n-1] == '\r' {
			b = b[:n-1]
		}
	}
	return b
}

// foldEqual compares ASCII without case; upper is in upper case.
func foldEqual(b []byte, upper string) bool {
	if len(b) != len(upper) {
		return false
	}
	for i := range b {
		c := b[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
