package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/state"
)

// markExpired notes in the state that near copies are about to be removed because
// they are not kept any more. Killed after that, the next run does not take their
// absence for somebody's wish to remove the messages.
func (e *Engine) markExpired(ctx context.Context, fp *FolderPlan, items []item) error {
	rows := make([]*state.Row, len(items))
	for i, it := range items {
		it.row.Status, it.row.Note = state.StatusExpired, it.note
		rows[i] = it.row
	}
	return e.commitRows(ctx, fp, &state.Change{}, rows)
}
