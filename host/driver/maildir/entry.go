package maildir

import (
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// entry is a file of a folder. Names are kept once, keys are pieces of them:
// there may be a million.
type entry struct {
	name string
	cut  uint16 // length of the key
	new  bool   // in new/, else in cur/
	gone bool   // the driver itself took it away since
}

func newEntry(name string, inNew bool, sep byte) entry {
	return entry{name: name, cut: uint16(len(cutKey(name, sep))), new: inNew}
}

func (e entry) key() string { return e.name[:e.cut] }

func (e entry) sub() string {
	if e.new {
		return "/new/"
	}
	return "/cur/"
}

// byKey orders entries by key. Of two files with the same key the one to go by
// comes last: that in cur/, and there the one with more flags.
func byKey(a, b entry) int {
	if c := strings.Compare(a.key(), b.key()); c != 0 {
		return c
	}
	if a.new != b.new {
		if a.new {
			return -1
		}
		return 1
	}
	return strings.Compare(a.name, b.name)
}

// findEntry returns where a key is in a list, or would be.
func findEntry(list []entry, key mail.Key) (int, bool) {
	return slices.BinarySearchFunc(list, string(key), func(e entry, k string) int { return strings.Compare(e.key(), k) })
}

// union adds to list, which is the newer reading, what only the older one found.
func union(list, older []entry) []entry {
	out := make([]entry, 0, max(len(list), len(older)))
	i := 0
	for _, e := range older {
		for i < len(list) && list[i].key() < e.key() {
			out = append(out, list[i])
			i++
		}
		if i == len(list) || list[i].key() != e.key() {
			out = append(out, e)
		}
	}
	return append(out, list[i:]...)
}

// letterBits returns the letters a to z in a text as bits.
func letterBits(letters string) uint32 {
	var bits uint32
	for i := range len(letters) {
		if c := letters[i]; 'a' <= c && c <= 'z' {
			bits |= 1 << (c - 'a')
		}
	}
	return bits
}
