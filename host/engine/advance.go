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

// done returns the record of a folder in which everything is done.
func (fp *FolderPlan) done() state.Folder {
	fp.marks.Lock()
	defer fp.marks.Unlock()
	record := fp.record
	record.FarCursor = record.FarCursor.Advance(fp.marks.done[state.Far])
	record.NearCursor = record.NearCursor.Advance(fp.marks.done[state.Near])
	record.Policy = fp.policy()
	return record
}
