package engine

import (
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// reusedLook is how many messages are looked at.
const reusedLook = 3

// reused reports whether the last few known UIDs name other messages now: a
// server that was restored from a backup gives the UIDs it lost a second time,
// and its counters may have caught up since.
func (r *reading) reused(ctx context.Context, side state.Side, rows []state.Row, delta Delta, res mail.Result) (bool, error) {
	var keys mail.KeySet
	ident := map[mail.Key]string{}
	last := slices.Clone(rows)
	slices.SortFunc(last, func(a, b state.Row) int {
		return -cmpKeys(a.Key(side), b.Key(side))
	})
	for _, row := range last {
		k := row.Key(side)
		if _, isUID := k.UID(); !isUID || len(ident) == reusedLook {
			break
		}
		if row.Ident != "" && !delta.Gone[row.ID] {
			keys.Add(k)
			ident[k] = row.Ident
		}
	}
	if keys.Empty() {
		return false, nil
	}
	other := map[mail.Key][]byte{}
	err := r.e.store(side).Describe(ctx, refOf(r.p.name, res), keys, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			of, placeholder := placeholderOf(d.Header)
			if HeaderIdentity(d.Header, -1).Header != ident[d.Key] && !(placeholder && side == state.Near && of.Header == ident[d.Key]) {
				other[d.Key] = slices.Clone(d.Header)
			}
		}
		return nil
	})
	if err != nil || len(other) == 0 {
		return false, err
	}
	return r.replaced(ctx, side, rows, other)
}

func cmpKeys(a, b mail.Key) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
