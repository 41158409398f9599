package engine

import (
	"context"
	"errors"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/foreign"
	"github.com/imapfw/imapfw/host/wire"
)

// ImportArgs say what JobImport takes over.
type ImportArgs struct {
	// From is the tool: "mbsync" or "offlineimap".
	From string
	// Dirs are its folders of state. mbsync's state files within Maildir folders
	// are found without being told.
	Dirs []string
	// Account and Repository are OfflineIMAP's own names of the account and of
	// its remote repository; empty where there is only one.
	Account, Repository string
	// Force replaces what the state knows already.
	Force bool
	// Removals carries what was removed on one side since the tool's last run,
	// instead of leaving it to the next sync to copy it back.
	Removals bool
}

// Map returns the arguments as those of a job.
func (a ImportArgs) Map() wire.Map {
	return wire.Map{"from": a.From, "dirs": list(a.Dirs), "account": a.Account, "repository": a.Repository,
		"force": a.Force, "removals": a.Removals}
}

func importArgs(m wire.Map) (ImportArgs, error) {
	r := &params{m: m}
	a := ImportArgs{From: r.text("from"), Dirs: r.texts("dirs"), Account: r.text("account"), Repository: r.text("repository"),
		Force: r.bool("force"), Removals: r.bool("removals")}
	return a, r.bad
}

// source opens the memory of the tool.
func (a ImportArgs) source() (foreign.Source, error) {
	switch a.From {
	case "mbsync":
		return foreign.Mbsync(a.Dirs...)
	case "offlineimap":
		if len(a.Dirs) != 1 {
			return nil, fault.New(fault.Config, "import state", "OfflineIMAP has one metadata folder, not %d", len(a.Dirs))
		}
		return foreign.OfflineIMAP(a.Dirs[0], a.Account, a.Repository)
	}
	return nil, fault.New(fault.Config, "import state", "there is no importer for %q", a.From).WithHint(`there are "mbsync" and "offlineimap"`)
}

// importState takes over the pairs that another tool knows, after it has looked
// at both sides. Neither is changed, and nothing is taken on trust that can be
// looked at: what does not check out is left to be paired by content.
func (e *Engine) importState(ctx context.Context) error {
	args, err := importArgs(e.Args)
	if err != nil {
		return err
	}
	if err := e.mayImport(ctx, args.Force); err != nil {
		return err
	}
	source, err := args.source()
	if err != nil {
		return err
	}
	// What is known is about to be replaced: no folder is passed over for it.
	known := e.known
	e.known = nil
	pairs, _, err := e.pairFolders(ctx)
	e.known = known
	if err != nil {
		return err
	}
	found, err := e.findForeign(ctx, source, pairs)
	if err != nil {
		return err
	}
	if len(found) > 0 && !e.DryRun {
		if err := e.begin(ctx); err != nil {
			return err
		}
	}
	err = e.eachLane(ctx, len(found), func(ctx context.Context, i int) error {
		if e.draining() {
			return errDrained()
		}
		return e.folderFailed(ctx, found[i].p.name, e.importFolder(ctx, args, found[i]))
	})
	if err != nil || !e.begun {
		return err
	}
	return e.finish(ctx)
}

// mayImport refuses to import into a state that knows messages.
func (e *Engine) mayImport(ctx context.Context, force bool) error {
	if force {
		return nil
	}
	enough := errors.New("there is one")
	for name := range e.known {
		err := e.State.Load(ctx, name, state.Far, func(rows []state.Row) error {
			if len(rows) > 0 {
				return enough
			}
			return nil
		})
		if errors.Is(err, enough) {
			return fault.New(fault.Exists, "import state", "the state knows messages already").InFolder(name).
				WithHint("imapfw does not need the other tool's state any more; --force replaces what is known")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// imported is a folder that another tool knows.
type imported struct {
	p     pair
	state *foreign.State
}

// findForeign finds the memory of each folder that both sides have. Failures of
// single folders are told.
func (e *Engine) findForeign(ctx context.Context, source foreign.Source, pairs []pair) ([]imported, error) {
	var found []imported
	by := map[string][]int{}
	for _, p := range pairs {
		if p.far == nil || p.near == nil {
			continue
		}
		s, err := source.Find(*p.far, *p.near)
		if err != nil {
			if err := e.folderFailed(ctx, p.name, err); err != nil {
				return nil, err
			}
			continue
		}
		if s == nil {
			e.told(p.name, "nothing is known of it there; the next sync pairs it by content")
			continue
		}
		by[s.File] = append(by[s.File], len(found))
		found = append(found, imported{p, s})
	}
	var out []imported
	for i, f := range found {
		if others := by[f.state.File]; len(others) > 1 {
			other := found[others[0]]
			if others[0] == i {
				other = found[others[1]]
			}
			e.told(f.p.name, "%s may be of it or of %q; the next sync pairs it by content", f.state.File, other.p.name)
			continue
		}
		out = append(out, f)
	}
	return out, nil
}

// importFolder reads both sides of a folder, and records what they and the tool
// agree on.
func (e *Engine) importFolder(ctx context.Context, args ImportArgs, f imported) error {
	r := &reading{e: e, p: f.p, results: map[state.Side]mail.Result{}, deltas: map[state.Side]Delta{}}
	metas := map[state.Side][]mail.Meta{}
	for _, side := range []state.Side{state.Far, state.Near} {
		res, err := e.store(side).Changes(ctx, mail.Ref{Name: f.p.name}, "", func(batch []mail.Meta) error {
			metas[side] = append(metas[side], batch...)
			return nil
		})
		if err != nil {
			return err
		}
		r.results[side] = res
	}
	if err := r.sure(state.Far, state.Near); err != nil {
		return err
	}
	if why := f.state.Check(r.results[state.Far].Epoch, r.results[state.Near].Epoch); why != "" {
		e.told(f.p.name, "%s: %s; the next sync pairs it by content", f.state.File, why)
		return nil
	}
	a := adoption{state: f.state, policy: e.Policy, removals: args.Removals}
	a.match(metas[state.Far], metas[state.Near])
	if err := r.verify(ctx, &a); err != nil {
		return err
	}
	rest, err := r.pairUp(ctx, a.left(state.Far), a.left(state.Near))
	if err != nil {
		return err
	}
	rest.hold(true)
	a.settle(rest.rows)
	a.paired, a.ambiguous = rest.count()
	fp := &FolderPlan{Name: f.p.name, reset: true}
	for _, row := range append(a.rows(), rest.rows...) {
		row.ID = -int64(len(fp.put) + 1)
		fp.put = append(fp.put, &row)
	}
	r.complete(fp)
	e.Emit("imported", a.value(f.p.name))
	if e.DryRun {
		return nil
	}
	if err := e.recordPlan(ctx, fp); err != nil || !a.clean() || len(rest.rows) > 0 {
		return err
	}
	// Both sides are what the tool left behind: there is nothing to read again.
	return e.State.Commit(ctx, fp.Name, &state.Change{Folder: &fp.record})
}

// count returns how many pairs were found, and how many messages are ambiguous.
func (p *paired) count() (pairs, ambiguous int) {
	for _, row := range p.rows {
		if row.Status == state.StatusAmbiguous {
			ambiguous++
		} else {
			pairs++
		}
	}
	return pairs, ambiguous
}
