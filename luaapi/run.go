package luaapi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/scripts"
)

// closeTime is how long the workers may take to end after a run.
const closeTime = 30 * time.Second

// RunOptions say what to run, and how.
type RunOptions struct {
	// App is the path of the app: a file, or a folder with init.lua, in AppFS;
	// a nil AppFS is the machine's file system.
	App   string
	AppFS fs.FS
	// User is the user's folder of scripts, "" for none; Embedded are the
	// shipped scripts, nil for scripts.FS.
	User     string
	Embedded fs.FS
	// Grants holds the powers given to contrib scripts, by their name; nil
	// gives those in the user's folder what their manifests ask for.
	Grants map[string][]string

	// Args are for the app: ctx:args().
	Args []string
	// Accounts selects accounts and groups by name; none means all.
	Accounts []string
	// Folders are the only folders to look into, by the name in Accounts that
	// they were given with; an account without any is looked into as a whole.
	Folders map[string][]string
	// DryRun plans, and writes nothing.
	DryRun bool
	// Job is what the engines do, and JobArgs what that needs; a sync by default.
	// engine.JobApply needs "plans": the documents by account.
	Job     engine.Job
	JobArgs wire.Map
	// Once is what the command line says about this one run.
	Once engine.Once
	// Strict makes every worker's values cross their channels encoded.
	Strict bool

	// Log gets what the host and the scripts have to say; nil is silence.
	Log *slog.Logger
	// Print gets the lines that scripts print; nil logs them.
	Print func(line string)
	// OnEvent is told news of workers, one at a time: "plan", "progress",
	// "told", "report". It must not block for long.
	OnEvent func(worker.Event)
	// Timing records where the time goes outside of the workers, which then tell
	// where theirs goes, with the event endpoint.EventTiming. nil records nothing.
	Timing *timing.Recorder
	// Interrupts is received from for each signal: the first one lets the
	// batch in flight end, the second one stops everything, the third kills.
	Interrupts <-chan os.Signal
	// Command is the argument vector that makes a child process of this binary
	// call worker.ServeChild with ChildRegistry. Empty: no process backend.
	Command []string
	// Memories are the stores that api.memory finds by name, beside those it
	// makes itself. For tests and demonstrations.
	Memories map[string]*memory.Store
}

// Result is how a run ended.
type Result struct {
	ExitCode int
	// Err is why the run was stopped, or the first failure of a part of it; nil
	// when everything was done.
	Err error
	// Failures are all the failures, in order: of workers, of accounts that
	// could not start.
	Failures []error
	// Reports are those of the engines, by worker.
	Reports map[string]wire.Map
	// Interrupted reports that the user asked for the end.
	Interrupted bool
}

// Load reads an app and everything it requires, and evaluates its top level
// once. The error tells every mistake that was found.
func Load(ctx context.Context, opt RunOptions) (*script.Bundle, error) {
	if opt.Embedded == nil {
		opt.Embedded = scripts.FS
	}
	if opt.Grants == nil {
		opt.Grants = grantsOf(opt.User)
	}
	return script.Load(ctx, script.Config{
		App: opt.App, AppFS: opt.AppFS, User: opt.User, Embedded: opt.Embedded, Modules: Modules(), Grants: opt.Grants,
		State: script.Options{Worker: mainWorker, Log: opt.logger(), Print: opt.Print},
	})
}

// mainWorker is the name of the worker that runs main.
const mainWorker = "main"

func (o RunOptions) logger() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

// Run runs an app: its main function, or the shipped app "sync" over its
// accounts. The error tells that it could not be begun; everything later is in
// the Result. Its exit code is set in any case.
func Run(ctx context.Context, opt RunOptions) (Result, error) {
	opt.DryRun = opt.DryRun || opt.Job == engine.JobPlan
	var bundle *script.Bundle
	err := opt.Timing.Do(timing.Load, func() (err error) {
		bundle, err = Load(ctx, opt)
		return err
	})
	if err != nil {
		return Result{ExitCode: ExitCode(err), Err: err}, err
	}
	sinks := &logSinks{base: opt.logger().Handler()}
	log := slog.New(sinks.handler())
	services := newServices(bundle, opt.DryRun, opt.Timing != nil, &memories{stores: opt.Memories}, sinks)

	p := newProgram(opt)
	state, err := bundle.NewState(ctx, script.Options{Worker: mainWorker, Phase: script.Main, Log: log, Print: opt.Print, Host: p})
	if err != nil {
		return Result{ExitCode: ExitCode(err), Err: err}, err
	}
	defer state.Close()
	p.state = state
	main, err := p.prepare(ctx)
	if err != nil {
		return Result{ExitCode: ExitCode(err), Err: err}, err
	}
	host := worker.NewHost(worker.Options{
		Registry: services.registry(), Setup: services.setup(), Log: log, Strict: opt.Strict,
		Command: opt.Command, OnEvent: p.reports.event,
	})
	p.master = topology.New(topology.Options{Host: host, Log: log, Decide: p.decide})
	return p.run(ctx, host, main), nil
}

// prepare finds out what the app is, and returns its main function.
func (p *program) prepare(ctx context.Context) (main *script.Func, err error) {
	err = p.state.Do(ctx, func(L *lua.LState) error {
		app, err := appOf(p.state)
		if err != nil {
			return err
		}
		p.jobs = int(max(number(app.def.Options, "jobs"), 1))
		if app.accounts != nil && app.def.Options["jobs"] == nil {
			p.jobs = defaultJobs
		}
		p.onExit, _ = app.def.Options["on_exit"].(*script.Func)
		if p.accounts, err = app.selected(p, p.opt.Accounts); err != nil {
			return err
		}
		main, err = app.main(L, p.state)
		return err
	})
	return main, err
}

// run calls main and ends everything after it.
func (p *program) run(ctx context.Context, host *worker.Host, main *script.Func) Result {
	var interrupts worker.Group
	finished := make(chan struct{})
	interrupts.Go("hear interrupts", func() error {
		for {
			select {
			case _, ok := <-p.opt.Interrupts:
				if !ok {
					return nil
				}
				p.master.Interrupt()
			case <-finished:
				return nil
			}
		}
	})
	stop := context.AfterFunc(ctx, p.master.Kill)
	code, mainErr := p.callMain(main)
	close(p.over)

	// What main left running is waited for, unless main failed or said how the
	// run ended.
	if mainErr != nil || code != nil {
		_ = p.master.Stop(p.master.Linger(), mainErr)
	}
	outcome, err := p.wait(ctx)
	stop()
	span := p.opt.Timing.Begin(timing.Stop)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	closeErr := errors.Join(p.master.Close(closing), host.Close(closing), p.tasks.Wait())
	close(finished)
	span.End()
	_ = interrupts.Wait()

	result := Result{Err: outcome.Err, Interrupted: outcome.Interrupted, Reports: p.reports.all()}
	if result.Err == nil {
		result.Err = errors.Join(err, mainErr)
	}
	for _, exit := range outcome.Failed {
		result.Failures = append(result.Failures, inAccount(exit.Err, p.accountOfWorker(exit.Worker)))
	}
	result.Failures = append(result.Failures, p.failed...)
	result.ExitCode = p.exitCode(outcome)
	switch {
	case mainErr != nil:
		result.ExitCode = JoinExitCodes(result.ExitCode, ExitCode(mainErr))
	case code != nil:
		result.ExitCode = *code
	}
	if closeErr != nil {
		p.state.Log().Warn("not everything ended as it should", "error", closeErr)
	}
	if result.Err == nil && len(result.Failures) > 0 {
		result.Err = result.Failures[0]
	}
	return result
}

// callMain runs the main function and returns the exit code it gave, if any.
func (p *program) callMain(main *script.Func) (*int, error) {
	var code *int
	err := p.state.Do(p.master.Linger(), func(L *lua.LState) error {
		results, err := main.Call(L, 1, script.New(L, p))
		if err != nil {
			return err
		}
		switch v := results[0].(type) {
		case *lua.LNilType:
		case lua.LNumber:
			if v < 0 || v > 255 || v != lua.LNumber(int(v)) {
				return fault.New(fault.Script, "main", "it returned %v, which is no exit code", v)
			}
			n := int(v)
			code = &n
		default:
			return fault.New(fault.Script, "main", "it returned a %s, no exit code", v.Type())
		}
		return nil
	})
	return code, err
}
