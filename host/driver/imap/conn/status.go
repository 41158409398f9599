package conn

import (
	"strconv"
	"strings"
)

// status handles an untagged status response.
func (in *inbound) status(typ, rest string) error {
	r := parseReply(typ, rest)
	if r.Code != "" || typ != "OK" {
		in.traffic.say(r)
	}
	resp := &Response{Name: typ, Status: &r}
	if req := in.traffic.taker(typ); req != nil {
		return in.deliver(req, event{response: resp})
	}
	if in.conf.untagged != nil && (r.Code != "" || typ != "OK") {
		in.conf.untagged(resp)
	}
	b := append(in.build[:0], "* "...)
	in.give(appendReply(b, r))
	return nil
}

// tagged handles the end of a command. One that nobody waits for is dropped:
// imapclient would take it for the end of the world.
func (in *inbound) tagged(line []byte) error {
	tag, rest, _ := strings.Cut(string(line), " ")
	typ, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	r := parseReply(strings.ToUpper(typ), rest)
	r.Tagged = true
	if r.Type != "OK" && r.Type != "NO" && r.Type != "BAD" {
		if !in.traffic.knows(tag) {
			return nil
		}
		return in.broken("a malformed end of a command: %s", excerpt(line))
	}
	if req := in.traffic.endRequest(tag); req != nil {
		in.traffic.say(r)
		return in.deliver(req, event{reply: &r})
	}
	cmd, fake, free := in.traffic.endClient(tag)
	if cmd == nil {
		return nil
	}
	in.traffic.say(r)
	if free {
		in.out.leave()
	}
	b := in.build[:0]
	if fake {
		// imapclient cannot be refused a literal. It is asked for it, and what
		// it then writes goes nowhere.
		b = append(b, "+ \r\n"...)
	}
	b = append(b, tag...)
	b = append(b, ' ')
	in.give(appendReply(b, r))
	return nil
}

// appendReply writes a status response such that imapclient can read it. Codes
// that it does not use lose their arguments, those it could not parse are left
// out.
func appendReply(b []byte, r Reply) []byte {
	b = append(b, r.Type...)
	code, hasCode := appendCode(nil, r)
	if hasCode {
		b = append(b, " ["...)
		b = append(b, code...)
		b = append(b, ']')
	}
	if r.Text == "" || !hasCode && r.Text[0] == '[' {
		b = append(b, " -"...) // no text at all, or what looks like a code
	}
	if r.Text != "" {
		b = append(b, ' ')
		b = append(b, r.Text...)
	}
	return append(b, "\r\n"...)
}

func appendCode(b []byte, r Reply) ([]byte, bool) {
	ok := true
	b = append(b, r.Code...)
	switch r.Code {
	case "CAPABILITY", "":
		// The capabilities were settled when signing in.
		return b, false
	case "UIDNEXT", "UIDVALIDITY":
		ok = isNumber(r.args, 32)
	case "HIGHESTMODSEQ":
		ok = isNumber(r.args, 64)
	case "APPENDUID":
		a, uid, found := strings.Cut(r.args, " ")
		ok = found && isNumber(a, 32) && isNumber(uid, 32)
	case "COPYUID":
		f := strings.Fields(r.args)
		ok = len(f) == 3 && isNumber(f[0], 32) && isSet(f[1]) && isSet(f[2])
	case "PERMANENTFLAGS":
		if ok = len(r.Args) == 1 && r.Args[0].Kind == List; ok {
			b = append(b, ' ')
			b = appendFlags(b, r.Args[0].List)
		}
		return b, ok
	default:
		return b, isAtom(r.Code)
	}
	b = append(b, ' ')
	return append(b, r.args...), ok
}

func isNumber(s string, bits int) bool {
	_, err := strconv.ParseUint(s, 10, bits)
	return err == nil && s[0] != '+'
}

func isSet(s string) bool {
	_, ok := ParseUIDs(s)
	return ok
}
