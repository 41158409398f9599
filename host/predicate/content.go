package predicate

import (
	"bytes"
	"html"
	"io"
	"strings"

	"github.com/emersion/go-message"

	"github.com/imapfw/imapfw/host/fault"
)

// A message is looked into this far; what is beyond is not seen. A body that is
// asked for is read whole at most once.
const (
	maxRead  = 16 << 20 // octets of the message
	maxText  = 4 << 20  // octets of readable text
	maxParts = 500
	maxNest  = 20
)

// content is what the leaves about the body look at.
type content struct {
	text        string
	attachments []attachment
}

type attachment struct{ name, kind string }

// read returns the content of a view, nil when it cannot be had.
func (v *View) read() (*content, error) {
	if v.content != nil || v.Body == nil {
		return v.content, nil
	}
	r, err := v.Body()
	if err != nil {
		return nil, err
	}
	watch := &errorReader{r: io.LimitReader(r, maxRead)}
	p := parser{left: maxParts}
	if e, err := message.Read(watch); e != nil && (err == nil || message.IsUnknownCharset(err) || message.IsUnknownEncoding(err)) {
		p.part(e, 0)
	}
	if watch.err != nil {
		return nil, fault.Wrap(fault.IO, "read a message", watch.err)
	}
	v.content = &content{text: p.text.String(), attachments: p.attachments}
	return v.content, nil
}

// errorReader remembers why reading ended: a parser that meets the end of its
// input early says the same for a broken message and a broken connection.
type errorReader struct {
	r   io.Reader
	err error
}

func (e *errorReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

type parser struct {
	text        strings.Builder
	attachments []attachment
	left        int
}

func (p *parser) part(e *message.Entity, depth int) {
	if p.left--; p.left < 0 || depth > maxNest {
		return
	}
	if multi := e.MultipartReader(); multi != nil {
		defer multi.Close()
		for {
			next, err := multi.NextPart()
			if next == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			p.part(next, depth+1)
		}
	}
	h := headerOf(&e.Header)
	name, kind, attached := h.attachment()
	if attached {
		p.attachments = append(p.attachments, attachment{name, kind})
		return
	}
	if !strings.HasPrefix(kind, "text/") || p.text.Len() >= maxText {
		return
	}
	b, _ := io.ReadAll(io.LimitReader(e.Body, int64(maxText-p.text.Len())))
	_, params := h.contentType()
	p.add(b, kind, params["charset"])
}

func headerOf(h *message.Header) *header {
	out := &header{}
	for fields := h.Fields(); fields.Next(); {
		out.fields = append(out.fields, field{fields.Key(), fields.Value()})
	}
	return out
}

func (p *parser) add(b []byte, kind, charset string) {
	if charset != "" && !strings.EqualFold(charset, "utf-8") && message.CharsetReader == nil {
		if r, err := charsetReader(charset, bytes.NewReader(b)); err == nil {
			b, _ = io.ReadAll(r)
		}
	}
	text := toUTF8(string(b))
	if kind == "text/html" {
		text = html.UnescapeString(stripTags(text))
	}
	p.text.WriteString(text)
	p.text.WriteByte('\n')
}

// stripTags leaves the text of a page, more or less: enough to search in.
func stripTags(s string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		b.WriteString(s[:open])
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			return b.String()
		}
		s = s[open+end+1:]
	}
	b.WriteString(s)
	return b.String()
}
