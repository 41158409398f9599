package mail

import (
	"iter"
	"slices"
	"sort"
)

// UIDRange is a run of UIDs, both ends included.
type UIDRange struct{ First, Last uint32 }

// KeySet is an ordered set of keys of one folder. UIDs are kept as ranges, so a
// set of a whole IMAP folder takes a few bytes; other keys are kept one by one.
// The zero value is the empty set. A KeySet is a value: methods that change it
// have a pointer receiver, and nobody changes a set they were given.
type KeySet struct {
	uids  []UIDRange // sorted, never touching
	names []Key      // sorted
}

// NewKeySet returns the set of the given keys, in any order.
func NewKeySet(keys ...Key) KeySet {
	var s KeySet
	for _, k := range keys {
		s.Add(k)
	}
	return s
}

// Add puts a key into the set. Adding in ascending order costs constant time.
func (s *KeySet) Add(k Key) {
	if uid, ok := k.UID(); ok {
		s.AddUIDs(uid, uid)
		return
	}
	if n := len(s.names); n == 0 || s.names[n-1] < k {
		s.names = append(s.names, k)
		return
	}
	i, found := slices.BinarySearch(s.names, k)
	if !found {
		s.names = slices.Insert(s.names, i, k)
	}
}

// AddUIDs puts all the UIDs from first to last into the set.
func (s *KeySet) AddUIDs(first, last uint32) {
	if first > last {
		first, last = last, first
	}
	// i is the first range that the new one may touch, j the first beyond it.
	i := sort.Search(len(s.uids), func(i int) bool { return uint64(s.uids[i].Last)+1 >= uint64(first) })
	j := i
	for j < len(s.uids) && uint64(s.uids[j].First) <= uint64(last)+1 {
		first, last = min(first, s.uids[j].First), max(last, s.uids[j].Last)
		j++
	}
	if i == len(s.uids) {
		s.uids = append(s.uids, UIDRange{first, last})
		return
	}
	s.uids = slices.Replace(s.uids, i, j, UIDRange{first, last})
}

// AddSet puts every key of t into the set.
func (s *KeySet) AddSet(t KeySet) {
	for _, r := range t.uids {
		s.AddUIDs(r.First, r.Last)
	}
	for _, k := range t.names {
		s.Add(k)
	}
}

// Contains reports whether k is in the set.
func (s KeySet) Contains(k Key) bool {
	if uid, ok := k.UID(); ok {
		i := sort.Search(len(s.uids), func(i int) bool { return s.uids[i].Last >= uid })
		return i < len(s.uids) && s.uids[i].First <= uid
	}
	_, found := slices.BinarySearch(s.names, k)
	return found
}

// Len returns the number of keys.
func (s KeySet) Len() int {
	n := len(s.names)
	for _, r := range s.uids {
		n += int(r.Last-r.First) + 1
	}
	return n
}

// Empty reports whether the set holds no key.
func (s KeySet) Empty() bool { return len(s.uids) == 0 && len(s.names) == 0 }

// UIDs returns the UIDs as ranges, ascending. The caller must not change them.
func (s KeySet) UIDs() []UIDRange { return s.uids }

// Names returns the keys that are not UIDs, ascending. The caller must not
// change them.
func (s KeySet) Names() []Key { return s.names }

// All yields the keys in ascending order of UIDs, then of names.
func (s KeySet) All() iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for _, r := range s.uids {
			for uid := uint64(r.First); uid <= uint64(r.Last); uid++ {
				if !yield(UIDKey(uint32(uid))) {
					return
				}
			}
		}
		for _, k := range s.names {
			if !yield(k) {
				return
			}
		}
	}
}

// Chunks yields the set in pieces of at most n keys, in order.
func (s KeySet) Chunks(n int) iter.Seq[KeySet] {
	return func(yield func(KeySet) bool) {
		var piece KeySet
		count := 0
		for k := range s.All() {
			piece.Add(k)
			if count++; count == n {
				if !yield(piece) {
					return
				}
				piece, count = KeySet{}, 0
			}
		}
		if count > 0 {
			yield(piece)
		}
	}
}
