package predicate

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// header is a parsed header. Mail in the wild breaks every rule, so nothing in
// it is an error: what cannot be read is text as it stands.
type header struct{ fields []field }

type field struct {
	name string
	raw  string // unfolded
}

// parsed returns the header of a view, nil when it was not fetched.
func (v *View) parsed() *header {
	if v.header == nil && v.Header != nil {
		v.header = parseHeader(v.Header)
	}
	return v.header
}

func parseHeader(b []byte) *header {
	h := &header{}
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if n := len(h.fields); n > 0 {
				h.fields[n-1].raw += string(line)
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if ok {
			h.fields = append(h.fields, field{string(bytes.TrimSpace(name)), string(value)})
		}
	}
	return h
}

func (h *header) has(name string) bool { return h.raw(name) != "" }

// raw returns the first value of a field that is not empty, not decoded.
func (h *header) raw(name string) string {
	for _, f := range h.fields {
		if value := strings.TrimSpace(f.raw); value != "" && strings.EqualFold(f.name, name) {
			return value
		}
	}
	return ""
}

// values returns every value of a field, decoded.
func (h *header) values(name string) []string {
	var out []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, decodeText(f.raw))
		}
	}
	return out
}

// all returns the whole header, decoded, one field a line.
func (h *header) all() string {
	var b strings.Builder
	for _, f := range h.fields {
		b.WriteString(f.name + ": " + decodeText(f.raw) + "\n")
	}
	return b.String()
}

// automatic reports what RFC 3834 and older habits say about mail that no person
// wrote.
func (h *header) automatic() bool {
	auto := strings.ToLower(h.raw("Auto-Submitted"))
	switch strings.ToLower(h.raw("Precedence")) {
	case "bulk", "junk", "list", "auto_reply":
		return true
	}
	return auto != "" && auto != "no" || h.has("X-Autoreply") || h.has("X-Autorespond")
}

func (h *header) date() (time.Time, bool) {
	t, err := mail.ParseDate(h.raw("Date"))
	return t, err == nil
}

func (h *header) multipart() bool {
	kind, _ := h.contentType()
	return strings.HasPrefix(kind, "multipart/")
}

func (h *header) contentType() (string, map[string]string) {
	kind, params, err := mime.ParseMediaType(h.raw("Content-Type"))
	if err != nil && kind == "" {
		return "text/plain", nil
	}
	return kind, params
}

// attachment tells whether the part with this header is an attachment: it says
// so, or it has a name, or it is no kind of text.
func (h *header) attachment() (name, kind string, attached bool) {
	kind, params := h.contentType()
	disposition, more, _ := mime.ParseMediaType(h.raw("Content-Disposition"))
	if name = decodeText(more["filename"]); name == "" {
		name = decodeText(params["name"])
	}
	switch {
	case disposition == "attachment":
		attached = true
	case disposition == "inline":
		attached = name != "" && !strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "image/")
	default:
		attached = name != "" || strings.HasPrefix(kind, "application/") || kind == "message/rfc822"
	}
	return name, kind, attached
}

// decodeText returns a field's value as readable text: encoded words decoded
// (RFC 2047), bytes that are no UTF-8 read as Windows-1252.
func decodeText(raw string) string {
	raw = strings.TrimSpace(raw)
	if strings.Contains(raw, "=?") {
		d := mime.WordDecoder{CharsetReader: charsetReader}
		if decoded, err := d.DecodeHeader(raw); err == nil {
			raw = decoded
		}
	}
	return toUTF8(raw)
}

func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return out
}

// charsetReader decodes any charset that mail uses; one that nobody knows is
// read as it is.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return r, nil
	}
	return enc.NewDecoder().Reader(r), nil
}
