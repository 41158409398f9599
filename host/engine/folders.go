package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// pair is one folder as both sides and the state have it.
type pair struct {
	name      string
	far, near *mail.Folder  // nil where the side lacks it
	known     *state.Folder // nil when it was never recorded
	was       *renaming     // how it came to its name, where that is news
	create    state.Side    // the side it is to be created on, or 0
	removed   state.Side    // the side it was removed on, or 0
}

// pairFolders lists both sides and returns the folders that have to be looked
// into: an unchanged one costs no more than its line in the listing.
func (e *Engine) pairFolders(ctx context.Context) ([]pair, []renaming, error) {
	var lists [2]map[string]*mail.Folder
	group, gctx := errgroup.WithContext(ctx)
	for i, side := range []state.Side{state.Far, state.Near} {
		guarded(group, "list folders", func() error {
			folders, err := e.store(side).Folders(gctx)
			if err != nil {
				return err
			}
			lists[i] = make(map[string]*mail.Folder, len(folders))
			for _, f := range folders {
				lists[i][f.Name] = &f
			}
			if side == state.Near {
				e.prefetch(ctx, lists[i])
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	e.shade(lists[0], lists[1])
	e.shade(lists[1], lists[0])
	e.listed[state.Far], e.listed[state.Near] = lists[0], lists[1]
	if err := e.vanished(ctx); err != nil {
		return nil, nil, err
	}
	if err := e.choose(); err != nil {
		return nil, nil, err
	}
	e.allMail()
	if e.doubt != "" {
		e.told("", "%s; the messages are paired anew, and nothing is removed in this run", e.doubt)
	}
	names := map[string]bool{}
	for name := range lists[0] {
		names[name] = true
	}
	for name := range lists[1] {
		names[name] = true
	}
	renames, err := e.renames(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	renamed := make(map[string]*renaming, len(renames))
	for i := range renames {
		renamed[renames[i].to] = &renames[i]
	}
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if e.leftOut(name) {
			continue
		}
		p := pair{name: name, far: lists[0][name], near: lists[1][name]}
		if k, ok := e.known[name]; ok {
			p.known = &k
		}
		if was := renamed[name]; was != nil {
			e.rename(&p, was)
		}
		take, err := e.consider(ctx, &p)
		if err != nil {
			return nil, nil, err
		}
		if take {
			pairs = append(pairs, p)
		}
	}
	return pairs, renames, nil
}

// shade adds to a side's list, as hidden, the folders that may lie below one that
// the side could not look into: that it does not list them does not mean that
// they are gone.
func (e *Engine) shade(list, other map[string]*mail.Folder) {
	for _, f := range slices.Collect(maps.Values(list)) {
		if f.Fault == "" {
			continue
		}
		below := func(name string) {
			if list[name] == nil && strings.HasPrefix(name, f.Name+"/") {
				list[name] = &mail.Folder{Name: name, Count: -1, Hidden: true}
			}
		}
		for name := range other {
			below(name)
		}
		for name := range e.known {
			below(name)
		}
	}
}

// consider decides whether a folder is looked into at all.
func (e *Engine) consider(ctx context.Context, p *pair) (bool, error) {
	if !e.Once.chosen(p.name) {
		return false, nil
	}
	for _, f := range []**mail.Folder{&p.far, &p.near} {
		// What is left of a folder that was removed, for those below it.
		if *f != nil && p.known != nil && !(*f).Selectable() {
			*f = nil
		}
	}
	if p.far == nil && p.near == nil {
		return false, nil
	}
	for _, f := range []*mail.Folder{p.far, p.near} {
		if f == nil {
			continue
		}
		if f.Hidden {
			return false, nil
		}
		if f.Fault != "" {
			return false, e.folderFailed(ctx, p.name, fault.New(fault.BadName, "sync folder", "%s", f.Fault).InFolder(p.name))
		}
		if !f.Selectable() {
			return false, nil
		}
	}
	if e.Hooks.OnFolder != nil {
		keep, reason, err := e.Hooks.OnFolder(ctx, folderPair(p))
		if err != nil {
			return false, e.folderFailed(ctx, p.name, err)
		}
		if !keep {
			e.decided.leave(p.name)
			e.told(p.name, "left out by the script: %s", reason)
			return false, nil
		}
	}
	if p.was != nil {
		return true, nil
	}
	missing := state.Side(0)
	if p.far == nil {
		missing = state.Far
	} else if p.near == nil {
		missing = state.Near
	}
	switch {
	case missing == 0:
		return !e.unchanged(p), nil
	case p.known != nil && !e.distrusts(*p.known, missing) && missing != e.Policy.Mirror:
		p.removed = missing
		return true, nil
	case !e.Policy.Create.Has(missing) || e.Policy.toward(missing)&OpNew == 0:
		e.unmirrored(p, missing)
		return false, nil // without "new" nothing would ever come into it
	}
	p.create = missing
	return true, nil
}

func folderPair(p *pair) FolderPair {
	out := FolderPair{Name: p.name, FarCount: -1, NearCount: -1}
	if p.near != nil {
		out.NearCount, out.Attrs = p.near.Count, p.near.Attrs
	}
	if p.far != nil {
		out.FarCount, out.Attrs = p.far.Count, p.far.Attrs
	}
	return out
}

// unchanged reports whether both sides are as they were when the folder was last
// recorded, with the options of today, and nothing is left over.
func (e *Engine) unchanged(p *pair) bool {
	k := p.known
	return k != nil && e.doubt == "" && k.Open == 0 && k.Policy == e.policyOf(p) &&
		still(p.far, k.FarEpoch, k.FarCursor) && still(p.near, k.NearEpoch, k.NearCursor) &&
		sameOrUntold(p.far.ID, k.FarID) && sameOrUntold(p.near.ID, k.NearID)
}

// sameOrUntold reports whether a listed folder has the ID that is known.
func sameOrUntold(listed, known string) bool { return listed == "" || listed == known }

// still reports whether a listed folder is as a cursor has it.
func still(f *mail.Folder, epoch string, cursor mail.Cursor) bool {
	return f.Cursor != "" && f.Cursor.Place() == cursor.Place() && (f.Epoch == "" || f.Epoch == epoch)
}

func (e *Engine) fingerprint() string { return e.Policy.Fingerprint(e.Scope) }
