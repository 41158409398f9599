//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"strings"
)

// digest stands for the content of a message.
type digest [sha256.Size]byte

// digester makes the digest of what is written to it. Carriage returns at the end of
// lines and the header fields of added count for nothing: they are what the transport
// and a tool put there.
type digester struct {
	hash  hash.Hash
	added []string

	body    bool
	line    []byte // of the header, not yet whole
	skipped bool   // the last field was one of added
	cr      bool   // a carriage return is held back
	buf     []byte
}

func newDigester(added []string) *digester { return &digester{hash: sha256.New(), added: added} }

func (d *digester) reset() {
	d.hash.Reset()
	d.body, d.skipped, d.cr, d.line = false, false, false, d.line[:0]
}

func (d *digester) Write(b []byte) (int, error) {
	n := len(b)
	if d.cr || bytes.IndexByte(b, '\r') >= 0 {
		b = d.unix(b)
	}
	for !d.body && len(b) > 0 {
		end := bytes.IndexByte(b, '\n') + 1
		if end == 0 {
			d.line = append(d.line, b...)
			return n, nil
		}
		d.line = append(d.line, b[:end]...)
		b = b[end:]
		d.header()
	}
	d.hash.Write(b)
	return n, nil
}

// unix takes carriage returns before line feeds away.
func (d *digester) unix(b []byte) []byte {
	d.buf = d.buf[:0]
	for len(b) > 0 {
		if d.cr && b[0] != '\n' {
			d.buf = append(d.buf, '\r')
		}
		d.cr = false
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			d.buf = append(d.buf, b...)
			break
		}
		d.buf = append(d.buf, b[:i]...)
		b, d.cr = b[i+1:], true
	}
	return d.buf
}

// header counts a whole line of the header, or not.
func (d *digester) header() {
	field, _, _ := strings.Cut(string(d.line[:min(len(d.line), 40)]), ":")
	switch folded := d.line[0] == ' ' || d.line[0] == '\t'; {
	case len(d.line) == 1:
		d.body, d.skipped = true, false
	case !folded:
		d.skipped = slices.ContainsFunc(d.added, func(a string) bool { return strings.EqualFold(a, field) })
	}
	if !d.skipped {
		d.hash.Write(d.line)
	}
	d.line = d.line[:0]
}

func (d *digester) sum() (out digest) {
	if d.cr {
		d.line = append(d.line, '\r')
	}
	d.hash.Write(d.line)
	d.hash.Sum(out[:0])
	return out
}
