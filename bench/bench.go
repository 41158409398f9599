//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// bench runs rows: for each, all its tools in turn.
type bench struct {
	dir      string // on the disk that is measured
	tools    []*tool
	pairs    int
	slowRuns int  // of tools that are slow
	small    bool // only results count: no waiting, no second look

	report io.Writer
	lines  *json.Encoder // of runs; nil for none
	log    io.Writer     // for what is going on

	servers  map[string]*dovecot.Server // by storage
	accounts map[string]*account        // of the fixture that is open
}

// all runs rows and returns what came out. Rows of one fixture follow each other.
func (b *bench) all(ctx context.Context, rows []row) (results []result, err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	for i, r := range rows {
		if i > 0 && rows[i-1].fixture() != r.fixture() {
			if err := b.leave(); err != nil {
				return results, err
			}
		}
		_, _ = fmt.Fprintf(b.log, "[%d/%d] %s\n", i+1, len(rows), r.Name)
		res, err := b.row(ctx, r, nil)
		if err == nil && !b.small && res.missed() {
			_, _ = fmt.Fprintf(b.log, "  missed: once more\n")
			first := res
			res, err = b.row(ctx, r, &first)
		}
		if err != nil {
			return results, fmt.Errorf("row %q: %w", r.Name, err)
		}
		results = append(results, res)
		res.print(b.report, b.tools)
	}
	return results, nil
}

// close stops the servers. What they keep is removed with b.dir.
func (b *bench) close() error {
	err := b.leave()
	for _, s := range b.servers {
		err = errors.Join(err, s.Close())
	}
	b.servers = nil
	return err
}

// leave removes the accounts of a fixture: disks are small.
func (b *bench) leave() (err error) {
	for _, a := range b.accounts {
		err = errors.Join(err, a.remove())
	}
	b.accounts = nil
	return err
}

// account returns the account of a tool for rows with a scenario.
func (b *bench) account(ctx context.Context, t *tool, r row) (*account, error) {
	name := t.Name
	if r.Scenario == "push" {
		name += "-push"
	}
	a := b.accounts[name]
	if a == nil {
		s, err := b.server(r.Storage)
		if err != nil {
			return nil, err
		}
		corpus, err := b.corpus(ctx, r.Corpus, s)
		if err != nil {
			return nil, err
		}
		a = newAccount(t, s, r.fixture(), corpus, filepath.Join(b.dir, "client"), name)
		if b.accounts == nil {
			b.accounts = map[string]*account{}
		}
		b.accounts[name] = a
	}
	if a.made > 0 || r.Scenario == "push" {
		return a, nil // a push begins with a new user
	}
	if err := a.newUser(); err != nil {
		return nil, err
	}
	return a, a.fill(ctx)
}

// ready lets the tool sync for the first time where a row begins with the result of
// that. A tool that cannot has the run that failed.
func (b *bench) ready(ctx context.Context, a *account, r row) (failed *run, err error) {
	if scenarios[r.Scenario].first || a.synced {
		return nil, nil
	}
	if err := a.clear(); err != nil {
		return nil, err
	}
	one, err := a.sync(ctx, r, way{}, true)
	if err != nil {
		return nil, err
	}
	if err := a.verify(ctx, &one); err != nil {
		return nil, err
	}
	if len(one.Problems) > 0 {
		a.synced = false
		return &one, nil
	}
	return nil, nil
}

// server returns the Dovecot with a format of storage.
func (b *bench) server(storage string) (*dovecot.Server, error) {
	if s := b.servers[storage]; s != nil {
		return s, nil
	}
	s, err := dovecot.Run(dovecot.Storage(storage), dovecot.Dir(filepath.Join(b.dir, storage)))
	if err != nil {
		return nil, err
	}
	if b.servers == nil {
		b.servers = map[string]*dovecot.Server{}
	}
	b.servers[storage] = s
	return s, nil
}

// corpus returns the folder where a corpus is, and writes it the first time. It is
// given to the owner of the mail, since accounts link to its files.
func (b *bench) corpus(ctx context.Context, c corpus, s *dovecot.Server) (string, error) {
	dir := filepath.Join(b.dir, "corpus", c.String())
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	_, _ = fmt.Fprintf(b.log, "  writing %s\n", c)
	if err := c.write(ctx, dir); err != nil {
		return "", fmt.Errorf("write the corpus %s: %w", c, err)
	}
	return dir, s.Give(dir)
}

// row runs a row: pair after pair, each tool once in each pair. The second time it
// keeps what hardly varies or takes long: what was counted, and the runs of slow tools.
func (b *bench) row(ctx context.Context, r row, before *result) (result, error) {
	res := result{row: r, runs: map[string][]run{}, counts: map[string]run{}, before: before}
	var accounts []*account
	for _, t := range b.tools {
		if t.Name != "imapfw" && !slices.Contains(r.Peers, t.Name) {
			continue
		}
		if before != nil && t.Slow {
			res.runs[t.Name] = before.runs[t.Name]
			continue
		}
		a, err := b.account(ctx, t, r)
		if err != nil {
			return res, fmt.Errorf("%s: %w", t.Name, err)
		}
		accounts = append(accounts, a)
	}
	pairs := b.pairs
	if r.Pairs > 0 {
		pairs = min(pairs, r.Pairs)
	}
	for pair := range pairs {
		todo := slices.DeleteFunc(slices.Clone(accounts), func(a *account) bool { return a.tool.Slow && pair >= b.slowRuns })
		runs, err := b.pair(ctx, r, todo, pair)
		if err != nil {
			return res, err
		}
		for name, one := range runs {
			res.runs[name] = append(res.runs[name], one)
		}
	}
	var err error
	switch {
	case before != nil:
		res.counts = before.counts
	case !b.small && r.RTT == 0:
		// What goes over the wire is counted apart: a proxy costs time. Where a run
		// takes long, its number of round trips does not matter.
		todo := slices.DeleteFunc(slices.Clone(accounts), func(a *account) bool {
			runs := res.runs[a.tool.Name]
			return len(runs) == 0 || median(runs, wall) > 30
		})
		res.counts, err = b.round(ctx, r, todo, pairs, true)
	}
	return res, err
}

// pair runs each account's tool once, and those again, twice at most, that were
// disturbed. Of several runs the one that was disturbed least counts.
func (b *bench) pair(ctx context.Context, r row, todo []*account, pair int) (map[string]run, error) {
	best := map[string]run{}
	for range 3 {
		runs, err := b.round(ctx, r, todo, pair, false)
		if err != nil {
			return nil, err
		}
		var again []*account
		for _, a := range todo {
			one, ok := runs[a.tool.Name]
			if before, had := best[a.tool.Name]; !had || one.Noise < before.Noise || len(one.Problems) > 0 {
				if len(before.Problems) == 0 {
					best[a.tool.Name] = one
				}
			}
			if ok && one.Noise >= noisy && len(one.Problems) == 0 && !b.small {
				again = append(again, a)
			}
		}
		if todo = again; len(todo) == 0 {
			break
		}
	}
	return best, nil
}

// round prepares all accounts, lets them settle, and runs the tools one after the
// other; then everything is verified.
func (b *bench) round(ctx context.Context, r row, accounts []*account, pair int, counted bool) (map[string]run, error) {
	changed, failed := map[*account]int{}, map[*account]*run{}
	for _, a := range accounts {
		var err error
		if failed[a], err = b.ready(ctx, a, r); err != nil {
			return nil, fmt.Errorf("%s: %w", a.tool.Name, err)
		}
		n, err := a.prepare(ctx, r.Scenario)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.tool.Name, err)
		}
		changed[a] = n
	}
	if !b.small {
		if err := wait(ctx, settle); err != nil {
			return nil, err
		}
	}
	runs := map[string]run{}
	for _, a := range accounts {
		if failed[a] != nil {
			runs[a.tool.Name] = *failed[a]
			continue
		}
		if !b.small {
			if err := quiet(ctx); err != nil {
				return nil, err
			}
		}
		one, err := a.sync(ctx, r, r.way(counted), false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.tool.Name, err)
		}
		one.Pair, one.Counted, one.Changed = pair+1, counted, changed[a]
		runs[a.tool.Name] = one
	}
	for _, a := range accounts {
		one := runs[a.tool.Name]
		if failed[a] == nil {
			if err := a.verify(ctx, &one); err != nil {
				return nil, fmt.Errorf("%s: %w", a.tool.Name, err)
			}
		}
		runs[a.tool.Name] = one
		_, _ = fmt.Fprintf(b.log, "  %-14s %8.3f s  noise %.2f\n", a.tool.Name, one.Wall, one.Noise)
		for _, p := range one.Problems {
			_, _ = fmt.Fprintf(b.log, "    %s\n", p)
		}
		if b.lines != nil {
			if err := b.lines.Encode(one); err != nil {
				return nil, fmt.Errorf("write -json: %w", err)
			}
		}
	}
	return runs, nil
}
