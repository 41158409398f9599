package engine

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// A far message that is larger than max_size is kept near as a placeholder: its
// header, so that it can be found, sorted and flagged like any message, and a few
// words instead of its content. One header line names the message that it stands
// for. By that line a placeholder is known wherever it turns up, also without a
// state, and is never taken for a message.

// placeholderField is the header line that makes a placeholder: the identity of
// the message and its size in CRLF form.
const placeholderField = "X-Imapfw-Placeholder"

// placeholderPrefix begins the subject of a placeholder.
const placeholderPrefix = "[placeholder]"

// makePlaceholder returns the placeholder of a message, with LF line ends. What
// says how the content is to be read is left out: it is about another content.
func makePlaceholder(header []byte, of Identity) []byte {
	var out bytes.Buffer
	put := func(line []byte) {
		out.Write(line)
		out.WriteByte('\n')
	}
	subject, skipping := false, false
	for line := range bytes.Lines(header) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if !skipping {
				put(line)
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch field := strings.ToLower(string(bytes.TrimSpace(name))); {
		case field == strings.ToLower(placeholderField), field == "mime-version", field == "lines",
			strings.HasPrefix(field, "content-"):
			skipping = true
			continue
		case field == "subject" && !subject:
			subject = true
			if len(value) > 0 && value[0] != ' ' && value[0] != '\t' {
				value = append([]byte{' '}, value...)
			}
			line = append([]byte("Subject: "+placeholderPrefix), value...)
		}
		skipping = false
		put(line)
	}
	if !subject {
		out.WriteString("Subject: " + placeholderPrefix + " (no subject)\n")
	}
	fmt.Fprintf(&out, "%s: %s; size=%d\n", placeholderField, of.Header, of.Size)
	out.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n")
	fmt.Fprintf(&out, `This is a placeholder, put here by imapfw. The message itself has %s, which
is more than the option max_size keeps here; it is on the other side, complete.

To have it here, flag this message and sync again. If you remove this
placeholder, the message is removed too.
`, inWords(of.Size))
	return out.Bytes()
}

// placeholderOf returns the identity of the message that a header is the
// placeholder of, and false where the header is that of a message.
func placeholderOf(header []byte) (Identity, bool) {
	value := fields(header, placeholderField, "subject")
	ident, size, ok := strings.Cut(value[placeholderField], ";")
	if !ok || ident == "" || !strings.HasPrefix(value["subject"], placeholderPrefix) {
		return Identity{}, false
	}
	_, digits, _ := strings.Cut(size, "=")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil {
		n = -1
	}
	return Identity{Header: strings.TrimSpace(ident), Size: n, HasID: true}, true
}

// inWords is a size as people say it.
func inWords(octets int64) string {
	switch {
	case octets < 0:
		return "a size that is not known"
	case octets < 10<<10:
		return fmt.Sprintf("%d octets", octets)
	case octets < 10<<20:
		return fmt.Sprintf("%d KiB", octets>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(octets)/(1<<20))
}

// placeholderBody is a placeholder on its way to a store.
func placeholderBody(content []byte) mail.Body {
	return mail.Body{Reader: bytes.NewReader(content), Size: int64(len(content)), LineEnds: mail.LF}
}
