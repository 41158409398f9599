package engine

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/timing"
)

// What an engine records of itself. The requests to both sides are recorded by
// endpoint.Timed, those to the state below, those to scripts as "script: HOOK".
const (
	timeRecall  = "recall what is known"
	timePlan    = "plan"
	timeRenames = "rename folders"
	timeCopy    = "copy"
	timePull    = "copy: far to near"
	timePush    = "copy: near to far"
	timeMove    = "move"
	timeChange  = "change flags, remove"
	timeDrop    = "remove folders"
	timeMark    = "mark the run"
	timeWait    = "wait to try again"

	timeStateRead   = "state: read"
	timeStateCommit = "state: commit"
)

// timed has everything recorded that an engine waits for.
func (cfg Config) timed() Config {
	r := cfg.Timing
	if r == nil {
		return cfg
	}
	cfg.Far = endpoint.Timed(cfg.Far, r, state.Far.String())
	cfg.Near = endpoint.Timed(cfg.Near, r, state.Near.String())
	cfg.State = &timedState{cfg.State, r}
	cfg.Hooks = cfg.Hooks.timed(r)
	return cfg
}

func (s *Step) timeName() string {
	if s.Side == state.Near {
		return timePull
	}
	return timePush
}

// timedState records how long a state is waited for.
type timedState struct {
	state.Store
	r *timing.Recorder
}

func (s *timedState) Info(ctx context.Context) (info state.Info, err error) {
	err = s.r.Do(timeStateRead, func() (err error) { info, err = s.Store.Info(ctx); return err })
	return info, err
}

func (s *timedState) SetInfo(ctx context.Context, info state.Info) error {
	return s.r.Do(timeStateCommit, func() error { return s.Store.SetInfo(ctx, info) })
}

func (s *timedState) Folders(ctx context.Context) (folders []state.Folder, err error) {
	err = s.r.Do(timeStateRead, func() (err error) { folders, err = s.Store.Folders(ctx); return err })
	return folders, err
}

func (s *timedState) Load(ctx context.Context, folder string, by state.Side, fn func([]state.Row) error) error {
	return s.r.Do(timeStateRead, func() error { return s.Store.Load(ctx, folder, by, fn) })
}

func (s *timedState) Known(ctx context.Context, folder string, side state.Side, fn func([]state.Known) error) error {
	return s.r.Do(timeStateRead, func() error { return s.Store.Known(ctx, folder, side, fn) })
}

func (s *timedState) Find(ctx context.Context, folder string, wanted state.Wanted) (found state.Found, err error) {
	err = s.r.Do(timeStateRead, func() (err error) { found, err = s.Store.Find(ctx, folder, wanted); return err })
	return found, err
}

func (s *timedState) Intents(ctx context.Context, folder string) (intents []state.Intent, err error) {
	err = s.r.Do(timeStateRead, func() (err error) { intents, err = s.Store.Intents(ctx, folder); return err })
	return intents, err
}

func (s *timedState) Commit(ctx context.Context, folder string, c *state.Change) error {
	return s.r.Do(timeStateCommit, func() error { return s.Store.Commit(ctx, folder, c) })
}

func (s *timedState) BeginRun(ctx context.Context, kind string) (run int64, err error) {
	err = s.r.Do(timeStateCommit, func() (err error) { run, err = s.Store.BeginRun(ctx, kind); return err })
	return run, err
}

func (s *timedState) EndRun(ctx context.Context, run int64, outcome string) error {
	return s.r.Do(timeStateCommit, func() error { return s.Store.EndRun(ctx, run, outcome) })
}

func (s *timedState) Prune(ctx context.Context, before time.Time) error {
	return s.r.Do(timeStateCommit, func() error { return s.Store.Prune(ctx, before) })
}

// timed returns hooks that are recorded; what is not overridden stays so.
func (h Hooks) timed(r *timing.Recorder) Hooks {
	of := func(name string, do func() error) error { return r.Do("script: "+name, do) }
	if inner := h.OnStart; inner != nil {
		h.OnStart = func(ctx context.Context) error { return of("on_start", func() error { return inner(ctx) }) }
	}
	if inner := h.OnFolder; inner != nil {
		h.OnFolder = func(ctx context.Context, f FolderPair) (keep bool, reason string, err error) {
			err = of("on_folder", func() (err error) { keep, reason, err = inner(ctx, f); return err })
			return keep, reason, err
		}
	}
	if inner := h.OnPlan; inner != nil {
		h.OnPlan = func(ctx context.Context, p *Plan) error { return of("on_plan", func() error { return inner(ctx, p) }) }
	}
	if inner := h.OnGuard; inner != nil {
		h.OnGuard = func(ctx context.Context, p *Plan, a *Alarm) (goOn bool, reason string, err error) {
			err = of("on_guard", func() (err error) { goOn, reason, err = inner(ctx, p, a); return err })
			return goOn, reason, err
		}
	}
	if inner := h.OnMessage; inner != nil {
		h.OnMessage = func(ctx context.Context, b *Batch) error {
			return of("on_message", func() error { return inner(ctx, b) })
		}
	}
	if inner := h.OnConflict; inner != nil {
		h.OnConflict = func(ctx context.Context, c ConflictCase) (answer Conflict, err error) {
			err = of("on_conflict", func() (err error) { answer, err = inner(ctx, c); return err })
			return answer, err
		}
	}
	if inner := h.OnError; inner != nil {
		h.OnError = func(ctx context.Context, failure error) (d Decision, err error) {
			err = of("on_error", func() (err error) { d, err = inner(ctx, failure); return err })
			return d, err
		}
	}
	if inner := h.OnDone; inner != nil {
		h.OnDone = func(ctx context.Context, report *Report) error {
			return of("on_done", func() error { return inner(ctx, report) })
		}
	}
	return h
}
