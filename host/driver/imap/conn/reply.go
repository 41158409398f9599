package conn

import (
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"
)

// Reply is a status response (RFC 9051 section 7.1).
type Reply struct {
	Type string // "OK", "NO", "BAD", "PREAUTH", "BYE"
	Code string // response code in upper case, "" when there is none
	Args []Value
	Text string // for people; safe to print
	// Tagged tells the end of a command from a remark.
	Tagged bool

	args string // as sent
}

// isStatus reports whether a name is that of a status response.
func isStatus(name string) bool {
	switch name {
	case "OK", "NO", "BAD", "PREAUTH", "BYE":
		return true
	}
	return false
}

// parseReply reads what stands behind the type of a status response.
func parseReply(typ, rest string) Reply {
	r := Reply{Type: typ}
	rest = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(rest, "[") {
		if end := codeEnd(rest); end > 0 {
			code, args, _ := strings.Cut(strings.TrimSpace(rest[1:end]), " ")
			r.Code, r.args = strings.ToUpper(code), strings.TrimSpace(args)
			p := scanner{s: r.args}
			if values, ok := p.values(0); ok {
				r.Args = values
			} else {
				r.Args = []Value{{Kind: Atom, Text: r.args}}
			}
			rest = rest[end+1:]
		}
	}
	r.Text = printable(strings.TrimSpace(rest[:min(len(rest), maxText)]))
	return r
}

// codeEnd is the index of the bracket that closes a response code: the first
// one outside of quotes and parentheses, else the first one at all.
func codeEnd(s string) int {
	depth, quoted := 0, false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ']' && depth <= 0:
			return i
		}
	}
	return strings.IndexByte(s, ']')
}

// maxText is how much of a server's text is kept.
const maxText = 500

// printable makes a server's text fit for a terminal and a log.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// serverError is a NO or BAD with a text for people; errors.As finds the
// *imap.Error in it.
type serverError struct{ imap *imap.Error }

func (e *serverError) Error() string {
	s := string(e.imap.Type)
	if e.imap.Code != "" {
		s += " [" + string(e.imap.Code) + "]"
	}
	if e.imap.Text != "" {
		s += " " + e.imap.Text
	}
	return "the server says: " + s
}

func (e *serverError) Unwrap() error { return e.imap }

// err returns the reply as an error, nil when it is OK.
func (r Reply) err() error {
	if r.Type == "OK" || r.Type == "PREAUTH" {
		return nil
	}
	return &serverError{&imap.Error{
		Type: imap.StatusResponseType(r.Type),
		Code: imap.ResponseCode(r.Code),
		Text: r.Text,
	}}
}
