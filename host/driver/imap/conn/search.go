package conn

import (
	"bytes"
	"strings"
)

// giveSearch passes on the numbers of SEARCH, with one space between them, and
// the MODSEQ behind them (RFC 7162 section 3.1.5).
func (in *inbound) giveSearch(rest []byte) error {
	b := append(in.build[:0], "* SEARCH"...)
	words := bytes.Fields(rest)
	for i, word := range words {
		tail := words[i:]
		modSeq := len(tail) == 2 && foldEqual(word, "(MODSEQ") && bytes.HasSuffix(tail[1], []byte(")")) &&
			isNumber(string(tail[1][:len(tail[1])-1]), 64)
		switch {
		case modSeq:
			b = append(b, " (MODSEQ "...)
			b = append(b, tail[1]...)
		case !isNumber32(word):
			return in.broken("a malformed SEARCH: %s", excerpt(rest))
		default:
			b = append(b, ' ')
			b = append(b, word...)
		}
		if modSeq {
			break
		}
	}
	in.give(append(b, "\r\n"...))
	return nil
}

// isNumber32 is isNumber for the many numbers of a SEARCH: it does not allocate.
func isNumber32(b []byte) bool {
	if len(b) == 0 || len(b) > 10 {
		return false
	}
	n := uint64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + uint64(c-'0')
	}
	return n < 1<<32
}

// giveESearch passes on the results of ESEARCH (RFC 4731) that imapclient
// knows. It takes them, and the words around them, in upper case only.
func (in *inbound) giveESearch(rest string) error {
	p := scanner{s: rest}
	fields, ok := p.values(0)
	tag := "" // any SEARCH; imapclient cannot do without
	if ok && len(fields) > 0 && fields[0].Kind == List {
		if list := fields[0].List; len(list) == 2 && strings.EqualFold(list[0].Text, "TAG") {
			tag = list[1].Text
		}
		fields = fields[1:]
	}
	b := append(in.build[:0], "* ESEARCH (TAG "...)
	b = append(appendString(b, tag), ')')
	if ok && len(fields) > 0 && strings.EqualFold(fields[0].Text, "UID") {
		b = append(b, " UID"...)
		fields = fields[1:]
	}
	ok = ok && len(fields)%2 == 0
	for i := 0; ok && i < len(fields); i += 2 {
		name, value := strings.ToUpper(fields[i].Text), fields[i+1].Text
		switch name {
		case "MIN", "MAX", "COUNT":
			ok = isNumber(value, 32)
		case "MODSEQ":
			ok = isNumber(value, 64)
		case "ALL":
			ok = isSet(value)
		default:
			continue
		}
		b = append(append(append(append(b, ' '), name...), ' '), value...)
	}
	if !ok {
		return in.broken("a malformed ESEARCH: %s", excerpt([]byte(rest)))
	}
	in.give(append(b, "\r\n"...))
	return nil
}
