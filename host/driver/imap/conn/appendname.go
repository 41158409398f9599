package conn

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
)

// stand is what a name for APPEND begins with that only stands for another one:
// imapclient writes modified UTF-7, or for a server that speaks IMAP4rev2 only
// UTF-8, and no name that is encoded otherwise.
const stand = "imapfw raw name "

// NameForAppend returns what imapclient's Append is to be given for a folder that
// the server writes as raw, and whose text is name.
func (c *Conn) NameForAppend(raw, name string) string {
	written := EncodeName(name)
	if c.rev2 {
		written = strings.ReplaceAll(name, "&", "&-")
	}
	if written == raw && !strings.HasPrefix(raw, stand) {
		return name
	}
	return stand + hex.EncodeToString([]byte(raw))
}

// rawAppend puts the name into the first line of an APPEND that another one
// stands for. As a literal it goes only where the server need not be asked;
// elsewhere 8-bit text is quoted, as a server does that lists such names.
func (e encoding) rawAppend(line []byte) []byte {
	before, after, ok := bytes.Cut(line, []byte(` "`+stand))
	if !ok || bytes.IndexByte(before, '"') >= 0 {
		return line
	}
	digits, rest, _ := bytes.Cut(after, []byte(`"`))
	raw, err := hex.DecodeString(string(digits))
	literal := err == nil && !quotable(string(raw)) && e.nonSync(int64(len(raw)))
	if err != nil || bytes.IndexByte(raw, 0) >= 0 || !literal && bytes.ContainsAny(raw, "\r\n") {
		return line // and the server has no such folder
	}
	out := append(bytes.Clone(before), ' ')
	if literal {
		out = append(out, '{')
		out = strconv.AppendInt(out, int64(len(raw)), 10)
		out = append(append(out, "+}\r\n"...), raw...)
	} else {
		out = appendQuoted(out, string(raw))
	}
	return append(out, rest...)
}
