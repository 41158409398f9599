package conn

import "io"

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

// Response is an untagged response (RFC 9051 section 7).
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

// Reply is a status response (RFC 9051 section 7.1).
type Reply struct {
	Type string // "OK", "NO", "BAD", "PREAUTH", "BYE"
	Code string // response code in upper case, "" when there is none
	Args []Value
	Text string // for people
	// Tagged tells the end of a command from a remark.
	Tagged bool
}
