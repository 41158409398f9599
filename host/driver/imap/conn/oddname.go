package conn

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Servers list folders whose names are not encoded as they should be, or hold
// what no other store can hold. Such a name is read all the same: what cannot be
// text is written as "%" and two hexadecimal digits in upper case, and so is a
// "%" that would look like that. The text leads back to what the server wrote.

// ReadName returns the text of a folder name as the server writes it, in UTF-8 or
// in modified UTF-7. It is UTF-8 without control characters. The bytes of also
// are written as digits where they stand for themselves.
func ReadName(raw string, utf8Names bool, also string) string {
	var b strings.Builder
	hex := func(c byte) { fmt.Fprintf(&b, "%%%02X", c) }
	shifted := false // the last thing was a base64 run
	for i := 0; i < len(raw); {
		c := raw[i]
		if c == '&' && !utf8Names {
			text, size := readRun(raw[i:])
			if size > 0 && !(shifted && text != "&") {
				b.WriteString(text)
			} else {
				hex(c)
				size = 1
			}
			shifted = size > 2
			i += size
			continue
		}
		shifted = false
		r, size := utf8.DecodeRuneInString(raw[i:])
		switch {
		case r == utf8.RuneError && size <= 1, c < ' ', c == 0x7f, strings.IndexByte(also, c) >= 0, isDigits(raw[i:], also):
			hex(c)
			size = 1
		default:
			b.WriteString(raw[i : i+size])
		}
		i += size
	}
	return b.String()
}

// readRun reads what "&" begins, and returns how long that is; 0 when it is
// not what it should be, or holds control characters.
func readRun(s string) (text string, size int) {
	end := strings.IndexByte(s, '-')
	if end == 1 {
		return "&", 2
	}
	if end > 1 {
		if text, ok := decodeRun(s[1:end]); ok && !strings.ContainsFunc(text, isControl) {
			return text, end + 1
		}
	}
	return "", 0
}

// WriteName returns the name that a server writes so, the inverse of ReadName. It
// reports whether there are bytes in it that a good name would not have, and
// false as the last value for a text that ReadName returns for no name.
func WriteName(text string, utf8Names bool, also string) (raw string, odd, ok bool) {
	var b strings.Builder
	from := 0 // of the text that is not written yet
	flush := func(to int) {
		if utf8Names {
			b.WriteString(text[from:to])
		} else {
			b.WriteString(EncodeName(text[from:to]))
		}
	}
	for i := 0; i < len(text); i++ {
		if !isDigits(text[i:], also) {
			continue
		}
		c := digits(text[i:])
		flush(i)
		if b.WriteByte(c); c != '%' && strings.IndexByte(also, c) < 0 {
			odd = true
		}
		i += 2
		from = i + 1
	}
	flush(len(text))
	raw = b.String()
	return raw, odd, ReadName(raw, utf8Names, also) == text
}

// isDigits reports whether a text begins with a byte in digits.
func isDigits(s, also string) bool {
	switch c := digits(s); {
	case c == 0:
		return strings.HasPrefix(s, "%00")
	case c == '%':
		return isDigits("%"+s[3:], also)
	default:
		return c < ' ' || c >= 0x7f || c == '&' || strings.IndexByte(also, c) >= 0
	}
}

// digits returns the byte that the first three bytes of a text stand for, and 0
// for none.
func digits(s string) byte {
	const hex = "0123456789ABCDEF"
	if len(s) < 3 || s[0] != '%' {
		return 0
	}
	high, low := strings.IndexByte(hex, s[1]), strings.IndexByte(hex, s[2])
	if high < 0 || low < 0 {
		return 0
	}
	return byte(high<<4 | low)
}
