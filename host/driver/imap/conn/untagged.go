package conn

import (
	"bytes"
	"strconv"
)

// untagged handles a response that begins with "*": it goes to a command of
// ours, to imapclient, or to the hook, repaired on the way.
func (in *inbound) untagged(line []byte) error {
	name, num, rest := splitUntagged(line)
	if isStatus(name) {
		return in.status(name, string(trimEOL(rest)))
	}
	if name == "FETCH" {
		return in.startFetch(num, rest)
	}
	line, err := in.whole(line)
	if err != nil {
		return err
	}
	_, _, rest = splitUntagged(line)
	rest = trimEOL(rest)
	if r := in.traffic.taker(name); r != nil {
		resp, ok := readResponse(name, num, string(rest))
		if !ok {
			return in.broken("a malformed answer: %s", excerpt(line))
		}
		return in.deliver(r, event{response: resp})
	}
	switch name {
	case "EXISTS", "RECENT":
		in.tell(name, num, "")
		in.giveNumber(num, name)
	case "EXPUNGE":
		in.tell(name, num, "")
		if num > 0 {
			in.giveNumber(num, name)
		}
	case "FLAGS":
		in.giveFlags(rest)
	default:
		if !in.traffic.asked(askedBy(name)) {
			in.tell(name, num, string(rest))
			return nil
		}
		return in.data(name, rest, line)
	}
	return nil
}

// askedBy names the commands of imapclient that a response is the answer to. It
// gets them while such a command runs, and never else: what is no answer can
// only do harm.
func askedBy(name string) []string {
	switch name {
	case "LIST":
		return []string{"LIST", "SELECT", "EXAMINE"}
	case "STATUS":
		return []string{"STATUS", "LIST"}
	case "SEARCH", "ESEARCH":
		return []string{"SEARCH"}
	case "QUOTA", "QUOTAROOT":
		return []string{"GETQUOTA", "GETQUOTAROOT"}
	case "METADATA":
		return []string{"GETMETADATA"}
	case "ACL":
		return []string{"GETACL"}
	case "ENABLED":
		return []string{"ENABLE"}
	case "NAMESPACE", "CAPABILITY", "SORT", "THREAD", "MYRIGHTS":
		return []string{name}
	}
	return nil
}

// data passes on a response that imapclient asked for.
func (in *inbound) data(name string, rest, line []byte) error {
	switch name {
	case "LIST", "STATUS", "NAMESPACE":
		resp, ok := readResponse(name, 0, string(rest))
		if !ok {
			return in.broken("a malformed answer: %s", excerpt(line))
		}
		in.giveRepaired(resp)
	case "SEARCH":
		return in.giveSearch(rest)
	case "ESEARCH":
		return in.giveESearch(string(rest))
	case "CAPABILITY":
		in.giveLine(name, []byte(" "+in.conf.caps))
	default:
		in.giveLine(name, rest)
	}
	return nil
}

// splitUntagged takes an untagged response apart: "* 12 FETCH (..." and "* LIST
// (...". The name is in upper case.
func splitUntagged(line []byte) (name string, num uint32, rest []byte) {
	rest = bytes.TrimLeft(line[1:], " ")
	n := nameLen(rest)
	if v, err := strconv.ParseUint(string(rest[:n]), 10, 32); err == nil {
		num = uint32(v)
		rest = bytes.TrimLeft(rest[n:], " ")
		n = nameLen(rest)
	}
	return upper(rest[:n]), num, rest[n:]
}

// upper returns a name in upper case, without allocating for those that come
// once per message.
func upper(b []byte) string {
	if foldEqual(b, "FETCH") {
		return "FETCH"
	}
	return string(bytes.ToUpper(b))
}

// excerpt is the beginning of a line, fit for an error.
func excerpt(line []byte) string {
	const max = 120
	text := printable(string(line[:min(len(line), max)]))
	if len(line) > max {
		text += "..."
	}
	return strconv.Quote(text)
}

// tell passes a response on to the hook.
func (in *inbound) tell(name string, num uint32, rest string) {
	if in.conf.untagged == nil {
		return
	}
	resp, _ := readResponse(name, num, rest) // what can be read of it
	in.conf.untagged(resp)
}

func (in *inbound) giveNumber(num uint32, name string) {
	b := append(in.build[:0], "* "...)
	b = strconv.AppendUint(b, uint64(num), 10)
	b = append(b, ' ')
	b = append(b, name...)
	in.give(append(b, "\r\n"...))
}

func (in *inbound) giveLine(name string, rest []byte) {
	b := append(in.build[:0], "* "...)
	b = append(b, name...)
	b = append(b, rest...)
	in.give(append(b, "\r\n"...))
}
