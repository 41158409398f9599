package conn

import (
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Command is the text of a command, without its tag. Its methods put a space in
// front of what they add, except inside of parentheses. Text that comes from
// elsewhere goes through Text or Mailbox, which cannot be broken out of.
type Command struct {
	name   string
	folder string // the first one named, for errors
	parts  []part
	err    error
}

type part struct {
	kind partKind
	text string
}

type partKind uint8

const (
	rawPart partKind = iota
	textPart
	mailboxPart
)

// Cmd begins a command: "SELECT", "UID FETCH".
func Cmd(name string) *Command {
	return (&Command{name: name}).Raw(name)
}

func (m *Command) add(kind partKind, text string) *Command {
	m.parts = append(m.parts, part{kind, text})
	return m
}

func (m *Command) fail(code fault.Code, format string, args ...any) *Command {
	if m.err == nil {
		m.err = fault.New(code, m.op(), format, args...).InFolder(m.folder)
	}
	return m
}

// op is the command as errors name it.
func (m *Command) op() string { return strings.ToLower(m.name) }

// Raw adds protocol text as it is. A control character in it makes Do fail
// before anything is sent.
func (m *Command) Raw(text string) *Command {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return m.fail(fault.Internal, "control character in protocol text %q", text)
		}
	}
	return m.add(rawPart, text)
}

// Text adds a string, quoted or as a literal as its bytes need.
func (m *Command) Text(s string) *Command {
	if strings.IndexByte(s, 0) >= 0 {
		return m.fail(fault.Unsupported, "NUL in %q", s)
	}
	return m.add(textPart, s)
}

// Mailbox adds a folder name, given in UTF-8 with the server's own delimiter:
// in modified UTF-7, or in UTF-8 where the server speaks that.
func (m *Command) Mailbox(name string) *Command {
	if m.folder == "" {
		m.folder = name
	}
	if strings.IndexByte(name, 0) >= 0 {
		m.fail(fault.BadName, "NUL in the folder name")
	}
	return m.add(mailboxPart, name)
}

// RawMailbox adds a folder name as the server itself writes it.
func (m *Command) RawMailbox(raw string) *Command {
	if m.folder == "" {
		m.folder = raw
	}
	return m.Text(raw)
}

// UIDs adds a set of UIDs. An empty one makes Do fail before anything is sent.
func (m *Command) UIDs(set mail.KeySet) *Command {
	if len(set.UIDs()) == 0 {
		return m.fail(fault.Internal, "no UIDs given")
	}
	return m.Raw(SetText(set))
}

// Flags adds a parenthesised list of flags. One that is not a flag makes Do
// fail before anything is sent.
func (m *Command) Flags(f mail.Flags) *Command {
	names := f.Strings()
	for _, name := range names {
		if !validFlag(name) {
			return m.fail(fault.Unsupported, "%q cannot be a flag in IMAP", name)
		}
	}
	return m.Raw("(" + strings.Join(names, " ") + ")")
}

// encoding is what decides how strings are sent.
type encoding struct {
	utf8         bool // names are UTF-8
	literalPlus  bool
	literalMinus bool
}

// literalMinusMax is the largest literal that LITERAL- lets through without
// being asked (RFC 7888 section 5).
const literalMinusMax = 4096

// nonSync reports whether a literal may be sent without waiting for the server.
func (e encoding) nonSync(size int64) bool {
	return e.literalPlus || e.literalMinus && size <= literalMinusMax
}

// chunk is what can be written at once: up to a literal's announcement that the
// server has to answer, or the end of the command.
type chunk struct {
	data []byte
	wait bool
}

// encode returns the command as it goes over the wire.
func (m *Command) encode(tag string, e encoding) []chunk {
	var out []chunk
	b := []byte(tag)
	opened := false // the last thing was an opening parenthesis
	for _, p := range m.parts {
		text := p.text
		if !opened && !(p.kind == rawPart && strings.HasPrefix(text, ")")) {
			b = append(b, ' ')
		}
		opened = p.kind == rawPart && strings.HasSuffix(text, "(")
		switch p.kind {
		case rawPart:
			b = append(b, text...)
			continue
		case mailboxPart:
			if strings.EqualFold(text, mail.Inbox) {
				text = mail.Inbox
			} else if !e.utf8 {
				text = EncodeName(text)
			}
		}
		if quotable(text) {
			b = appendQuoted(b, text)
			continue
		}
		b = append(b, '{')
		b = strconv.AppendInt(b, int64(len(text)), 10)
		if e.nonSync(int64(len(text))) {
			b = append(b, "+}\r\n"...)
		} else {
			b = append(b, "}\r\n"...)
			out = append(out, chunk{data: b, wait: true})
			b = nil
		}
		b = append(b, text...)
	}
	return append(out, chunk{data: append(b, "\r\n"...)})
}

// maxQuoted bounds quoted strings; some servers do too.
const maxQuoted = 1000

// quotable reports whether s may be a quoted string. 8-bit text goes as a
// literal: only servers with IMAP4rev2 take it otherwise.
func quotable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return len(s) <= maxQuoted
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
