package conn

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readResponse reads the values of a response, also where a folder name in it
// is not written as it should be.
func readResponse(name string, num uint32, rest string) (*Response, bool) {
	switch name {
	case "LIST", "LSUB":
		return readList(name, rest)
	case "STATUS":
		return readStatus(rest)
	}
	return parseResponse(name, num, rest)
}

// readList reads LIST and LSUB: attributes, delimiter, name, extended data. The
// name is a String, whatever it was. Names that should have been quoted and
// were not reach to the end of the line.
func readList(name, rest string) (*Response, bool) {
	p := scanner{s: rest}
	p.spaces()
	if p.pos == len(rest) || rest[p.pos] != '(' {
		return &Response{Name: name}, false
	}
	attrs, ok := p.value(0)
	if !ok {
		return &Response{Name: name}, false
	}
	p.spaces()
	if p.pos == len(rest) {
		return &Response{Name: name}, false
	}
	delim, ok := p.value(0)
	if !ok || delim.Kind == List {
		return &Response{Name: name}, false
	}
	p.spaces()
	tail := rest[p.pos:]
	fields, ok := parseNameAndList(tail)
	if !ok {
		fields = []Value{{Kind: String, Text: bareName(tail)}}
	}
	resp := &Response{Name: name, Fields: append([]Value{attrs, delim}, fields...)}
	return resp, tail != ""
}

// readStatus reads STATUS: the name, as a String, and the list of items.
func readStatus(rest string) (*Response, bool) {
	resp := &Response{Name: "STATUS"}
	fields, ok := parseNameAndList(rest)
	if ok && len(fields) == 2 {
		resp.Fields = fields
		return resp, true
	}
	open := strings.LastIndexByte(rest, '(')
	if open < 0 {
		return resp, false
	}
	p := scanner{s: rest[open:]}
	items, ok := p.value(0)
	resp.Fields = []Value{{Kind: String, Text: bareName(rest[:open])}, items}
	return resp, ok
}

// parseNameAndList reads a folder name and, where there is one, the list behind
// it. Anything else is not for it.
func parseNameAndList(s string) ([]Value, bool) {
	p := scanner{s: s}
	fields, ok := p.values(0)
	if !ok || len(fields) == 0 || len(fields) > 2 || fields[0].Kind == List {
		return nil, false
	}
	if len(fields) == 2 && fields[1].Kind != List {
		return nil, false
	}
	fields[0].Kind = String
	return fields, true
}

// bareName is a name without the quotes around it, if any.
func bareName(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return s
}

// giveRepaired passes a response on to imapclient that it could die of.
func (in *inbound) giveRepaired(r *Response) {
	b := append(in.build[:0], "* "...)
	b = append(b, r.Name...)
	switch r.Name {
	case "NAMESPACE":
		for i := range 3 {
			b = append(b, ' ')
			var v Value
			if i < len(r.Fields) {
				v = r.Fields[i]
			}
			b = appendNamespaces(b, v)
		}
	case "LIST":
		b = append(b, ' ')
		b = appendFlags(b, r.Fields[0].List)
		b = append(b, ' ')
		b = appendDelimiter(b, r.Fields[1])
		b = append(b, ' ')
		b = appendString(b, repairName(r.Fields[2].Text, in.conf.utf8))
		if len(r.Fields) > 3 {
			b = appendExtended(b, r.Fields[3].List)
		}
	case "STATUS":
		b = append(b, ' ')
		b = appendString(b, repairName(r.Fields[0].Text, in.conf.utf8))
		b = append(b, ' ')
		b = appendItems(b, r.Fields[1].List)
	}
	in.give(append(b, "\r\n"...))
}

// giveFlags passes on the flags of the selected folder.
func (in *inbound) giveFlags(rest []byte) {
	list := bytes.ReplaceAll(bytes.ReplaceAll(rest, []byte("("), nil), []byte(")"), nil)
	b := append(in.build[:0], "* FLAGS "...)
	in.give(append(appendRawFlags(b, list), "\r\n"...))
}

// appendExtended keeps of the extended data of LIST what imapclient uses; an
// OLDNAME in bad encoding would kill it.
func appendExtended(b []byte, list []Value) []byte {
	for i := 0; i+1 < len(list); i += 2 {
		if strings.EqualFold(list[i].Text, "CHILDINFO") && list[i+1].Kind == List {
			b = append(b, ` ("CHILDINFO" (`...)
			for j, s := range list[i+1].Strings() {
				if j > 0 {
					b = append(b, ' ')
				}
				b = appendString(b, s)
			}
			return append(b, "))"...)
		}
	}
	return b
}

// appendItems keeps the items of STATUS that are numbers.
func appendItems(b []byte, list []Value) []byte {
	b = append(b, '(')
	n := len(b)
	for i := 0; i+1 < len(list); i += 2 {
		bits := 32
		switch strings.ToUpper(list[i].Text) {
		case "HIGHESTMODSEQ":
			bits = 64
		case "SIZE", "DELETED-STORAGE":
			bits = 63
		}
		if !isAtom(list[i].Text) || list[i+1].Kind != Atom || !isNumber(list[i+1].Text, bits) {
			continue
		}
		if len(b) > n {
			b = append(b, ' ')
		}
		b = append(b, list[i].Text...)
		b = append(b, ' ')
		b = append(b, list[i+1].Text...)
	}
	return append(b, ')')
}

func appendNamespaces(b []byte, v Value) []byte {
	n := len(b)
	for _, ns := range v.List {
		if ns.Kind != List || len(ns.List) < 2 || ns.List[0].Kind != String {
			continue
		}
		if len(b) == n {
			b = append(b, '(')
		}
		b = append(b, '(')
		b = appendString(b, ns.List[0].Text)
		b = append(b, ' ')
		b = appendDelimiter(b, ns.List[1])
		b = append(b, ')')
	}
	if len(b) == n {
		return append(b, "NIL"...)
	}
	return append(b, ')')
}

// appendDelimiter writes NIL for a delimiter that is not one character.
func appendDelimiter(b []byte, v Value) []byte {
	r, size := utf8.DecodeRuneInString(v.Text)
	if v.Kind == Nil || size != len(v.Text) || r == utf8.RuneError || isControl(r) {
		return append(b, "NIL"...)
	}
	return appendQuoted(b, v.Text)
}

// appendString writes a string for imapclient, which takes 8-bit text in
// quotes.
func appendString(b []byte, s string) []byte {
	if strings.ContainsAny(s, "\r\n\x00") {
		b = append(b, '{')
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(b, "}\r\n"...)
		return append(b, s...)
	}
	return appendQuoted(b, s)
}
