package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rawIMAP is a client of a few dozen lines with nothing in common with the
// driver that is under test: it shows what the server really holds.
type rawIMAP struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	n    int
}

func dialRaw(t testing.TB, addr, user, password string) *rawIMAP {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	c := &rawIMAP{t: t, conn: conn, r: bufio.NewReaderSize(conn, 1<<20)}
	_, err = c.r.ReadString('\n')
	require.NoError(t, err)
	c.cmd("LOGIN %s %s", user, password)
	return c
}

func (c *rawIMAP) close() { _ = c.conn.Close() }

// response is one untagged response: its lines, and the literals between them.
type response struct {
	text     string
	literals [][]byte
}

var literalEnd = regexp.MustCompile(`\{(\d+)\}\r\n$`)

// cmd sends a command and returns the untagged responses; NO and BAD fail the test.
func (c *rawIMAP) cmd(format string, args ...any) []response {
	c.n++
	_, err := fmt.Fprintf(c.conn, "r%d "+format+"\r\n", append([]any{c.n}, args...)...)
	require.NoError(c.t, err)
	return c.read()
}

func (c *rawIMAP) read() []response {
	tag := fmt.Sprintf("r%d ", c.n)
	var out []response
	for {
		var one response
		for {
			line, err := c.r.ReadString('\n')
			require.NoError(c.t, err)
			one.text += line
			m := literalEnd.FindStringSubmatch(line)
			if m == nil {
				break
			}
			size, _ := strconv.Atoi(m[1])
			literal := make([]byte, size)
			_, err = io.ReadFull(c.r, literal)
			require.NoError(c.t, err)
			one.literals = append(one.literals, literal)
		}
		if strings.HasPrefix(one.text, tag) {
			require.True(c.t, strings.HasPrefix(one.text, tag+"OK"), one.text)
			return out
		}
		out = append(out, one)
	}
}

// append delivers a message in wire form.
func (c *rawIMAP) append(folder, flags, date string, body []byte) {
	c.n++
	if date != "" {
		date = ` "` + date + `"`
	}
	_, err := fmt.Fprintf(c.conn, "r%d APPEND %s (%s)%s {%d+}\r\n", c.n, quoted(folder), flags, date, len(body))
	require.NoError(c.t, err)
	_, err = c.conn.Write(append(body, "\r\n"...))
	require.NoError(c.t, err)
	c.read()
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// folders lists the folders by their names on the wire.
func (c *rawIMAP) folders() []string {
	var out []string
	for _, r := range c.cmd(`LIST "" "*"`) {
		if !strings.HasPrefix(r.text, "* LIST") || strings.Contains(strings.ToLower(r.text), `\noselect`) {
			continue
		}
		if len(r.literals) > 0 {
			out = append(out, string(r.literals[0]))
			continue
		}
		name := strings.TrimSpace(r.text[strings.Index(r.text, `" `)+2:])
		if unq, err := strconv.Unquote(name); err == nil {
			name = unq
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// bag counts messages by digest and flags: a multiset.
type bag map[string]int

// mailbox is what a folder holds, folders by name.
type mailbox map[string]bag

var flagLetters = map[string]string{`\answered`: "R", `\deleted`: "T", `\draft`: "D", `\flagged`: "F", `\seen`: "S"}

var fetchFlags = regexp.MustCompile(`FLAGS \(([^)]*)\)`)

// snapshot reads the whole account. Digests are of the LF form.
func (c *rawIMAP) snapshot() mailbox { return c.snapshotBy(digest) }

// snapshotBy is snapshot with another digest of messages.
func (c *rawIMAP) snapshotBy(digest func(body []byte) string) mailbox {
	box := mailbox{}
	for _, folder := range c.folders() {
		c.cmd("SELECT %s", quoted(folder))
		content := bag{}
		for _, r := range c.cmd("UID FETCH 1:* (FLAGS BODY.PEEK[])") {
			m := fetchFlags.FindStringSubmatch(r.text)
			if m == nil || !strings.Contains(r.text, "BODY[]") {
				continue
			}
			var body []byte
			if len(r.literals) > 0 {
				body = r.literals[0]
			}
			content[digest(body)+" "+letters(strings.Fields(m[1]))]++
		}
		box[fromUTF7(folder)] = content
	}
	return box
}

func letters(flags []string) string {
	var out []string
	for _, f := range flags {
		if l := flagLetters[strings.ToLower(f)]; l != "" {
			out = append(out, l)
		} else if !strings.HasPrefix(f, `\`) {
			out = append(out, "{"+strings.ToLower(f)+"}")
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// digest is of the LF form, with NUL as Dovecot keeps it.
func digest(body []byte) string {
	body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	body = bytes.ReplaceAll(body, []byte{0}, []byte{0x80})
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// fromUTF7 decodes the few modified UTF-7 names the tests use.
func fromUTF7(name string) string {
	for wire, utf8 := range map[string]string{"&AOk-": "é", "&MMYwuQ-": "テス", "&-": "&"} {
		name = strings.ReplaceAll(name, wire, utf8)
	}
	return name
}

// stable reads what a server says about each folder without changing it.
func (c *rawIMAP) stable() string {
	var b strings.Builder
	for _, r := range c.cmd(`LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))`) {
		if strings.HasPrefix(r.text, "* STATUS") {
			b.WriteString(r.text)
		}
	}
	return b.String()
}

const wireDate = "02-Jan-2006 15:04:05 -0700"

func arrival(n int) string { return time.Unix(1_600_000_000+int64(n)*61, 0).UTC().Format(wireDate) }
