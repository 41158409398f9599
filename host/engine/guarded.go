package engine

import (
	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/worker"
)

// guarded runs fn on a goroutine of the group. A panic in it is an error of the
// group, with its stack, and ends the run as any other.
func guarded(group *errgroup.Group, op string, fn func() error) {
	group.Go(func() error { return worker.Guard(op, fn) })
}
