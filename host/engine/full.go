package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A disk that fills up ends what is written there and nothing else: what had room
// is recorded, the other side gets what it is to get, and then the run ends with
// the error. Where the state has no room left, the run ends at once.

// full notes which sides have no room left.
type full struct {
	mu    sync.Mutex
	sides [state.Near + 1]error
}

func (f *full) is(side state.Side) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sides[side] != nil
}

// err is what the run ends with.
func (f *full) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.sides {
		if err != nil {
			return err
		}
	}
	return nil
}

// fills notes that a side has no room left, if that is what an error says.
func (e *Engine) fills(side state.Side, err error) bool {
	if fault.CodeOf(err) != fault.DiskFull || e.recorder.failed() {
		return false
	}
	e.full.mu.Lock()
	defer e.full.mu.Unlock()
	if e.full.sides[side] == nil {
		e.full.sides[side] = err
	}
	return true
}

// fewRefused is how many messages may find no room in a mailbox before the rest is
// not tried: they would all be sent to be refused. A batch of fewer is one of
// large messages, and a small one may still fit.
const fewRefused = 3

// overQuota returns the error for a batch of which nothing found room; nil where
// that is not so.
func overQuota(placed []mail.Placed) *fault.Error {
	if len(placed) < fewRefused {
		return nil
	}
	for _, p := range placed {
		if fault.CodeOf(p.Err) != fault.Quota || p.Err == nil {
			return nil
		}
	}
	full := *asFault(placed[0].Err)
	full.Key, full.Err = "", placed[0].Err
	full.Message = "nothing more finds room there, and the rest is not tried"
	var first *fault.Error
	if errors.As(placed[0].Err, &first) && first.Err != nil {
		full.Err = first.Err
	}
	return &full
}

// recorder is the state, and notes when it cannot record any more.
type recorder struct {
	state.Store
	mu     sync.Mutex
	broken bool
}

func (r *recorder) note(err error) error {
	if fault.CodeOf(err) == fault.DiskFull && err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.broken = true
	}
	return err
}

func (r *recorder) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

func (r *recorder) Commit(ctx context.Context, folder string, c *state.Change) error {
	return r.note(r.Store.Commit(ctx, folder, c))
}

func (r *recorder) SetInfo(ctx context.Context, info state.Info) error {
	return r.note(r.Store.SetInfo(ctx, info))
}
