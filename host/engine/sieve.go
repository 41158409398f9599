package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// sieve takes all the messages of a side and lets through those that something
// happened to, as a store would that knows what changed. So of a folder that has to
// be read in full (file names hold no history) only few rows are loaded: they take ten
// times as much as what the sieve needs to know.
type sieve struct {
	keys []mail.Key // in order
	sets []uint16   // of the key at the same place, where its flags are in flags
	seen []bool
	next int // in keys: messages mostly come in order

	flags []mail.Flags
}

// theRow in the place of a set of flags says to look at the row.
const theRow = 0

// newSieve returns the sieve of a side of a folder.
func newSieve(ctx context.Context, s state.Store, folder string, side state.Side, size int) (*sieve, error) {
	v := &sieve{keys: make([]mail.Key, 0, size), sets: make([]uint16, 0, size), flags: []mail.Flags{theRow: {}}}
	sets := map[mail.Flags]uint16{}
	sorted := true
	err := s.Known(ctx, folder, side, func(known []state.Known) error {
		for _, k := range known {
			set, ok := sets[k.Flags]
			switch {
			case k.Odd:
				set = theRow
			case !ok && len(v.flags) <= 1<<15:
				set = uint16(len(v.flags))
				sets[k.Flags], v.flags = set, append(v.flags, k.Flags)
			}
			if n := len(v.keys); n > 0 && v.keys[n-1] > k.Key {
				sorted = false
			}
			v.keys, v.sets = append(v.keys, k.Key), append(v.sets, set)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !sorted {
		v.sort()
	}
	v.seen = make([]bool, len(v.keys))
	return v, nil
}

func (v *sieve) sort() {
	order := make([]int, len(v.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v.keys[a], v.keys[b]) })
	keys, sets := make([]mail.Key, len(order)), make([]uint16, len(order))
	for i, at := range order {
		keys[i], sets[i] = v.keys[at], v.sets[at]
	}
	v.keys, v.sets = keys, sets
}

// look reports whether there is a row of a message, and whether there is more to the
// message than its row tells.
func (v *sieve) look(m mail.Meta) (known, more bool) {
	at, known := v.next, v.next < len(v.keys) && v.keys[v.next] == m.Key
	if !known {
		at, known = slices.BinarySearch(v.keys, m.Key)
	}
	if !known {
		return false, true
	}
	v.next = at + 1
	again := v.seen[at] // what came first may have passed
	v.seen[at] = true
	return true, again || v.sets[at] == theRow || m.Hidden || m.Excluded || !m.Flags.Equal(v.flags[v.sets[at]])
}

// partial returns a result as it were if its store had told what changed only.
func (v *sieve) partial(res mail.Result) mail.Result {
	there := func(at int) bool { return v.seen[at] || res.Present.Contains(v.keys[at]) }
	var gone mail.KeySet
	for key := range res.Gone.All() {
		if at, known := slices.BinarySearch(v.keys, key); !known || !there(at) {
			gone.Add(key)
		}
	}
	if res.Complete && !res.Unsure {
		for at, key := range v.keys {
			if !there(at) {
				gone.Add(key)
			}
		}
	}
	res.Complete, res.Present, res.Gone = false, mail.KeySet{}, gone
	return res
}
