package conn

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// tokenize runs what a server sends through the tokenizer and returns what
// imapclient would get. Commands of imapclient are running that ask for
// everything, and, with own, one of ours.
func tokenize(t *testing.T, stream io.Reader, own bool, size int) []byte {
	m := newMeter(nil, time.Hour, nil)
	l := newLife(io.NopCloser(nil))
	tr := newTraffic(m.touch)
	out := newOutbound(io.Discard, l, tr, encoding{}, nil)
	for i, cmd := range []string{"UID FETCH 1:* (UID BODY[])", "UID FETCH 1:* (FLAGS)", "LIST", "NAMESPACE", "UID SEARCH ALL", "STATUS", "APPEND x {5}"} {
		c := newClientCommand(fmt.Appendf(nil, "T%d %s\r\n", i, cmd))
		tr.begin(c)
		if i == 6 {
			tr.await(c)
		}
	}
	in := &inbound{
		fill: newFiller(), life: l, meter: m, traffic: tr, out: out, timer: time.NewTimer(time.Hour),
		conf: inboundConfig{caps: "IMAP4rev1", untagged: func(*Response) {}},
	}
	done := make(chan struct{})
	if own {
		r := newRequest(1, []string{"LIST", "FETCH", "OK", "VANISHED", "XFOO"})
		tr.addRequest(r)
		tr.open(r)
		go func() {
			defer close(done)
			c := &Conn{life: l}
			_, _, _ = c.collect(r, func(resp *Response) error {
				resp.UID()
				resp.Flags()
				resp.Vanished()
				return nil
			})
			l.end(io.EOF)
		}()
	} else {
		close(done)
	}
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		in.fill.run(stream, l.dead)
	}()
	var got bytes.Buffer
	buf := make([]byte, size)
	for empty := 0; ; {
		n, err := in.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
		if n == 0 {
			empty++
			require.LessOrEqual(t, empty, 1, "no progress")
		}
	}
	l.end(io.EOF)
	<-filled
	<-done
	in.close()
	return got.Bytes()
}

func FuzzTokenizer(f *testing.F) {
	for _, s := range []string{
		"* OK [ALERT] x\r\n* LIST () \"/\" \"a&b\"\r\nT2 OK\r\n", "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\nT0 OK done\r\n",
		"* 1 FETCH (BODY[] {3}\r\nabc FLAGS (a]b \\Seen) X-Y (1 {2}\r\n)( ~{0}\r\n) UID 7)\r\n", "+ go\r\nT6 NO [OVERQUOTA] x\r\n",
		"* STATUS {3}\r\na b (MESSAGES 1)\r\n* NAMESPACE ((\"\" \"\")) NIL\r\n* SEARCH 1  2\r\n* ESEARCH (tag \"T4\") uid\r\n",
		"* VANISHED (EARLIER) 1:3,7\r\nX1 OK [MODIFIED 7] x\r\n", "* 1 FETCH (ENVELOPE (NIL {1}\r\nx \"\\\"\") INTERNALDATE NIL MODSEQ 5)\r\n",
		"* 1 FETCH (BODY[HEADER.FIELDS (\"a]\" b)]<0> \"q\" RFC822.SIZE -1)\r\n", "\r\n\n*\r\n* \r\n* 99999999999 FETCH\r\n",
	} {
		f.Add([]byte(s), false, uint8(1))
		f.Add([]byte(s), true, uint8(200))
	}
	f.Fuzz(func(t *testing.T, stream []byte, own bool, size uint8) {
		r := io.Reader(bytes.NewReader(stream))
		if size%2 == 0 {
			r = iotest.HalfReader(iotest.OneByteReader(r))
		}
		got := tokenize(t, r, own, int(size)+1)
		if bytes.ContainsAny(stream, "{") || bytes.ContainsAny(got, "{") {
			return // what follows would be looked for in literals
		}
		for line := range bytes.Lines(got) {
			if !bytes.HasSuffix(line, []byte("\r\n")) {
				continue // the stream ended within a literal
			}
			word, rest, _ := bytes.Cut(line, []byte(" "))
			switch {
			case string(word) == "+":
			case string(word) == "*" || word[0] == 'T':
				require.NotEmpty(t, bytes.TrimSpace(rest), "%q", line)
			default:
				t.Fatalf("%q from %q", line, stream)
			}
		}
	})
}

// A literal arrives as it was sent, wherever it stands, however the bytes come.
func FuzzLiteral(f *testing.F) {
	f.Add([]byte("Subject: x\r\n\r\n* BYE\r\n)"), uint8(0), uint8(0), uint16(7))
	f.Add([]byte("{5}\r\nT0 OK\r\n"), uint8(3), uint8(2), uint16(0))
	f.Add([]byte{}, uint8(5), uint8(1), uint16(9000))
	before := []string{"UID 1 ", "UID 1 FLAGS (\\Seen a]b) ", "", "X-A (1 {2}\r\n))) ", "RFC822.SIZE -1 ", "ENVELOPE (NIL {3}\r\na\"b) UID 1 ",
		"BODY[HEADER] {1}\r\nh UID 1 ", "X-B {4}\r\nUID  UID 1 "}
	after := []string{"", " UID 1", " FLAGS () UID 1", " BODY[TEXT] {2}\r\n)\n UID 1", " INTERNALDATE NIL"}
	f.Fuzz(func(t *testing.T, content []byte, pre, post uint8, size uint16) {
		announced := fmt.Sprintf("BODY[] {%d}\r\n%s", len(content), content)
		stream := "* 1 FETCH (" + before[int(pre)%len(before)] + announced + after[int(post)%len(after)] + ")\r\nT0 OK done\r\n"
		r := io.Reader(strings.NewReader(stream))
		if size%3 == 0 {
			r = iotest.OneByteReader(r)
		}
		got := string(tokenize(t, r, false, int(size)+1))
		require.Contains(t, got, announced)
		require.True(t, strings.HasSuffix(got, ")\r\nT0 OK done\r\n"), "%q", got)
		require.True(t, strings.HasPrefix(got, "* 1 FETCH ("), "%q", got)
	})
}
