package conn

import (
	"io"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// Kind is what a Value is on the wire.
type Kind uint8

// The kinds of values.
const (
	Atom   Kind = iota + 1 // also numbers, flags and sets
	String                 // quoted or literal
	List
	Nil
)

// Value is one value of a response.
type Value struct {
	Kind Kind
	Text string  // bytes of an atom or a string, as they were sent
	List []Value // of a list
}

// Response is an untagged response (RFC 9051 section 7). It belongs to whom it
// was given to.
type Response struct {
	// Name is in upper case: "LIST", "FETCH", "OK", "BYE".
	Name string
	// Num is the number in front of EXISTS, EXPUNGE and FETCH.
	Num uint32
	// Fields are the values behind the name; the items of FETCH, names and
	// values in turn, without their parentheses. Empty for status responses.
	Fields []Value
	// Status is set for OK, NO, BAD, PREAUTH and BYE.
	Status *Reply
	// Body is the content of the message section named by the last of Fields,
	// Size octets long. Such a FETCH is given once for each section, with what
	// was read so far, and once more at its end with Body nil. Body is valid
	// until the callback returns; it ends with io.ErrUnexpectedEOF when the
	// connection drops in the middle.
	Body io.Reader
	Size int64
}

// Item returns the value of an item of FETCH or STATUS, compared without case.
// Of a STATUS the items are in the list behind the folder name.
func (r *Response) Item(name string) (Value, bool) {
	fields := r.Fields
	if r.Name == "STATUS" {
		if len(fields) < 2 {
			return Value{}, false
		}
		fields = fields[len(fields)-1].List
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if strings.EqualFold(fields[i].Text, name) {
			return fields[i+1], true
		}
	}
	return Value{}, false
}

// UID returns the UID of a FETCH, and false when it has none.
func (r *Response) UID() (uint32, bool) {
	v, ok := r.Item("UID")
	if !ok {
		return 0, false
	}
	n, ok := v.Uint()
	return uint32(n), ok && n > 0 && n <= 1<<32-1
}

// Flags returns the flags of a FETCH, \Recent left out, and false when it has
// none. Flags that no IMAP client could set again (with a "]" or a control
// character in them) are left out, here as in what imapclient sees.
func (r *Response) Flags() (mail.Flags, bool) {
	v, ok := r.Item("FLAGS")
	if !ok || v.Kind == Atom || v.Kind == String {
		return mail.Flags{}, false
	}
	names := make([]string, 0, len(v.List))
	for _, f := range v.List {
		if f.Kind == Atom && validFlag(f.Text) {
			names = append(names, f.Text)
		}
	}
	return mail.NewFlags(names...), true
}

// Vanished returns the UIDs of a VANISHED response (RFC 7162 section 3.2.10),
// and whether they vanished before the folder was selected.
func (r *Response) Vanished() (uids mail.KeySet, earlier, ok bool) {
	fields := r.Fields
	if len(fields) > 1 && fields[0].Kind == List {
		earlier = true
		fields = fields[1:]
	}
	if r.Name != "VANISHED" || len(fields) != 1 {
		return uids, earlier, false
	}
	uids, ok = ParseUIDs(fields[0].Text)
	return uids, earlier, ok
}

// parseResponse reads the values of an untagged response that is complete. rest
// is what stands behind the name, without the line end.
func parseResponse(name string, num uint32, rest string) (*Response, bool) {
	p := scanner{s: rest}
	fields, ok := p.values(0)
	return &Response{Name: name, Num: num, Fields: fields}, ok
}
