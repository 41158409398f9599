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
	at := lastKnown(rows, side, delta)
	if len(at) == 0 {
		return false, nil
	}
	var keys mail.KeySet
	for k := range at {
		keys.Add(k)
	}
	// Another message would have to have come in the same second and be of the same
	// size. A server has both at hand; for a header it opens the message.
	store, ref := r.e.store(side), refOf(r.p.name, res)
	var unlike mail.KeySet
	err := store.Describe(ctx, ref, keys, mail.WantDate|mail.WantCRLFSize, func(ds []mail.Description) error {
		for _, d := range ds {
			if row := at[d.Key]; row.Size < 0 || d.CRLFSize != row.Size || !sameDate(d.Date, row.Date) {
				unlike.Add(d.Key)
			}
		}
		return nil
	})
	if err != nil || unlike.Empty() {
		return false, err
	}
	other := map[mail.Key][]byte{}
	err = store.Describe(ctx, ref, unlike, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			ident := at[d.Key].Ident
			of, placeholder := placeholderOf(d.Header)
			if HeaderIdentity(d.Header, -1).Header != ident && !(placeholder && side == state.Near && of.Header == ident) {
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

// lastKnown returns the rows that have the highest UIDs and can be told by their
// identity.
func lastKnown(rows []state.Row, side state.Side, delta Delta) map[mail.Key]state.Row {
	var last []mail.Key // in order
	at := map[mail.Key]state.Row{}
	for i := range rows {
		k := rows[i].Key(side)
		if len(last) == reusedLook && k <= last[0] || rows[i].Ident == "" || delta.Gone[rows[i].ID] {
			continue
		}
		if _, isUID := k.UID(); !isUID {
			continue
		}
		if _, again := at[k]; !again {
			if len(last) == reusedLook {
				delete(at, last[0])
				last = last[1:]
			}
			place, _ := slices.BinarySearch(last, k)
			last = slices.Insert(last, place, k)
		}
		at[k] = rows[i]
	}
	return at
}
