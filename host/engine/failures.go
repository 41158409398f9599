package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/imapfw/imapfw/host/wire"
)

// maxAlike is how many failures of a folder that say the same are told one by
// one. The report has all of them.
const maxAlike = 20

// sameFailures counts failures that say the same.
type sameFailures struct {
	mu    sync.Mutex
	count map[sameFailure]int
}

type sameFailure struct{ folder, answer string }

// one counts one more, and reports whether it is to be told.
func (s *sameFailures) one(f sameFailure) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[sameFailure]int{}
	}
	s.count[f]++
	return s.count[f] <= maxAlike
}

// tellFailure reports what could not be done.
func (e *Engine) tellFailure(folder string, err error) {
	err = inFolder(err, folder)
	f := asFault(err)
	if e.report.fail(err) && e.alike.one(sameFailure{folder, answerOf(f)}) {
		e.Emit("told", wire.Map{"folder": folder, "error": f})
	}
}

// tellUntold tells how many more failures there were.
func (e *Engine) tellUntold() {
	e.alike.mu.Lock()
	defer e.alike.mu.Unlock()
	for _, f := range slices.SortedFunc(maps.Keys(e.alike.count), func(a, b sameFailure) int {
		return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.answer, b.answer))
	}) {
		if n := e.alike.count[f]; n > maxAlike {
			e.Emit("told", wire.Map{"folder": f.folder, "text": fmt.Sprintf("%d more messages failed alike: %s", n-maxAlike, f.answer)})
		}
	}
}
