package conn

import (
	"bytes"
	"strings"
	"time"
)

// fetchName returns the name under which imapclient knows an item of FETCH,
// empty when it does not.
func fetchName(name []byte) string {
	switch {
	case foldEqual(name, "UID"):
		return "UID"
	case foldEqual(name, "FLAGS"):
		return "FLAGS"
	case foldEqual(name, "MODSEQ"):
		return "MODSEQ"
	case foldEqual(name, "RFC822.SIZE"):
		return "RFC822.SIZE"
	case foldEqual(name, "INTERNALDATE"):
		return "INTERNALDATE"
	case foldEqual(name, "BODY[]"):
		return "BODY[]"
	}
	switch s := strings.ToUpper(string(name)); s {
	case "ENVELOPE", "BODYSTRUCTURE", "BODY":
		return s
	case "RFC822":
		return "BODY[]"
	case "RFC822.HEADER":
		return "BODY[HEADER]"
	case "RFC822.TEXT":
		return "BODY[TEXT]"
	default:
		s = strings.Replace(s, ".PEEK[", "[", 1)
		if strings.HasPrefix(s, "BODY[") || strings.HasPrefix(s, "BINARY[") || strings.HasPrefix(s, "BINARY.SIZE[") {
			return s
		}
	}
	return ""
}

// valueState is how much of a value there is.
type valueState uint8

const (
	valueComplete valueState = iota
	valueLiteral             // it is a literal, and the bytes end with its announcement
	valueInner               // the same within a list
	valueBad
)

// valueEnd finds the end of the value at the beginning of b.
func valueEnd(name, b []byte) (int, valueState) {
	if len(b) == 0 {
		return 0, valueBad
	}
	if b[0] == '(' && foldEqual(name, "FLAGS") {
		// Flags hold neither quotes nor parentheses. Those that servers make
		// of what users type sometimes do hold quotes.
		if end := bytes.IndexByte(b, ')'); end >= 0 {
			return end + 1, valueComplete
		}
		return 0, valueBad
	}
	depth := 0
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			n := quotedLen(b[i:])
			if n == 0 {
				return 0, valueBad
			}
			i += n
		case c == '(':
			if depth++; depth > maxDepth {
				return 0, valueBad
			}
			i++
		case c == ')' && depth > 0:
			depth--
			i++
		case c == '{' || c == '~' && i+1 < len(b) && b[i+1] == '{':
			eol := bytes.IndexByte(b[i:], '\n')
			if eol < 0 {
				return 0, valueBad
			}
			size, ok := literalSize(b[i : i+eol+1])
			i += eol + 1
			switch {
			case !ok || i < len(b) && size > int64(len(b)-i):
				return 0, valueBad
			case i == len(b) && depth == 0:
				return 0, valueLiteral
			case i == len(b):
				return 0, valueInner
			}
			i += int(size)
		case c == ' ' && depth > 0:
			i++
		default:
			n := nameLen(b[i:])
			if n == 0 { // a line end, or a parenthesis that was not opened
				return 0, valueBad
			}
			i += n
		}
		if depth == 0 {
			return i, valueComplete
		}
	}
	return 0, valueBad
}

// quotedLen is the length of the quoted string b begins with, 0 when it does
// not end on its line.
func quotedLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return 0
		}
	}
	return 0
}

// fetchItem passes on an item whose value is complete. What imapclient could
// not read is repaired, or left out: an item that is not there is never taken
// for an empty one.
func (in *inbound) fetchItem(f *fetching, name, value []byte) {
	known := fetchName(name)
	if f.request != nil {
		p := scanner{s: string(value)}
		v, ok := p.value(0)
		if !ok {
			v = Value{Kind: Atom, Text: p.s}
		}
		if len(known) != len(name) { // a name that imapclient would be told another way
			known = string(bytes.ToUpper(name))
		}
		f.fields = append(f.fields, Value{Kind: Atom, Text: known}, v)
		return
	}
	switch known {
	case "":
	case "FLAGS":
		f.begin(known)
		if value[0] != '(' { // NIL
			value = nil
		}
		f.out = appendRawFlags(f.out, bytes.Trim(value, "()"))
	case "UID":
		if !isNumber(string(value), 32) {
			return
		}
		f.hasUID = true
		if f.hold {
			f.uid = bytes.Clone(value)
			return
		}
		f.begin(known)
		f.out = append(f.out, value...)
	case "RFC822.SIZE":
		if isNumber(string(value), 63) {
			f.begin(known)
			f.out = append(f.out, value...)
		}
	case "MODSEQ":
		if v := bytes.Trim(value, "() "); isNumber(string(v), 64) {
			f.begin(known)
			f.out = append(append(append(f.out, '('), v...), ')')
		}
	case "INTERNALDATE":
		if date, ok := repairDate(value); ok {
			f.begin(known)
			f.out = append(append(append(f.out, '"'), date...), '"')
		}
	case "ENVELOPE", "BODYSTRUCTURE", "BODY":
		if value[0] == '(' {
			f.begin(known)
			f.out = append(f.out, value...)
		}
	default:
		in.fetchQuoted(f, known, value)
	}
}

// fetchQuoted passes on a message section that is not a literal.
func (in *inbound) fetchQuoted(f *fetching, name string, value []byte) {
	if strings.HasPrefix(name, "BINARY.SIZE[") {
		if isNumber(string(value), 32) {
			f.begin(name)
			f.out = append(f.out, value...)
		}
		return
	}
	switch {
	case value[0] == '"':
	case foldEqual(value, "NIL"):
		value = []byte("NIL")
	case value[0] == '(':
		return
	default: // should have been quoted
		value = appendQuoted(nil, string(value))
	}
	f.body = true
	f.begin(name)
	f.out = append(f.out, value...)
	if in.mustHold(f) {
		f.pieces = append(f.pieces, piece{data: f.out[f.head:]})
		f.out, f.head = nil, 0
	}
}

// dateLayout is INTERNALDATE's (RFC 9051 section 9, date-time).
const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// repairDate returns an INTERNALDATE, without its quotes, as imapclient reads
// it. One without a zone is taken for UTC. It reports false for what is no date.
func repairDate(value []byte) (string, bool) {
	text := strings.TrimSpace(strings.Trim(string(value), `"`))
	layouts := [...]string{
		dateLayout,
		"_2-Jan-2006 15:04:05",
		"_2-Jan-2006 15:04:05 MST",
		"_2-Jan-2006 15:04:05 Z07:00",
		"_2-Jan-06 15:04:05 -0700",
		"_2-January-2006 15:04:05 -0700",
		"_2 Jan 2006 15:04:05 -0700",
		time.RFC1123Z,
		"Mon, _2 Jan 2006 15:04:05 -0700",
		time.RFC3339,
	}
	for i, layout := range layouts {
		t, err := time.Parse(layout, text)
		if err != nil || t.IsZero() {
			continue
		}
		if i == 0 {
			return text, true
		}
		if _, offset := t.Zone(); offset == 0 && !knownZone(t) {
			return "", false
		}
		return t.Format(dateLayout), true
	}
	return "", false
}

// knownZone reports whether a zone without an offset is UTC. time.Parse gives
// abbreviations that it does not know the offset 0.
func knownZone(t time.Time) bool {
	switch name, _ := t.Zone(); name {
	case "UTC", "GMT", "UT", "Z", "":
		return true
	}
	return false
}
