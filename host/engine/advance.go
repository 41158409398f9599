package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What a run changes itself and records in the rows is not news to the next one.
// A store that can tell it from what others changed gives each change a mark, and
// finds the sum of them in the cursor of its folder. What is changed and not
// recorded has no part in it: the next run reads it.

// advance notes what was changed on a side, and recorded.
func (fp *FolderPlan) advance(side state.Side, by mail.Mark) {
	fp.marks.Lock()
	defer fp.marks.Unlock()
	fp.marks.done[side] = fp.marks.done[side].Plus(by)
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
		if m, _ := cursor.Mark(); m == (mail.Mark{}) {
			*cursor = cursor.Place() // nothing was put there, or the store has no marks
		}
	}
	record.Policy = fp.policy()
	return record
}
