// Package engine keeps two stores in step. Planning is pure: what the state
// knows and what changed on both sides goes in, a Plan comes out (Diff).
// Applying is all the rest, in an order that survives being killed at any
// point: content is durable on the target before the state records the pair,
// and what the state does not record yet was announced there as an intent; only
// then is anything removed.
package engine

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/wire"
)

// Config is what an engine works with. The stores are open, and are not closed
// by the engine.
type Config struct {
	Name      string
	Far, Near driver.Store
	State     state.Store
	Policy    Policy
	// Scope identifies whatever else decides which messages the stores show
	// (filters, renames). When it changes, folders are read in full once.
	Scope string
	Hooks Hooks
	// Keep says what is kept near.
	Keep Keep
	// Job is what is to be done, and Args what the job needs, as plain data.
	Job  Job
	Args wire.Map
	// Once is what the command line says about this one run.
	Once Once
	// FarNames returns the far names that a near one may stand for; nil: the
	// same. It helps to understand what the command line says.
	FarNames func(near string) []string
	// Spool keeps what is removed for good, for undo. nil keeps nothing.
	Spool Spool
	// Convert copies the far side into a near side that must be empty at first.
	Convert bool
	// DryRun plans, tells the plan, and writes nothing.
	DryRun bool
	// Lanes is the number of folders worked on at once; 1 when zero.
	Lanes int
	// Settle is how long a folder must stand still before the engine believes
	// that no delivery of a run that was killed is still under way at the
	// server. 700 ms when zero.
	Settle time.Duration
	// Attempts is how often a run tries in all where something fails for a
	// reason that may pass; DefaultAttempts when zero.
	Attempts int
	// Pause is waited before the second attempt, and doubled for each further
	// one; a second when zero.
	Pause time.Duration
	// Draining is closed when no new batch may be begun; those begun are
	// committed. nil never is.
	Draining <-chan struct{}
	// Timing records where the time goes; nil records nothing.
	Timing *timing.Recorder
	Log    *slog.Logger
	// Emit tells news: "plan", "progress", "told", "report". nil tells nobody.
	Emit func(name string, data wire.Value)
}

// Engine is one sync between two stores. It is used for one Run.
type Engine struct {
	Config
	report     *Report
	info       state.Info
	known      map[string]state.Folder
	doubt      string                 // why no folder's keys can be trusted; empty normally
	doubted    Sides                  // the sides that the doubt is about
	begun      bool                   // the sides carry the mark of this run, and it changes something
	marked     bool                   // they carry it, whatever becomes of the run
	stamps     [state.Near + 1]string // the marks of the sides, as this run saw or wrote them
	stamping   [state.Near + 1]string // what it tried to write last
	news       *news                  // of the plan that is being made
	prefetches *prefetches            // for that plan
	run        int64                  // its number in the journal; 0 until it changes something
	roomy      func() error           // waits until there is room in the spool
	kind       string                 // what the journal calls it, where that is more than its job
	asking     sync.Mutex             // held while a hook runs that lanes share
	apart      apart                  // flags that turned out not to be kept
	counter    progress

	repeat   repeating
	full     full
	recorder *recorder // State, as it is in Config

	refusing atomic.Bool // a message was set aside in this run
	alike    sameFailures

	spared Sides                                   // sides that no run of this account may write
	listed [state.Near + 1]map[string]*mail.Folder // what each side listed

	decided decided
	doc     *PlanDocument // that is applied

	farNames, nearNames *aliased
	unrenamable         map[string]bool // folders that a side turned out not to rename
	along               []string        // folders that a renaming takes along, to be looked into after it
	apartNames          map[string]bool // folders that were renamed to different names
	fewRows             int             // the constant, but in tests
	largestBatch        int             // messages; the constant, but in tests
	replanned           bool            // this is not the first plan of an attempt
	replan              bool            // there is more to do that the plan could not know of
}

// New returns an engine. It does no I/O.
func New(cfg Config) *Engine {
	if cfg.Lanes <= 0 {
		cfg.Lanes = 1
	}
	if cfg.Settle == 0 {
		cfg.Settle = 700 * time.Millisecond
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = DefaultAttempts
	}
	if cfg.Pause == 0 {
		cfg.Pause = firstPause
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Emit == nil {
		cfg.Emit = func(string, wire.Value) {}
	}
	cfg = cfg.timed()
	kept := &recorder{Store: cfg.State}
	cfg.State = kept
	e := &Engine{Config: cfg, recorder: kept, fewRows: fewRows, largestBatch: largestMessages, report: &Report{Engine: cfg.Name, DryRun: cfg.DryRun}}
	e.counter.emit = cfg.Emit
	e.farNames, e.nearNames = &aliased{Store: cfg.Far}, &aliased{Store: cfg.Near}
	e.Far, e.Near = e.farNames, e.nearNames
	if cfg.Keep.Messages != nil {
		e.Far = e.keeper()
	}
	return e
}

// Run brings the two sides in step, once. The error is what stopped the run;
// failures of single folders and messages are in the report, whose Err tells
// about them.
func (e *Engine) Run(ctx context.Context) (*Report, error) {
	err := e.once(ctx)
	e.endRun(ctx, err)
	if e.Hooks.OnDone != nil {
		if hookErr := e.Hooks.OnDone(ctx, e.report); err == nil {
			err = hookErr
		}
	}
	e.Emit("report", e.report.Value())
	return e.report, err
}

func (e *Engine) once(ctx context.Context) error {
	if e.Hooks.OnStart != nil {
		if err := e.Hooks.OnStart(ctx); err != nil {
			return err
		}
	}
	if e.Convert {
		// A conversion only adds: the first side is never written, and what is
		// changed on the second side afterwards is left alone.
		e.Policy.Pull, e.Policy.Push, e.Policy.Expunge = OpNew|OpFlags, OpsNone, NoSide
	}
	if err := e.takeDocument(); err != nil {
		return err
	}
	e.DryRun = e.DryRun || e.Job == JobPlan
	e.spared = e.Policy.mirrored().spared()
	e.Policy = e.Once.narrow(e.Policy).mirrored().sparing()
	if err := e.Timing.Do(timeRecall, func() error { return e.recall(ctx) }); err != nil {
		return err
	}
	return e.work(ctx)
}

// sync brings both sides in step, and tells what is left out of it.
func (e *Engine) sync(ctx context.Context) error {
	err := e.attempts(ctx)
	if untold := e.nameRefused(ctx); err == nil {
		err = untold
	}
	e.tellUntold()
	return err
}

// attempt plans, tells the plan, and applies it.
func (e *Engine) attempt(ctx context.Context) error {
	plan, err := e.Plan(ctx)
	if err != nil {
		return err
	}
	if e.doc != nil {
		if err := e.narrowTo(e.doc, plan); err != nil {
			return err
		}
	}
	alarm, err := e.guardPlan(ctx, plan)
	if err != nil {
		return err
	}
	if e.repeat.n <= 1 && !e.replanned {
		e.Emit("plan", plan.Value())
	}
	if e.Job == JobPlan {
		if err := e.tellDocument(plan); err != nil {
			return err
		}
	}
	if alarm != nil {
		return e.raise(ctx, plan, alarm)
	}
	if !e.DryRun {
		defer e.tellApart()
		e.lookTwice(plan)
		if err := e.apply(ctx, plan); err != nil {
			return err
		}
	}
	return e.tellAmbiguous(ctx, plan)
}

// Plan reads both sides and returns what is to be done, after the hooks had
// their say. recall must have been called.
func (e *Engine) Plan(ctx context.Context) (*Plan, error) {
	span := e.Timing.Begin(timePlan)
	defer span.End()
	defer e.markEarly(ctx)()
	defer e.prefetching()()
	pairs, renames, err := e.pairFolders(ctx)
	if err != nil {
		return nil, err
	}
	var removed []pair
	pairs = slices.DeleteFunc(pairs, func(p pair) bool {
		if p.removed != 0 {
			removed = append(removed, p)
		}
		return p.removed != 0
	})
	plans := make([]*FolderPlan, len(pairs))
	err = e.eachLane(ctx, len(pairs), func(ctx context.Context, i int) error {
		fp, err := e.planAgain(ctx, pairs[i])
		plans[i] = fp
		return err
	})
	if err != nil {
		return nil, err
	}
	plan := &Plan{renames: renames}
	for _, fp := range plans {
		if fp != nil {
			plan.Folders = append(plan.Folders, fp)
		}
	}
	if err := e.planRemoved(ctx, removed, plan); err != nil {
		return nil, err
	}
	e.report.Folders = max(e.report.Folders, len(plan.Folders))
	if err := e.joinMoves(ctx, plan); err != nil {
		return nil, err
	}
	e.leaveMoved(plan)
	if err := e.trashes(ctx, plan); err != nil {
		return nil, err
	}
	if err := e.holdBack(ctx, plan); err != nil {
		return nil, err
	}
	e.finishRemoved(plan, removed)
	plan.forget = e.forgotten(plan)
	e.tellConflicts(plan)
	if err := e.askMessages(ctx, plan); err != nil {
		return nil, err
	}
	plan.number()
	if e.Hooks.OnPlan != nil {
		if err := e.Hooks.OnPlan(ctx, plan); err != nil {
			return nil, err
		}
		for _, fp := range plan.Folders {
			for _, text := range fp.notes {
				e.told(fp.Name, "%s", text)
			}
		}
	}
	return plan, nil
}

// eachLane calls fn for 0..n-1, a few at once, and returns the first error.
func (e *Engine) eachLane(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.Lanes)
	for i := range n {
		guarded(group, "work on a folder", func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return fn(ctx, i)
		})
	}
	return group.Wait()
}

// planAttempts is how often a folder is read in one run, where a script wants it
// tried again.
const planAttempts = 3

// planAgain plans one folder, and tries again what may pass, or what a script
// wants tried again. Reading changes nothing, so it may be repeated.
func (e *Engine) planAgain(ctx context.Context, p pair) (*FolderPlan, error) {
	for n := 1; ; n++ {
		fp, err := e.planFolder(ctx, p)
		if err == nil {
			return fp, nil
		}
		again, failed := e.failed(ctx, p.name, err, n < planAttempts)
		if !again {
			return nil, failed
		}
		if passes(err) && !e.wait(ctx, n, p.name, err) {
			return nil, cmp.Or(context.Cause(ctx), error(errDrained()))
		}
	}
}

// folderFailed decides what the failure of one folder means: nil to go on with
// the others, an error to stop the run.
func (e *Engine) folderFailed(ctx context.Context, folder string, err error) error {
	if err == nil {
		return nil
	}
	_, err = e.failed(ctx, folder, err, false)
	return err
}

// failed is folderFailed for something that can be tried again in this run. A
// failure that is tried again is not reported.
func (e *Engine) failed(ctx context.Context, folder string, err error, repeatable bool) (again bool, _ error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if stopsRun(err) {
		return false, err
	}
	if e.Hooks.OnError != nil {
		e.asking.Lock()
		decision, hookErr := e.Hooks.OnError(ctx, err)
		e.asking.Unlock()
		switch {
		case hookErr != nil:
			return false, hookErr
		case decision == Abort:
			return false, err
		case decision == Retry && repeatable:
			return true, nil
		case decision == Skip:
			e.tellFailure(folder, err)
			return false, nil
		}
	}
	if repeatable && passes(err) {
		return true, nil
	}
	if !e.postpone(folder, err) {
		e.tellFailure(folder, err)
	}
	return false, nil
}

// stopsRun reports whether an error is about more than the folder or message it
// happened in.
func stopsRun(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Auth, fault.Network, fault.TLS, fault.DiskFull, fault.Stopped, fault.Crashed, fault.SelfCall,
		fault.Guard, fault.Config, fault.Internal:
		return true
	}
	return false
}

func inFolder(err error, folder string) error {
	f := *asFault(err)
	return f.InFolder(folder)
}

// told notes something the user should know that is no failure.
func (e *Engine) told(folder, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if e.report.note(folder, text) {
		e.Emit("told", wire.Map{"folder": folder, "text": text})
	}
}

func (e *Engine) store(side state.Side) driver.Store {
	if side == state.Far {
		return e.Far
	}
	return e.Near
}

// draining reports whether no new batch may be begun.
func (e *Engine) draining() bool {
	select {
	case <-e.Draining:
		return true
	default:
		return false
	}
}

// errDrained ends a run that was asked to stop.
func errDrained() error {
	return fault.New(fault.Stopped, "sync", "interrupted; the next run goes on from here")
}

// refOf points at a folder as it was read.
func refOf(name string, res mail.Result) mail.Ref { return mail.Ref{Name: name, Epoch: res.Epoch} }
