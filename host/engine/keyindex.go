package engine

import (
	"cmp"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// keyIndex finds the rows of keys that are asked for mostly in their order, as
// stores list messages: then the next row is the one, and otherwise it is not far
// to look. A map of a hundred thousand keys would take ten times its memory.
type keyIndex struct {
	rows  []state.Row
	side  state.Side
	order []int32 // of the rows that have a key, by key; of equal keys by number
	next  int     // in order
}

func newKeyIndex(rows []state.Row, side state.Side) keyIndex {
	x := keyIndex{rows: rows, side: side, order: make([]int32, 0, len(rows))}
	sorted := true
	for i := range rows {
		if rows[i].Key(side) == "" {
			continue
		}
		if n := len(x.order); n > 0 && x.key(n-1) > rows[i].Key(side) {
			sorted = false
		}
		x.order = append(x.order, int32(i))
	}
	if !sorted {
		slices.SortFunc(x.order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(rows[a].Key(side), rows[b].Key(side)), cmp.Compare(a, b))
		})
	}
	return x
}

func (x *keyIndex) key(at int) mail.Key { return x.rows[x.order[at]].Key(x.side) }

// find returns the number of the row of a key; of several, the last.
func (x *keyIndex) find(key mail.Key) (int, bool) {
	at := x.next
	if at >= len(x.order) || x.key(at) != key {
		at, _ = slices.BinarySearchFunc(x.order, key, func(i int32, key mail.Key) int {
			return cmp.Compare(x.rows[i].Key(x.side), key)
		})
	}
	if at >= len(x.order) || x.key(at) != key {
		x.next = at
		return 0, false
	}
	for at+1 < len(x.order) && x.key(at+1) == key {
		at++
	}
	x.next = at + 1
	return int(x.order[at]), true
}
