package engine

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// What fails for a reason that may pass is tried again in the same run: a folder
// that cannot be planned on the spot, since nothing is applied before all of them
// are planned; what fails later by planning the folders again that are not done.
// So nothing is repeated blindly: what was delivered and recorded is known, and a
// delivery without an answer is an intent, which planning resolves by identity.

const (
	// DefaultAttempts is how often a run tries in all.
	DefaultAttempts = 3
	// firstPause is waited before the second attempt; then twice as long each
	// time, or as long as the server asks for.
	firstPause = time.Second
	// maxPause is the longest wait. A server that asks for more gets it: the run
	// ends.
	maxPause = 2 * time.Minute
)

// repeating is what an engine knows of its attempts.
type repeating struct {
	n        int                 // of the attempt, counted from 1
	last     bool                // there will be no other
	applying bool                // everything is planned
	todo     map[string]struct{} // the folders to look into; nil: all

	mu        sync.Mutex
	postponed map[string]error // by folder
}

// attempts brings both sides in step, in as many attempts as it takes and is
// allowed.
func (e *Engine) attempts(ctx context.Context) error {
	for n := 1; ; n++ {
		e.repeat.n, e.repeat.last = n, n >= e.Attempts
		err := e.attempt(ctx)
		if again, reloaded := e.again(ctx, err); again {
			if reloaded != nil {
				return reloaded
			}
			n-- // that was no failure
			continue
		}
		again := e.worthRepeating(err)
		if again == nil {
			return err
		}
		if !e.wait(ctx, n, "", again) {
			e.giveUp()
			if e.draining() {
				return errDrained()
			}
			return cmp.Or(err, context.Cause(ctx))
		}
		if err := e.reload(ctx); err != nil {
			return err
		}
	}
}

// again reports whether all of the account is to be planned once more, since the
// last plan could not know of everything, and gets ready for it.
func (e *Engine) again(ctx context.Context, err error) (bool, error) {
	if !e.replan || err != nil || e.DryRun || e.draining() || e.isPostponed() {
		return false, nil
	}
	e.replan, e.replanned = false, true
	e.repeat.todo = nil
	return true, e.reload(ctx)
}

// worthRepeating returns why another attempt is worth it, nil when it is not.
func (e *Engine) worthRepeating(err error) error {
	switch {
	case e.repeat.last || e.DryRun || e.draining() || !e.repeat.applying:
		return nil
	case err != nil && fault.CodeOf(err) == fault.Network && passes(err):
		return err
	case err != nil:
		return nil
	}
	for _, one := range e.repeat.postponed {
		if err == nil || fault.AfterOf(one) > fault.AfterOf(err) {
			err = one
		}
	}
	return err
}

// passes reports whether an error may be over soon.
func passes(err error) bool { return fault.IsTemporary(err) && fault.AfterOf(err) <= maxPause }

// postpone notes the failure of a folder that the next attempt may not meet any
// more, and reports whether there will be one.
func (e *Engine) postpone(folder string, err error) bool {
	r := &e.repeat
	if !r.applying || r.last || e.draining() || !passes(err) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.postponed == nil {
		r.postponed = map[string]error{}
	}
	if r.postponed[folder] == nil || fault.AfterOf(err) > fault.AfterOf(r.postponed[folder]) {
		r.postponed[folder] = err
	}
	return true
}

// isPostponed reports whether anything waits for the next attempt.
func (e *Engine) isPostponed() bool {
	e.repeat.mu.Lock()
	defer e.repeat.mu.Unlock()
	return len(e.repeat.postponed) > 0
}

// leave notes which folders of a plan the next attempt has to look into: those
// that failed, and where an attempt was broken off, all that are not done.
func (e *Engine) leave(plan *Plan, broken bool) {
	e.repeat.todo = map[string]struct{}{}
	for name := range e.repeat.postponed {
		e.repeat.todo[name] = struct{}{}
	}
	for _, fp := range plan.Folders {
		dropped := fp.left && len(fp.Steps) == 0 // by a script
		if broken && !fp.finished && !dropped {
			e.repeat.todo[fp.Name] = struct{}{}
		}
	}
}

// leftOut reports whether an attempt does not look into a folder.
func (e *Engine) leftOut(folder string) bool {
	_, wanted := e.repeat.todo[folder]
	return e.repeat.todo != nil && !wanted
}

// giveUp reports what was postponed, when there is no other attempt after all.
func (e *Engine) giveUp() {
	for _, folder := range slices.Sorted(maps.Keys(e.repeat.postponed)) {
		e.tellFailure(folder, e.repeat.postponed[folder])
	}
	e.repeat.postponed = nil
}

// wait waits before attempt n+1 and tells so. It returns false when the run is to
// end instead.
func (e *Engine) wait(ctx context.Context, n int, folder string, err error) bool {
	pause := e.Pause << min(n-1, 10)
	pause = pause/2 + rand.N(pause/2+1)
	pause = min(max(pause, fault.AfterOf(err)), maxPause)
	if folder == "" {
		folder = asFault(err).Folder
	}
	e.Log.Info("trying again", "folder", folder, "in", pause, "error", err)
	if pause >= firstPause/2 {
		e.Emit("told", wire.Map{"folder": folder, "text": err.Error() + "; trying again in " + pause.Round(100*time.Millisecond).String()})
	}
	span := e.Timing.Begin(timeWait)
	defer span.End()
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-e.Draining:
	}
	return false
}

// reload forgets what an attempt knew, for the next one: what is recorded counts.
func (e *Engine) reload(ctx context.Context) error {
	folders, err := e.State.Folders(ctx)
	if err != nil {
		return err
	}
	e.known = make(map[string]state.Folder, len(folders))
	for _, f := range folders {
		e.known[f.Far] = f
	}
	// The mark of this run is on both sides, and the doubt in the records.
	e.doubt, e.doubted = "", NoSide
	e.repeat.postponed, e.repeat.applying = nil, false
	return nil
}
