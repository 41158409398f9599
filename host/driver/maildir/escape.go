package maildir

import (
	"fmt"
	"slices"
	"strings"
)

// Not every name can be the name of a directory: it would be hidden, be a part
// of every Maildir, be split where it must not, or do things to a terminal. What
// is in the way is written as "%" and two hexadecimal digits, in upper case; so
// is a "%" that would look like that. Everything else, a "%" before any other
// digits included, stands for itself. So each name has one form on disk, which
// leads back to it, and the forms of two names are never the same.

// escape writes one level of a name as it is on disk.
func (l layout) escape(level string) string {
	var b strings.Builder
	for i := range len(level) {
		if l.inTheWay(level[i], i) || l.isEscape(level, i) {
			fmt.Fprintf(&b, "%%%02X", level[i])
		} else {
			b.WriteByte(level[i])
		}
	}
	out := b.String()
	if l.flatMark() != "." && (reserved(out) || isReservedEscape(out)) {
		return fmt.Sprintf("%%%02X", out[0]) + out[1:]
	}
	return out
}

// unescape reads what escape wrote.
func (l layout) unescape(level string) string {
	if strings.IndexByte(level, '%') < 0 {
		return level
	}
	if l.flatMark() != "." && isReservedEscape(level) {
		return string(escaped(level)) + level[3:]
	}
	var b strings.Builder
	for i := 0; i < len(level); i++ {
		if l.isEscape(level, i) {
			b.WriteByte(escaped(level[i:]))
			i += 2
		} else {
			b.WriteByte(level[i])
		}
	}
	return b.String()
}

// inTheWay reports whether a byte at a place of a level cannot be on disk.
func (l layout) inTheWay(c byte, at int) bool {
	switch {
	case c < ' ' || c == 0x7f:
		return true
	case c == '.' && at == 0:
		return true
	}
	mark := l.flatMark()
	return mark != "" && c == mark[0]
}

// isEscape reports whether three bytes of a level stand for another one.
func (l layout) isEscape(level string, at int) bool {
	for s := level[at:]; ; s = "%" + s[3:] {
		if c := escaped(s); c != '%' {
			return c != 0 && l.inTheWay(c, at)
		}
	}
}

// escaped returns the byte that the first three bytes stand for, and 0 if they
// are no "%" with two digits. (NUL is in no name.)
func escaped(s string) byte {
	if len(s) < 3 || s[0] != '%' {
		return 0
	}
	high, low := strings.IndexByte(hexDigits, s[1]), strings.IndexByte(hexDigits, s[2])
	if high < 0 || low < 0 {
		return 0
	}
	return byte(high<<4 | low)
}

const hexDigits = "0123456789ABCDEF"

// reserved reports whether a directory of this name would be taken for a part of
// the folder it is in.
func reserved(name string) bool {
	return structural(name) || slices.Contains([]string{wordsFile, wordsFile + ".lock"}, name)
}

func isReservedEscape(level string) bool {
	c := escaped(level)
	return c != 0 && (reserved(string(c)+level[3:]) || isReservedEscape(string(c)+level[3:]))
}

func structural(name string) bool { return name == "cur" || name == "new" || name == "tmp" }
