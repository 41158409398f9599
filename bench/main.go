//go:build linux

// Bench measures what syncing mail costs: imapfw beside mbsync and OfflineIMAP, on the
// same machine, the same mail and the same server, a throwaway Dovecot. Every result
// is verified before its time counts.
//
//	go run ./bench [flags] WORKDIR
//
// docs/performance.md tells how to read what it prints.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == launchMode {
		if err := launch(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run := func() error { return execute(ctx, os.Args[1:], os.Stdout, os.Stderr) }
	if len(os.Args) > 1 && os.Args[1] == askMode {
		run = func() error { return ask(ctx, os.Args[2:], os.Stdout) }
	}
	err := run()
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	work      string
	rows      string
	elsewhere bool
	tools     string
	pairs     int
	slowRuns  int
	small     bool
	list      bool
	image     string
	json      string
	imapfw    string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.rows, "rows", "", "run only the rows whose names match this `regexp`")
	f.BoolVar(&o.elsewhere, "conditions", false, "run the same deeds with TLS, other storages and other round trips, not the main rows")
	f.StringVar(&o.tools, "tools", "", "run only these tools, a `list` with commas; imapfw always takes part")
	f.IntVar(&o.pairs, "pairs", 5, "runs of each tool in each row")
	f.IntVar(&o.slowRuns, "offlineimap-runs", 1, "runs of OfflineIMAP in each row; 0 leaves it out")
	f.BoolVar(&o.small, "small", false, "little mail, one run each: check results, not times")
	f.BoolVar(&o.list, "list", false, "list the rows and end")
	f.StringVar(&o.image, "image", "", "work on a journaled ext4 of this `size`, as in 12G, mounted from a file (root only)")
	f.StringVar(&o.json, "json", "", "append each run as a line of JSON to this `file`")
	f.StringVar(&o.imapfw, "imapfw", "", "measure this `program` instead of building imapfw from the module")
	f.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: go run ./bench [flags] WORKDIR")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() == 1:
		o.work = f.Arg(0)
	case !o.list:
		return o, errors.New("name a folder to work in, on the disk that is to be measured")
	}
	return o, nil
}

// execute runs the rows that were asked for. It fails when a result is wrong, not
// when a goal is missed.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.list {
		for _, r := range allRows() {
			_, _ = fmt.Fprintf(stdout, "%-32s %s\n", r.Name, r.about())
		}
		return nil
	}
	rows := allRows()
	if o.elsewhere || o.rows == "" && !o.small {
		rows = ofSet(rows, o.elsewhere)
	}
	if rows, err = choose(rows, o.rows); err != nil {
		return err
	}
	if o.small {
		rows = small(rows)
	}
	dir, err := makeDir(o.work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.image != "" {
		i, err2 := mountImage(ctx, dir, o.image)
		if err2 != nil {
			return err2
		}
		defer func() { err = errors.Join(err, i.close()) }()
	} else if d := doubts(dir); d != "" && !o.small {
		_, _ = fmt.Fprintf(stderr, "bench: mind that %s\n", d)
	}
	b := &bench{dir: dir, pairs: o.pairs, slowRuns: o.slowRuns, small: o.small, report: stdout, log: stderr}
	if o.json != "" {
		file, err2 := os.OpenFile(o.json, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err2 != nil {
			return err2
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		b.lines = json.NewEncoder(file)
	}
	if b.tools, err = findTools(ctx, o, dir, rows, stdout, stderr); err != nil {
		return err
	}
	results, err := b.all(ctx, rows)
	if len(results) > 0 {
		summary(stdout, results, b.tools)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	wrong := 0
	for _, r := range results {
		for _, t := range b.tools {
			wrong += len(r.wrong(t.Name))
		}
	}
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d wrong results", wrong)
	}
	return err
}

// findTools returns the tools that take part, and prints their versions. A peer that
// is not installed is left out; imapfw is built from the module.
func findTools(ctx context.Context, o options, dir string, rows []row, stdout, stderr io.Writer) ([]*tool, error) {
	if o.imapfw == "" {
		o.imapfw = filepath.Join(dir, "imapfw")
		cmd := exec.CommandContext(ctx, "go", "build", "-o", o.imapfw, "github.com/imapfw/imapfw/cmd/imapfw")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as README.md has it: it starts a millisecond sooner
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build imapfw: %w\n%s", err, out)
		}
	}
	var wanted []string
	if o.tools != "" {
		wanted = strings.Split(o.tools, ",")
	}
	var out []*tool
	known := []string{}
	limit, err := serverAlone()
	if err != nil {
		return nil, err
	}
	for _, t := range []*tool{imapfw(o.imapfw), limit, mbsync("mbsync"), mbsync("mbsync-tuned"), mbsync("mbsync-nosync"), offlineimap()} {
		known = append(known, t.Name)
		asked := t.Name == "imapfw" || (wanted == nil || slices.Contains(wanted, t.Name)) && (!t.Slow || o.slowRuns > 0)
		used := t.Name == "imapfw" || slices.ContainsFunc(rows, func(r row) bool { return slices.Contains(r.Peers, t.Name) })
		if !asked || !used {
			continue
		}
		version, err := t.find(ctx)
		switch {
		case err == nil:
			_, _ = fmt.Fprintf(stdout, "- %s: %s\n", t.Title, version)
			out = append(out, t)
		case t.Name == "imapfw":
			return nil, err
		default:
			_, _ = fmt.Fprintf(stderr, "bench: no column for %s: %v\n", t.Title, err)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("-tools: there is no %q, only %s", name, strings.Join(known, ", "))
		}
	}
	_, _ = fmt.Fprintln(stdout)
	return out, nil
}
