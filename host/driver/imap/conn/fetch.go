package conn

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// fetching is a FETCH response that is being read. It is taken item by item, so
// that only what imapclient knows reaches it, and the literal of a message
// section is passed on while it comes.
type fetching struct {
	num     uint32
	request *request // that takes it; nil for imapclient
	fields  []Value  // for the request

	out    []byte // for imapclient, not given yet
	head   int    // length of what stands before the first item in out
	given  bool   // some of it was given
	items  int
	body   bool // a section of the message is among the items
	hasUID bool
	uid    []byte // where it has to be moved to the front
	// When a section comes before the UID, imapclient would not know whose it
	// is and lose the message. Then everything is held back to the end.
	hold   bool
	pieces []piece
}

// startFetch reads a FETCH from the parenthesis on.
func (in *inbound) startFetch(num uint32, rest []byte) error {
	f := &fetching{num: num, request: in.traffic.taker("FETCH")}
	if f.request == nil {
		f.out = appendFetch(in.build[:0], num)
		f.head = len(f.out)
	}
	rest = bytes.TrimLeft(rest, " ")
	if len(rest) == 0 || rest[0] != '(' {
		return in.broken("a malformed FETCH: %s", excerpt(rest))
	}
	return in.fetchPart(f, rest[1:])
}

// fetchPart reads items up to the end of the response, or to a literal that
// imapclient has to read first.
func (in *inbound) fetchPart(f *fetching, b []byte) error {
	in.fetch = nil
	inlines := 0
	for {
		b = bytes.TrimLeft(b, " ")
		if len(b) > 0 && b[0] == ')' {
			if len(bytes.Trim(b[1:], " \r\n")) > 0 {
				return in.broken("a malformed FETCH: %s", excerpt(b))
			}
			return in.fetchEnd(f)
		}
		n := nameLen(b)
		name := b[:n]
		at := n
		for at < len(b) && b[at] == ' ' {
			at++
		}
		end, state := valueEnd(name, b[at:])
		size, _ := literalSize(b)
		switch {
		case n == 0 || state == valueBad:
			return in.broken("a malformed FETCH: %s", excerpt(b))
		case state == valueComplete:
			in.fetchItem(f, name, b[at:at+end])
			b = b[at+end:]
			continue
		case state == valueLiteral && isSection(name):
			next, err := in.fetchSection(f, string(name), size)
			if next == nil || err != nil {
				return err
			}
			b = next
		case state == valueLiteral && f.request == nil && fetchName(name) == "":
			next, err := in.skip(size)
			if err != nil {
				return err
			}
			b = next
		default:
			inlines++
			next, err := in.inline(bytes.Clone(b), size, inlines)
			if err != nil {
				return err
			}
			b = next
		}
	}
}

// skip drops a literal and returns the line behind it.
func (in *inbound) skip(size int64) ([]byte, error) {
	var scrap [4096]byte
	for size > 0 {
		n, err := in.read(scrap[:min(size, int64(len(scrap)))])
		if err != nil {
			return nil, err
		}
		size -= int64(n)
	}
	return in.line(false)
}

// fetchSection deals with the literal of a message section. It returns the line
// behind it, or nil when imapclient has to read the literal first.
func (in *inbound) fetchSection(f *fetching, name string, size int64) ([]byte, error) {
	f.body = true
	if f.request != nil {
		if err := in.lendItem(f, name, size); err != nil {
			return nil, err
		}
		f.fields = append(f.fields, Value{Kind: Atom, Text: name}, Value{Kind: String})
		return in.line(false)
	}
	f.begin(fetchName([]byte(name)))
	f.out = append(f.out, '{')
	f.out = strconv.AppendInt(f.out, size, 10)
	f.out = append(f.out, "}\r\n"...)
	in.fetch = f
	if in.mustHold(f) {
		return in.holdBack(f, size)
	}
	in.give(f.out)
	f.out, f.given = nil, true
	in.literal = size
	return nil, nil
}

// mustHold reports whether a section that comes now has to wait for the UID.
func (in *inbound) mustHold(f *fetching) bool {
	if !f.hold && !f.hasUID && !f.given {
		_, _, f.hold = in.traffic.fetches()
	}
	return f.hold
}

// holdBack puts a literal, and what stands before it, aside until the UID has
// come. It returns the line behind the literal.
func (in *inbound) holdBack(f *fetching, size int64) ([]byte, error) {
	s, err := newSpool(readerFunc(in.read), size)
	if err != nil {
		in.life.end(fault.Wrap(fault.IO, "spool a message", err))
		return nil, in.life.err()
	}
	f.pieces = append(f.pieces, piece{data: f.out[f.head:]}, piece{spool: s})
	f.out, f.head = nil, 0
	return in.line(false)
}

// begin writes the name of an item for imapclient.
func (f *fetching) begin(name string) {
	if f.items > 0 {
		f.out = append(f.out, ' ')
	}
	f.items++
	f.out = append(f.out, name...)
	f.out = append(f.out, ' ')
}

func appendFetch(b []byte, num uint32) []byte {
	b = append(b, "* "...)
	b = strconv.AppendUint(b, uint64(num), 10)
	return append(b, " FETCH ("...)
}

// fetchEnd is reached with the closing parenthesis.
func (in *inbound) fetchEnd(f *fetching) error {
	in.fetch = nil
	if f.request != nil {
		return in.deliver(f.request, event{response: &Response{Name: "FETCH", Num: f.num, Fields: f.fields}})
	}
	if !f.body && !in.wanted(f) {
		return nil
	}
	f.out = append(f.out, ")\r\n"...)
	if !f.hold {
		in.give(f.out)
		return nil
	}
	head := appendFetch(nil, f.num)
	if f.uid != nil {
		head = append(append(append(head, "UID "...), f.uid...), ' ')
	}
	in.pieces = append(append(in.pieces, piece{data: head}), f.pieces...)
	in.pieces = append(in.pieces, piece{data: f.out})
	return nil
}

// wanted reports whether a FETCH without a section belongs to a command of
// imapclient. If not, it is news from the server: flags that changed. Left to
// imapclient, news of a message would be taken for the answer to a command that
// asks for its content, and the answer itself be lost.
func (in *inbound) wanted(f *fetching) bool {
	if f.items == 0 {
		return false
	}
	wanted, onlyBody, _ := in.traffic.fetches()
	if wanted && !onlyBody {
		return true
	}
	in.tell("FETCH", f.num, string(f.out[f.head:]))
	return false
}

// isSection reports whether an item is a part of the message itself.
func isSection(name []byte) bool {
	n := fetchName(name)
	return (strings.HasPrefix(n, "BODY[") || strings.HasPrefix(n, "BINARY["))
}

// readerFunc makes a Reader of a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
