package syntax

import (
	"fmt"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// Doubts finds what compiles but most likely means something else: escapes of
// later versions of Lua, which 5.1 reads as letters, and a line that begins with
// a parenthesis, which goes on with the line before. They are warnings, in order
// of lines.
func Doubts(file string, source []byte) []*fault.Error {
	d := doubter{file: file, text: string(skipShebang(source)), line: 1}
	d.scan()
	return d.found
}

type doubter struct {
	file  string
	text  string
	at    int
	line  int
	found []*fault.Error
	// ends tells that the last token can be what a parenthesis calls, and
	// endLine is its line.
	ends    bool
	endLine int
}

func (d *doubter) doubt(hint, format string, args ...any) {
	d.found = append(d.found, (&fault.Error{Code: fault.Config, At: fmt.Sprintf("%s:%d", d.file, d.line), Message: fmt.Sprintf(format, args...)}).
		WithHint("%s", hint))
}

func (d *doubter) scan() {
	for d.at < len(d.text) {
		rest := d.text[d.at:]
		c := rest[0]
		switch {
		case c == '\n':
			d.line++
			d.at++
		case strings.HasPrefix(rest, "--"):
			d.at += 2
			if !d.long() {
				d.skipTo("\n")
			}
		case c == '[' && d.long():
			d.ended(true)
		case c == '"' || c == '\'':
			d.quoted(c)
			d.ended(true)
		case c == '(':
			if d.ends && d.endLine < d.line {
				d.doubt("put a semicolon before it", "this line goes on with the one before: it calls what stands there")
			}
			d.at++
			d.ended(false)
		case isWordByte(c):
			n := 1
			for n < len(rest) && isWordByte(rest[n]) {
				n++
			}
			d.at += n
			d.ended(isName(rest[:n]) || rest[:n] == "end")
		default:
			d.at++
			if c != ' ' && c != '\t' && c != '\r' {
				d.ended(c == ']' || c == '}')
			}
		}
	}
}

func (d *doubter) ended(ends bool) { d.ends, d.endLine = ends, d.line }

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// long skips a long string or comment at the current place, if one is there.
func (d *doubter) long() bool {
	rest := d.text[d.at:]
	if !strings.HasPrefix(rest, "[") {
		return false
	}
	level := len(rest[1:]) - len(strings.TrimLeft(rest[1:], "="))
	if !strings.HasPrefix(rest[1+level:], "[") {
		return false
	}
	d.at += level + 2
	d.skipTo("]" + strings.Repeat("=", level) + "]")
	d.at = min(len(d.text), d.at+level+2)
	return true
}

// skipTo goes to the next place of a text, counting lines.
func (d *doubter) skipTo(text string) {
	n := strings.Index(d.text[d.at:], text)
	if n < 0 {
		n = len(d.text) - d.at
	}
	d.line += strings.Count(d.text[d.at:d.at+n], "\n")
	d.at += n
}

// quoted reads a string.
func (d *doubter) quoted(quote byte) {
	for d.at++; d.at < len(d.text) && d.text[d.at] != quote; d.at++ {
		switch d.text[d.at] {
		case '\n': // not closed: the parser tells
			return
		case '\\':
			d.at++
			if d.at == len(d.text) {
				return
			}
			switch c := d.text[d.at]; c {
			case 'x':
				d.doubt(`write the byte in decimal, as \065`, `\x is no escape in Lua 5.1: the string holds an x and what follows`)
			case 'u':
				d.doubt("write the character itself, or utf8.char(n)", `\u is no escape in Lua 5.1: the string holds a u and what follows`)
			case 'z':
				d.doubt("join two strings with ..", `\z is no escape in Lua 5.1: the string holds a z and the white space`)
			case '\n':
				d.line++
			}
		}
	}
	d.at++
}
