package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/worker"
)

// EventTiming is the event that tells what a worker has recorded, see
// timing.Figures.
const EventTiming = "timing"

// TellTiming returns a Store that tells, when it was closed or could not be
// opened, what its driver has recorded so far. What it told before does not count
// any more.
func TellTiming(env worker.Env, inner driver.Store, r *timing.Recorder) driver.Store {
	return &telling{inner, func() { env.Emit(EventTiming, r.Figures().Value()) }}
}

type telling struct {
	driver.Store
	tell func()
}

func (t *telling) Unwrap() driver.Store { return t.Store }

func (t *telling) Open(ctx context.Context) error {
	err := t.Store.Open(ctx)
	if err != nil { // nobody closes what did not open
		t.tell()
	}
	return err
}

func (t *telling) Close() error {
	err := t.Store.Close()
	t.tell()
	return err
}
