package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/luaapi"
)

// run runs the command and returns its exit code.
func (g *global) run() int {
	root := g.rootCommand()
	root.SetArgs(g.appAsCommand(root, g.args))
	root.SetIn(g.stdin)
	root.SetOut(g.stdout)
	root.SetErr(g.stderr)
	err := root.Execute()
	if written, profileErr := g.profile.end(); profileErr != nil {
		g.complain(profileErr)
		err = cmp.Or(err, error(exitCode(luaapi.ExitFailed)))
	} else if written != "" {
		fmt.Fprintln(g.stderr, written)
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if err != nil {
		g.complain(err)
		return luaapi.ExitCode(err)
	}
	return luaapi.ExitDone
}

// exitCode ends the command with a code when everything was said already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func (g *global) complain(err error) { complain(g.stderr, err) }

// complain prints an error and, for a mistake in a script, the lines it is on.
func complain(w io.Writer, err error) { complainOf(w, "", err) }

// complainOf says which account an error is about.
func complainOf(w io.Writer, account string, err error) {
	if account != "" {
		account += ": "
	}
	fmt.Fprintf(w, "imapfw: %s%v\n", account, err)
	if detail := script.Detail(err); detail != "" {
		fmt.Fprintln(w, strings.TrimRight(detail, "\n"))
	}
}

func (g *global) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "imapfw",
		Short: "Keep mail in step between IMAP servers and Maildirs",
		Long: "imapfw keeps mail in step between IMAP servers and Maildirs, driven by Lua.\n\n" +
			"A name that is no command is an app: it is looked up among the user's apps, then among the shipped ones.",
		Example:       "  imapfw demo\n  imapfw sync\n  imapfw sync --dry-run work.lua",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().BoolP("quiet", "q", false, "print failures only")
	root.PersistentFlags().CountP("verbose", "v", "log what is done; twice for every detail")
	root.MarkFlagsMutuallyExclusive("quiet", "verbose")
	g.profile.flags(root)
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return g.profile.begin() }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(g.demoCommand(), g.syncCommand(), g.planCommand(), g.applyCommand(), g.runCommand(), g.undoCommand(), g.stateCommand(), g.logCommand(), g.explainCommand(), g.checkCommand(), g.newCommand(),
		g.graphCommand(), g.versionCommand(), g.workerCommand())
	root.SetHelpCommand(g.helpCommand())
	for _, c := range root.Commands() {
		if c.Args != nil {
			check := c.Args
			c.Args = func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
		}
	}
	return root
}

// usage marks a mistake in how the command was called.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Config, "", err)
}

// appAsCommand turns the name of an app in the place of a command into a run of
// that app. What looks like a misspelt command is left for the suggestion.
func (g *global) appAsCommand(root *cobra.Command, args []string) []string {
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") {
		name, isLong := strings.CutPrefix(args[i], "--")
		if flag := root.PersistentFlags().Lookup(name); isLong && flag != nil && flag.NoOptDefVal == "" {
			i++ // its value
		}
		i++
	}
	if i >= len(args) || args[i] == "" {
		return args
	}
	if found, _, err := root.Find(args[i:]); err == nil && found != root {
		return args
	}
	if slices.Contains([]string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, args[i]) {
		return args
	}
	if _, err := g.findApp(args[i]); err != nil || isPath(args[i]) {
		return args
	}
	return slices.Insert(slices.Clone(args), i, "run")
}

// logger logs to w what -v asks for; without it, only warnings.
func logger(w io.Writer, quiet bool, verbose int) *slog.Logger {
	level := slog.LevelWarn
	switch {
	case quiet:
		level = slog.LevelError
	case verbose == 1:
		level = slog.LevelInfo
	case verbose > 1:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && verbose == 0 {
			return slog.Attr{}
		}
		return a
	}}))
}
