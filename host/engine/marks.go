package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What a run changes itself and records in the rows is not news to the next one.
// A store that can tell it from what others changed gives each change a mark, and
// finds the sum of them in the cursor of its folder. What is changed and not
// recorded has no part in it: the next run reads it.
//
// The sum must be that of what the rows say, not of what is there: else a user who
// puts back what the run changed makes it true again, and is not heard. So where a
// row is changed by anything but a change with a mark, the folder has no sum until
// the next reading in full.

// advance notes what was changed on a side, and recorded.
func (fp *FolderPlan) advance(side state.Side, by mail.Mark) {
	fp.marks.Lock()
	defer fp.marks.Unlock()
	fp.marks.done[side] = fp.marks.done[side].Plus(by)
}

// unmark notes that a row was changed in a way that no mark tells of.
func (fp *FolderPlan) unmark(side state.Side) {
	fp.marks.Lock()
	defer fp.marks.Unlock()
	fp.marks.lost[side] = true
}

// startEmpty notes that a folder was made on a side: from then on it holds what the
// run puts there, which the sum of the marks tells.
func (fp *FolderPlan) startEmpty(side state.Side) {
	cursor := &fp.record.FarCursor
	if side == state.Near {
		cursor = &fp.record.NearCursor
	}
	if *cursor == "" {
		*cursor = mail.Cursor("").Marked(mail.Mark{})
	}
}

// done returns the record of a folder in which everything is done.
func (fp *FolderPlan) done() state.Folder {
	fp.marks.Lock()
	defer fp.marks.Unlock()
	record := fp.record
	for side, cursor := range map[state.Side]*mail.Cursor{state.Far: &record.FarCursor, state.Near: &record.NearCursor} {
		*cursor = cursor.Advance(fp.marks.done[side])
		if m, _ := cursor.Mark(); m == (mail.Mark{}) || fp.marks.lost[side] {
			*cursor = cursor.Place() // nothing was put there, or the store has no marks
		}
	}
	record.Policy = fp.policy()
	return record
}
