package engine

import (
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Metas is a list of what stores tell of messages, in the order in which they were
// added. There may be a million of them in a folder that nobody has synced yet: one
// takes 16 octets, and its key where that is no UID. The zero value is empty. Copies of
// a frozen list are lists of their own; of the copies of any other only one may be used.
type Metas struct {
	pieces [][]packed // all but the last one are full
	names  []mail.Key // keys that are no UIDs
	odd    []mail.Meta
	flags  []mail.Flags
	places map[mail.Flags]uint32 // in flags
	frozen bool                  // the fields above are shared, and are not changed any more
}

// packed is a mail.Meta whose values are of the usual kind.
type packed struct {
	key  uint32 // the UID; the place in names, or that in odd
	what uint32 // the place in flags, and bits
	size uint32 // unknownSize: it is not known
	date uint32 // seconds since 1970; 0: none
}

// Bits of packed.what.
const (
	isHidden = 1 << (31 - iota)
	isExcluded
	isNamed
	isOdd     // it did not fit, and is in odd
	placeBits = isOdd - 1

	unknownSize = math.MaxUint32

	// pieceLen is how many messages a piece holds: what a list grows by is not
	// copied.
	pieceLen = 4096
)

// NewMetas returns a list.
func NewMetas(list ...mail.Meta) Metas {
	var ms Metas
	for _, m := range list {
		ms.Add(m)
	}
	return ms
}

// Len returns the number of messages.
func (ms *Metas) Len() int {
	if len(ms.pieces) == 0 {
		return 0
	}
	last := len(ms.pieces) - 1
	return last*pieceLen + len(ms.pieces[last])
}

// Freeze makes of the list one that may be copied.
func (ms *Metas) Freeze() { ms.frozen = true }

// own makes what is to be changed the list's own.
func (ms *Metas) own() {
	if !ms.frozen {
		return
	}
	pieces := make([][]packed, len(ms.pieces))
	for i, piece := range ms.pieces {
		pieces[i] = append(make([]packed, 0, max(len(piece), min(i, 1)*pieceLen)), piece...)
	}
	ms.pieces, ms.frozen = pieces, false
	ms.names, ms.odd, ms.flags, ms.places = slices.Clone(ms.names), slices.Clone(ms.odd), slices.Clone(ms.flags), maps.Clone(ms.places)
}

// Add adds a message at the end.
func (ms *Metas) Add(m mail.Meta) {
	ms.own()
	last := len(ms.pieces) - 1
	if last < 0 || len(ms.pieces[last]) == pieceLen {
		room := pieceLen
		if last < 0 {
			room = 0 // most lists are short
		}
		ms.pieces = append(ms.pieces, make([]packed, 0, room))
		last++
	}
	ms.pieces[last] = append(ms.pieces[last], ms.pack(m))
}

// At returns the i-th message.
func (ms *Metas) At(i int) mail.Meta { return ms.unpack(ms.pieces[i/pieceLen][i%pieceLen]) }

// Set replaces the i-th message.
func (ms *Metas) Set(i int, m mail.Meta) {
	ms.own()
	at := &ms.pieces[i/pieceLen][i%pieceLen]
	before := *at
	if *at = ms.pack(m); before.what&isNamed != 0 && at.what&isNamed != 0 && ms.names[before.key] == m.Key {
		ms.names = ms.names[:len(ms.names)-1]
		at.key = before.key
	}
}

// remove takes out the i-th message.
func (ms *Metas) remove(i int) {
	ms.own()
	for n := i / pieceLen; n < len(ms.pieces); n++ {
		piece := ms.pieces[n]
		copy(piece[i%pieceLen:], piece[i%pieceLen+1:])
		i = 0
		if n+1 < len(ms.pieces) {
			piece[len(piece)-1] = ms.pieces[n+1][0]
			continue
		}
		if ms.pieces[n] = piece[:len(piece)-1]; len(piece) == 1 {
			ms.pieces = ms.pieces[:n]
		}
	}
}

// All yields the messages in order.
func (ms *Metas) All() iter.Seq[mail.Meta] {
	return func(yield func(mail.Meta) bool) {
		for _, piece := range ms.pieces {
			for _, p := range piece {
				if !yield(ms.unpack(p)) {
					return
				}
			}
		}
	}
}

// Slice returns the messages from one up to another, unpacked.
func (ms *Metas) Slice(from, to int) []mail.Meta {
	out := make([]mail.Meta, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, ms.At(i))
	}
	return out
}

// Without returns a list of the others.
func (ms *Metas) Without(not func(mail.Meta) bool) Metas {
	var out Metas
	for m := range ms.All() {
		if !not(m) {
			out.Add(m)
		}
	}
	return out
}

// first is the number of the first message with a key, -1 when there is none.
func (ms *Metas) first(key mail.Key) int {
	uid, isUID := key.UID()
	for n, piece := range ms.pieces {
		for i, p := range piece {
			if isUID && p.what&(isNamed|isOdd) == 0 {
				if p.key != uid {
					continue
				}
			} else if ms.unpack(p).Key != key {
				continue
			}
			return n*pieceLen + i
		}
	}
	return -1
}

func (ms *Metas) pack(m mail.Meta) packed {
	at := m.Date.Unix()
	fits := m.Size >= -1 && m.Size < unknownSize && len(ms.flags) < placeBits &&
		(m.Date.IsZero() || at > 0 && at <= math.MaxUint32 && m.Date.Nanosecond() == 0)
	if !fits {
		ms.odd = append(ms.odd, m)
		return packed{key: uint32(len(ms.odd) - 1), what: isOdd}
	}
	p := packed{what: ms.place(m.Flags), size: uint32(m.Size)} // -1 is unknownSize
	if !m.Date.IsZero() {
		p.date = uint32(at)
	}
	if uid, ok := m.Key.UID(); ok {
		p.key = uid
	} else {
		ms.names = append(ms.names, m.Key)
		p.key, p.what = uint32(len(ms.names)-1), p.what|isNamed
	}
	if m.Hidden {
		p.what |= isHidden
	}
	if m.Excluded {
		p.what |= isExcluded
	}
	return p
}

// place returns where flags are in the list of them.
func (ms *Metas) place(flags mail.Flags) uint32 {
	if at, ok := ms.places[flags]; ok {
		return at
	}
	if ms.places == nil {
		ms.places = map[mail.Flags]uint32{}
	}
	at := uint32(len(ms.flags))
	ms.flags = append(ms.flags, flags)
	ms.places[flags] = at
	return at
}

func (ms *Metas) unpack(p packed) mail.Meta {
	if p.what&isOdd != 0 {
		return ms.odd[p.key]
	}
	m := mail.Meta{Flags: ms.flags[p.what&placeBits], Size: int64(p.size),
		Hidden: p.what&isHidden != 0, Excluded: p.what&isExcluded != 0}
	if p.size == unknownSize {
		m.Size = -1
	}
	if p.date != 0 {
		m.Date = time.Unix(int64(p.date), 0).UTC()
	}
	if p.what&isNamed != 0 {
		m.Key = ms.names[p.key]
	} else {
		m.Key = mail.UIDKey(p.key)
	}
	return m
}
