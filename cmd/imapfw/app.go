package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/luaapi"
)

// appRun is one run of an app.
type appRun struct {
	app      app
	args     []string
	accounts []string
	folders  map[string][]string // see selection
	typed    string              // how the user named the app; "" where it is the default one
	next     *commandLine        // what to call next, where that is another command
	dryRun   bool
	json     bool
	timing   bool
	once     engine.Once
	job      engine.Job
	jobArgs  wire.Map
	// saved gets the plans that the engines told as documents; silent leaves it to
	// saved to print.
	saved  func([]engine.PlanDocument) error
	silent bool
}

// options says how apps are run by this command.
func (g *global) options(cmd *cobra.Command, a app, show *reporter) luaapi.RunOptions {
	quiet, _ := cmd.Flags().GetBool("quiet")
	verbose, _ := cmd.Flags().GetCount("verbose")
	return luaapi.RunOptions{
		App: a.path, AppFS: a.in, User: g.userFolder(),
		Log:        logger(show.err, quiet, verbose),
		Print:      func(line string) { fmt.Fprintln(show.out, line) },
		OnEvent:    show.event,
		Interrupts: g.signals,
		Command:    childCommand(),
	}
}

// runApp runs an app, shows what it does and how it ended.
func (g *global) runApp(cmd *cobra.Command, run appRun) error {
	quiet, _ := cmd.Flags().GetBool("quiet")
	show := newReporter(g, quiet || run.silent, run.json, run.dryRun)
	opt := g.options(cmd, run.app, show)
	if run.timing {
		show.timings = newTimings(g.started)
		opt.Timing = show.timings.command
	}
	opt.Args, opt.Accounts, opt.DryRun = run.args, run.accounts, run.dryRun
	opt.Folders, opt.Once = run.folders, run.once
	show.called = commandLine{command: cmd.Name(), file: run.typed}
	if run.next != nil {
		show.called = *run.next
	}
	opt.Job, opt.JobArgs = run.job, run.jobArgs
	result, err := luaapi.Run(context.Background(), opt)
	if err != nil {
		result.Err, result.ExitCode = err, luaapi.ExitCode(err)
	}
	if result.Interrupted && result.ExitCode != luaapi.ExitDone {
		result.ExitCode = luaapi.ExitInterrupted
	}
	if err := show.finish(result); err != nil {
		return err
	}
	if run.saved != nil {
		plans, err := show.documents.plans()
		if err == nil && len(plans) > 0 {
			err = run.saved(plans)
		}
		if err != nil {
			return err
		}
	}
	if result.ExitCode != luaapi.ExitDone {
		return exitCode(result.ExitCode)
	}
	return nil
}

// childCommand is how a worker's process is made of this binary. What it is to
// be comes to it over a pipe.
func childCommand() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{self, workerArg}
}
