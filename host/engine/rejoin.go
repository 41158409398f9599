package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// rejoin completes the rows of messages that were being copied to where a copy of
// them had been, when a run was cut short: such a delivery makes no pair, it
// gives its row a new key. It returns the pairs of all other messages.
func (r *reading) rejoin(recovered []state.Row) []state.Row {
	at := map[state.Side]map[mail.Key]int{state.Far: {}, state.Near: {}}
	for i, row := range r.rows {
		at[state.Far][row.Far], at[state.Near][row.Near] = i, i
	}
	return slices.DeleteFunc(recovered, func(row state.Row) bool {
		if row.Status == state.StatusAmbiguous {
			return false
		}
		for _, source := range []state.Side{state.Far, state.Near} {
			if i, known := at[source][row.Key(source)]; known {
				r.arrive(&r.rows[i], row, source.Other())
				return true
			}
		}
		return false
	})
}

// arrive gives a row the copy that arrived on a side.
func (r *reading) arrive(row *state.Row, arrived state.Row, to state.Side) {
	key := arrived.Key(to)
	delta := r.deltas[to]
	i := delta.New.first(key)
	if i < 0 {
		return
	}
	source := r.deltas[to.Other()]
	there, changed := source.Flags[row.ID]
	if !changed {
		there = row.Had(to.Other())
	}
	flags := delta.New.At(i).Flags
	delta.New.remove(i)
	if before := row.Key(to); before == "" || delta.Gone[row.ID] {
		row.Flags = arrived.Flags // what it was delivered with is agreed on
	} else {
		r.leftOver = append(r.leftOver, mail.Meta{Key: before, Flags: row.Flags})
	}
	delete(delta.Gone, row.ID)
	delete(delta.Flags, row.ID)
	delete(source.Flags, row.ID)
	if !flags.Equal(row.Had(to)) {
		delta.Flags[row.ID] = flags
	}
	if !there.Equal(row.Had(to.Other())) {
		source.Flags[row.ID] = there
	}
	delta.New.Freeze()
	r.deltas[to] = delta
	row.Status, row.Note = arrived.Status, ""
	if arrived.Ident != "" {
		row.Size, row.Ident = arrived.Size, arrived.Ident
	}
	setKey(row, to, key)
	if r.touched == nil {
		r.touched = map[int64]bool{}
	}
	r.touched[row.ID] = true
}

func setKey(row *state.Row, side state.Side, key mail.Key) {
	if side == state.Far {
		row.Far = key
	} else {
		row.Near = key
	}
}
