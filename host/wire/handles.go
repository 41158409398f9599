package wire

import (
	"math"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// A key set is its UID ranges, each as the distance from the one before and its
// length, then its names.
func (e *encoder) keySet(s mail.KeySet) {
	ranges := s.UIDs()
	e.uvarint(uint64(len(ranges)))
	next := uint64(0)
	for _, r := range ranges {
		e.uvarint(uint64(r.First) - next)
		e.uvarint(uint64(r.Last - r.First))
		next = uint64(r.Last) + 2 // ranges never touch
	}
	names := s.Names()
	e.uvarint(uint64(len(names)))
	for _, name := range names {
		e.text(string(name))
	}
}

func (d *decoder) keySet() mail.KeySet {
	var s mail.KeySet
	next := uint64(0)
	for range d.count(2) {
		first, length := d.uvarint(), d.uvarint()
		if first > math.MaxUint32 || length > math.MaxUint32 || next+first+length > math.MaxUint32 {
			d.fail("a UID beyond 32 bits")
			return s
		}
		first += next
		s.AddUIDs(uint32(first), uint32(first+length))
		next = first + length + 2
	}
	var last mail.Key
	for i := range d.count(1) {
		name := mail.Key(d.text())
		if _, uid := name.UID(); uid || i > 0 && name <= last {
			d.fail("names of a key set out of order")
			return s
		}
		s.Add(name)
		last = name
	}
	return s
}

func (e *encoder) flags(f mail.Flags) {
	e.byte(byte(f.System))
	e.text(strings.Join(f.Keywords(), " "))
}

func (d *decoder) flags() mail.Flags {
	system := mail.System(d.byte())
	var f mail.Flags
	if words := d.text(); words != "" {
		f = mail.NewFlags(strings.Split(words, " ")...)
	}
	f.System = system
	return f
}

// The bits of a meta's first byte.
const (
	metaHidden = 1 << iota
	metaDated
	metaExcluded
)

func (e *encoder) metas(metas []mail.Meta) {
	e.uvarint(uint64(len(metas)))
	for _, m := range metas {
		var bits byte
		if m.Hidden {
			bits |= metaHidden
		}
		if m.Excluded {
			bits |= metaExcluded
		}
		if !m.Date.IsZero() {
			bits |= metaDated
		}
		e.byte(bits)
		e.text(string(m.Key))
		e.flags(m.Flags)
		e.varint(m.Size)
		if bits&metaDated != 0 {
			e.time(m.Date)
		}
	}
}

func (d *decoder) metas() []mail.Meta {
	n := d.count(5)
	out := make([]mail.Meta, 0, n)
	for range n {
		bits := d.byte()
		m := mail.Meta{Key: mail.Key(d.text()), Flags: d.flags(), Size: d.varint(),
			Hidden: bits&metaHidden != 0, Excluded: bits&metaExcluded != 0}
		if bits&metaDated != 0 {
			m.Date = d.time()
		}
		if d.err != nil {
			return nil
		}
		out = append(out, m)
	}
	return out
}

// A time is its instant and its distance from UTC, which INTERNALDATE has; the
// name of the zone and the monotonic reading stay behind.
func (e *encoder) time(t time.Time) {
	_, offset := t.Zone()
	e.varint(t.Unix())
	e.uvarint(uint64(t.Nanosecond()))
	e.varint(int64(offset))
}

func (d *decoder) time() time.Time {
	sec, nsec, offset := d.varint(), d.uvarint(), d.varint()
	const day = 24 * 60 * 60
	if nsec >= uint64(time.Second) || offset < -day || offset > day {
		d.fail("a bad time")
		return time.Time{}
	}
	t := time.Unix(sec, int64(nsec)).UTC()
	if offset != 0 {
		t = t.In(time.FixedZone("", int(offset)))
	}
	return t
}
