package wire

import (
	"encoding/binary"
	"math"

	"github.com/imapfw/imapfw/host/fault"
)

// Decode returns the Value that b holds, all of it. It takes b over: the
// content in the Value shares its memory.
func Decode(b []byte) (Value, error) {
	v, rest, err := DecodeNext(b)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, malformed("%d bytes after the value", len(rest))
	}
	return v, nil
}

// DecodeNext returns the Value at the beginning of b, and what follows it.
func DecodeNext(b []byte) (v Value, rest []byte, err error) {
	d := decoder{buf: b}
	v = d.value(0)
	if d.err != nil {
		return nil, nil, d.err
	}
	return v, d.buf, nil
}

func malformed(format string, args ...any) *fault.Error {
	return fault.New(fault.Protocol, "decode a value", format, args...)
}

// decoder reads a Value. The first error sticks: every read after it gives the
// zero value, and the one who asked looks at err once, at the end.
type decoder struct {
	buf []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed(format, args...)
		d.buf = nil
	}
}

func (d *decoder) value(depth int) Value {
	if depth > MaxDepth {
		d.fail("more than %d levels deep", MaxDepth)
		return nil
	}
	switch tag := d.byte(); tag {
	case tagNil:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInt:
		return d.varint()
	case tagFloat:
		b := d.take(8)
		if d.err != nil {
			return nil
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	case tagString:
		return d.text()
	case tagBytes:
		b := d.take(d.count(1))
		return b[:len(b):len(b)]
	case tagList:
		return d.list(depth)
	case tagMap:
		return d.dict(depth)
	case tagKeySet:
		return d.keySet()
	case tagFlags:
		return d.flags()
	case tagMetas:
		return d.metas()
	case tagTime:
		return d.time()
	case tagFault:
		return d.fault(0)
	default:
		d.fail("unknown tag %d", tag)
		return nil
	}
}

func (d *decoder) list(depth int) List {
	n := d.count(1)
	out := make(List, 0, n)
	for range n {
		out = append(out, d.value(depth+1))
		if d.err != nil {
			return nil
		}
	}
	return out
}

func (d *decoder) dict(depth int) Map {
	n := d.count(2)
	out := make(Map, n)
	for range n {
		key := d.text()
		out[key] = d.value(depth + 1)
		if d.err != nil {
			return nil
		}
	}
	if len(out) != n {
		d.fail("a key twice in a map")
	}
	return out
}

// count reads the number of things that follow, each of which takes at least a
// number of bytes: a count that the rest cannot hold never allocates.
func (d *decoder) count(each int) int {
	n := d.uvarint()
	if n > uint64(len(d.buf)/each) {
		d.fail("%d items where there are %d bytes left", n, len(d.buf))
		return 0
	}
	return int(n)
}

func (d *decoder) byte() byte {
	b := d.take(1)
	if d.err != nil {
		return 0
	}
	return b[0]
}

func (d *decoder) take(n int) []byte {
	if d.err == nil && n > len(d.buf) {
		d.fail("it ends too early")
	}
	if d.err != nil {
		return nil
	}
	b := d.buf[:n]
	d.buf = d.buf[n:]
	return b
}

func (d *decoder) text() string { return string(d.take(d.count(1))) }

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.buf)
	if size <= 0 {
		d.fail("a bad number")
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

func (d *decoder) varint() int64 {
	n, size := binary.Varint(d.buf)
	if size <= 0 {
		d.fail("a bad number")
		return 0
	}
	d.buf = d.buf[size:]
	return n
}
