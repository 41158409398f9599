package luaapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// maxHeader is the largest header, in octets, that is edited or shown before
// its message is delivered.
const maxHeader = 1 << 20

// headerEdits are what a script wants done to a header. They are recorded, and
// applied while the message streams by.
type headerEdits struct {
	gone []string // names, in lower case
	more []edit
}

type edit struct{ name, value string }

func (e *headerEdits) empty() bool { return len(e.gone) == 0 && len(e.more) == 0 }

// remove removes every field of a name, also those added before.
func (e *headerEdits) remove(name string) error {
	if err := checkFieldName(name); err != nil {
		return err
	}
	if !e.removes(name) {
		e.gone = append(e.gone, strings.ToLower(name))
	}
	e.more = slices.DeleteFunc(e.more, func(a edit) bool { return strings.EqualFold(a.name, name) })
	return nil
}

func (e *headerEdits) add(name, value string) error {
	if err := checkFieldName(name); err != nil {
		return err
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		return fault.New(fault.Script, "add_header", "the value of %s has a line end", name)
	}
	if len(value) > 900 {
		return fault.New(fault.Script, "add_header", "the value of %s is longer than a line may be", name)
	}
	e.more = append(e.more, edit{name, value})
	return nil
}

func (e *headerEdits) removes(name string) bool {
	return slices.Contains(e.gone, strings.ToLower(name))
}

func (e *headerEdits) added(name string) []string {
	var out []string
	for _, a := range e.more {
		if strings.EqualFold(a.name, name) {
			out = append(out, a.value)
		}
	}
	return out
}

// checkFieldName refuses what RFC 5322 section 2.2 does.
func checkFieldName(name string) error {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }
	if name == "" || strings.IndexFunc(name, bad) >= 0 {
		return fault.New(fault.Script, "edit a header", "%q is no name of a header field", name)
	}
	return nil
}

// apply returns a header, which ends with its empty line, with the edits done.
// Everything else stays byte by byte.
func (e *headerEdits) apply(header []byte) []byte {
	var out bytes.Buffer
	eol := "\n"
	dropping := false
	var end []byte // the empty line
	for line := range bytes.Lines(header) {
		text := bytes.TrimRight(line, "\r\n")
		if bytes.HasSuffix(line, []byte("\r\n")) {
			eol = "\r\n"
		}
		switch {
		case len(text) == 0:
			end = line
		case text[0] != ' ' && text[0] != '\t':
			name, _, ok := bytes.Cut(text, []byte{':'})
			dropping = ok && e.removes(string(bytes.TrimSpace(name)))
		}
		if end == nil && !dropping {
			out.Write(line)
		}
	}
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte{'\n'}) {
		out.WriteString(eol)
	}
	for _, a := range e.more {
		out.WriteString(a.name + ": " + a.value + eol)
	}
	out.Write(end)
	return out.Bytes()
}

// splitHeader reads the header of a message. What it returns besides reads the
// rest of the content.
func splitHeader(body mail.Body) (header []byte, rest io.Reader, err error) {
	r := bufio.NewReaderSize(body.Reader, 4<<10)
	for {
		line, err := r.ReadSlice('\n')
		header = append(header, line...)
		whole := !errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err != nil && errors.Is(err, io.EOF):
			return header, r, nil
		case err != nil && whole:
			return nil, nil, err
		case len(header) > maxHeader:
			return nil, nil, fault.New(fault.Refused, "read a header", "it is larger than %d octets", maxHeader)
		case whole && len(bytes.TrimRight(line, "\r\n")) == 0 && endsLine(header, len(line)):
			return header, r, nil
		}
	}
}

// endsLine reports whether the last n octets of a header begin a line.
func endsLine(header []byte, n int) bool {
	before := len(header) - n
	return before == 0 || header[before-1] == '\n'
}

// altered tells what edits made of a message whose header was as given.
func (e *headerEdits) altered(header []byte) *mail.Altered {
	after := e.apply(header)
	return &mail.Altered{Header: after, Grown: crlfLen(after) - crlfLen(header)}
}

// crlfLen is the length of a header in CRLF form.
func crlfLen(header []byte) int64 {
	n := len(header)
	for i, c := range header {
		if c == '\n' && (i == 0 || header[i-1] != '\r') {
			n++
		}
	}
	return int64(n)
}

// withHeader returns the content of a message with another header, which was of
// a given size before.
func withHeader(body mail.Body, before int, header []byte, rest io.Reader) mail.Body {
	return mail.Body{
		Reader:   io.MultiReader(bytes.NewReader(header), rest),
		Size:     body.Size - int64(before) + int64(len(header)),
		LineEnds: body.LineEnds,
		Altered:  body.Altered,
	}
}
