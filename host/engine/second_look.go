package engine

import "github.com/imapfw/imapfw/host/state"

// A message that somebody moves while a run reads may be gone from where it was
// and not yet be seen where it went. Its content is on the other side again with
// the next run; but not that of a placeholder, which is nothing without its far
// message. So what a placeholder stands for is removed only when a second look at
// the whole account, in the same run, does not find it either.

// lookTwice takes from a plan the far removals of what placeholders stand for, and
// has all of the account planned once more. A plan that is applied from a document
// was made twice already.
func (e *Engine) lookTwice(plan *Plan) {
	if e.replanned || e.doc != nil {
		return
	}
	for _, fp := range plan.Folders {
		for _, s := range fp.Steps {
			if s.Side != state.Far || !s.removes() {
				continue
			}
			n := s.items.drop(func(it item) bool {
				return it.row != nil && it.row.Status == state.StatusPlaceholder && it.row.Near == ""
			})
			if n > 0 {
				fp.blocked.Store(true)
				e.replan = true
			}
		}
		fp.dropEmpty()
	}
}
