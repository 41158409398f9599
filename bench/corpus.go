//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// corpus is mail made up from a seed: the same every time and everywhere.
type corpus struct {
	Profile string // "mixed" or "tiny"
	Folders int
	Each    int // messages in each folder
}

// folder is a part of a corpus: messages First to First+Count-1.
type folder struct {
	Name         string
	First, Count int
}

// seed is changed when the corpora are meant to change.
const seed = 1

// epoch is when the mail begins: 2015-01-01.
const epoch = 1420070400

func (c corpus) String() string { return fmt.Sprintf("%s-%dx%d", c.Profile, c.Folders, c.Each) }

func (c corpus) messages() int { return c.Folders * c.Each }

// folders returns the folders: INBOX alone, or many on two levels.
func (c corpus) folders() []folder {
	if c.Folders == 1 {
		return []folder{{"INBOX", 0, c.Each}}
	}
	var out []folder
	for i := range c.Folders {
		out = append(out, folder{fmt.Sprintf("Area%02d/topic%03d", i/20, i), i * c.Each, c.Each})
	}
	return out
}

// random returns the numbers that belong to some parts of a name.
func random(parts ...any) *rand.Rand {
	h := fnv.New128a()
	_, _ = fmt.Fprintln(h, parts...)
	sum := h.Sum(nil)
	var a, b uint64
	for i := range 8 {
		a, b = a<<8|uint64(sum[i]), b<<8|uint64(sum[8+i])
	}
	return rand.New(rand.NewPCG(a, b))
}

// pools is what messages are cut from: making text anew for each would take longer
// than everything that is measured.
type pools struct {
	words  []string
	text   []byte
	base64 []byte
}

var thePools = sync.OnceValue(func() pools {
	rnd := random("pools")
	var p pools
	for range 3000 {
		var w strings.Builder
		for range 1 + rnd.IntN(4) {
			w.WriteByte("bcdfghklmnprstvz"[rnd.IntN(16)])
			w.WriteByte("aeiou"[rnd.IntN(5)])
		}
		p.words = append(p.words, w.String())
	}
	p.words = append(p.words, "café", "naïve", "Größe", "日本語", "From", "привет")
	for column := 0; len(p.text) < 500_000; {
		w := p.words[rnd.IntN(len(p.words))]
		if column+len(w) > 72 {
			p.text, column = append(p.text, '\n'), 0
			if rnd.IntN(10) == 0 {
				p.text = append(p.text, '>')
			}
		}
		p.text = append(append(p.text, w...), ' ')
		column += len(w) + 1
	}
	p.text = append(p.text, '\n')
	raw := make([]byte, 57)
	for len(p.base64) < 1_500_000 {
		for i := range raw {
			raw[i] = byte(rnd.Uint32())
		}
		p.base64 = append(base64.StdEncoding.AppendEncode(p.base64, raw), '\n')
	}
	return p
})

// lines appends whole lines of a pool, about size bytes.
func lines(to, pool []byte, rnd *rand.Rand, size int) []byte {
	size = min(size, len(pool)/2)
	start := rnd.IntN(len(pool) - size)
	start += bytes.IndexByte(pool[start:], '\n') + 1
	end := min(start+size, len(pool)-1)
	return append(to, pool[start:end+bytes.IndexByte(pool[end:], '\n')+1]...)
}

// date is when message i arrived.
func date(i int) time.Time { return time.Unix(int64(epoch+i*977%300_000_000), 0).UTC() }

// message makes message i of a profile, with LF line ends. set tells apart what is
// in the corpus and what comes later.
func message(profile, set string, i int) []byte {
	p, rnd := thePools(), random(seed, profile, set, i)
	word := func() string { return p.words[rnd.IntN(3000)] }
	when := date(i).Format("Mon, 02 Jan 2006 15:04:05 -0700")
	sender := word() + "@" + word() + ".example"
	m := fmt.Appendf(nil, "Return-Path: <%s>\n", sender)
	if profile != "tiny" {
		for range 2 + rnd.IntN(3) {
			m = fmt.Appendf(m, "Received: from %s.example (host.example [192.0.2.%d])\n"+
				"\tby mx.example with ESMTPS id %016x\n\tfor <me@example>; %s\n", word(), rnd.IntN(256), rnd.Uint64(), when)
		}
		m = append(m, "DKIM-Signature: v=1; a=rsa-sha256; d=example; s=k1;\n\tb="...)
		signature := bytes.TrimSpace(lines(nil, p.base64, rnd, 150))
		m = append(append(m, bytes.ReplaceAll(signature, []byte("\n"), []byte("\n\t"))...), '\n')
	}
	subject := word()
	for range 1 + rnd.IntN(7) {
		subject += " " + p.words[rnd.IntN(len(p.words))]
	}
	if strings.IndexFunc(subject, func(r rune) bool { return r > 127 }) >= 0 {
		subject = "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(subject)) + "?="
	}
	m = fmt.Appendf(m, "Date: %s\nFrom: Sender <%s>\nTo: me@example\nSubject: %s\nMessage-ID: <%d.%s.%s.%d@bench.example>\nMIME-Version: 1.0\n",
		when, sender, subject, seed, profile, set, i)
	const plain = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
	switch {
	case profile == "tiny":
		m = lines(append(m, plain...), p.text, rnd, 30+rnd.IntN(250))
	case rnd.Float64() < .007:
		m = append(m, "Content-Type: multipart/mixed; boundary=\"=_b\"\n\n--=_b\n"+plain...)
		m = lines(m, p.text, rnd, 1500)
		m = append(m, "\n--=_b\nContent-Type: application/octet-stream; name=\"a.bin\"\nContent-Transfer-Encoding: base64\n\n"...)
		left := int(8192 * math.Pow(128, rnd.Float64())) // 8 KiB to 1 MiB, each size as likely as twice that
		for left > 0 {
			before := len(m)
			m = lines(m, p.base64, rnd, min(left, 700_000))
			left -= len(m) - before
		}
		m = append(m, "\n--=_b--\n"...)
	default:
		m = lines(append(m, plain...), p.text, rnd, min(int(math.Exp(7.91+.85*rnd.NormFloat64())), 200_000))
		if rnd.IntN(100) == 0 {
			m = bytes.TrimRight(m, "\n") // some real mail has no final line end
		}
	}
	return m
}

// flagMix is how often each set of Maildir flags occurs.
var flagMix = strings.Fields("S S S S S S S S S S S S S S RS RS RS FS - DS")

// flags returns the Maildir flags of message i.
func flags(i int) string {
	return strings.Trim(flagMix[random(seed, "flags", i).IntN(len(flagMix))], "-")
}

// write writes the corpus below dir, a Maildir for each folder. The modification
// time of a file is when the message arrived.
func (c corpus) write(ctx context.Context, dir string) error {
	for _, f := range c.folders() {
		path := filepath.Join(dir, f.Name)
		if err := makeMaildir(path); err != nil {
			return err
		}
		for i := f.First; i < f.First+f.Count; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			m := message(c.Profile, "first", i)
			name := fmt.Sprintf("%d.M%dP1.bench,S=%d,W=%d:2,%s", epoch+i, i, len(m), len(m)+bytes.Count(m, []byte("\n")), flags(i))
			name = filepath.Join(path, "cur", name)
			if err := os.WriteFile(name, m, 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(name, date(i), date(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func makeMaildir(path string) error {
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o755); err != nil {
			return err
		}
	}
	return nil
}
