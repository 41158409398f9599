package conn

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// benchTokenizer measures what the tokenizer adds to reading a response.
func benchTokenizer(b *testing.B, response string) {
	stream := bytes.Repeat([]byte(response), max(1, (1<<20)/len(response)))
	per := len(stream) / len(response)
	buf := make([]byte, 32<<10)
	b.SetBytes(int64(len(response)))
	b.ReportAllocs()
	for left := b.N; left > 0; left -= per {
		m := newMeter(nil, time.Hour, nil)
		l, tr := newLife(io.NopCloser(nil)), newTraffic(m.touch)
		tr.begin(newClientCommand([]byte("T1 UID FETCH 1:* (UID)\r\n")))
		in := &inbound{fill: newFiller(), life: l, meter: m, traffic: tr, timer: time.NewTimer(time.Hour)}
		go in.fill.run(bytes.NewReader(stream), l.dead)
		for {
			if _, err := in.Read(buf); err != nil {
				break
			}
		}
	}
}

func BenchmarkFlags(b *testing.B) {
	benchTokenizer(b, "* 12345 FETCH (UID 23456 FLAGS (\\Seen \\Answered $Forwarded) MODSEQ (123456))\r\n")
}

func BenchmarkBody(b *testing.B) {
	benchTokenizer(b, fmt.Sprintf("* 12345 FETCH (UID 23456 FLAGS (\\Seen) BODY[] {%d}\r\n%s)\r\n", 16<<10, strings.Repeat("x", 16<<10)))
}
