package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/state"
)

// markExpired notes in the state that near copies are about to be removed because
// they are not kept any more. Killed after that, the next run does not take their
// absence for somebody's wish to remove the messages.
func (e *Engine) markExpired(ctx context.Context, fp *FolderPlan, items []item) error {
	var rows []*state.Row
	for _, it := range items {
		if it.row.ID > 0 {
			it.row.Status, it.row.Note = state.StatusExpired, it.extra().note
			rows = append(rows, it.row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return e.commitRows(ctx, fp, &state.Change{}, rows)
}
