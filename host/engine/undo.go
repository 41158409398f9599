package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// undo gives both sides back what a run removed, moved, and changed of flags: as
// they were when they last agreed before it. What the run copied stays: undo
// removes no mail.
func (e *Engine) undo(ctx context.Context) error {
	wanted, _ := e.Args["run"].(int64)
	run, err := e.undoable(ctx, wanted)
	if err != nil {
		return err
	}
	if e.doubt != "" {
		return fault.New(fault.Guard, "undo", "%s", e.doubt).WithHint("let a sync pair the messages anew first, then undo")
	}
	runs, err := e.State.Runs(ctx, 0)
	if err != nil {
		return err
	}
	u := &undoing{e: e, run: run.ID, kind: undoKind(run.ID)}
	if err := u.laterRows(ctx, runs); err != nil {
		return err
	}
	if err := u.look(ctx); err != nil {
		return err
	}
	var events []state.Event
	err = e.State.Events(ctx, state.Query{Run: run.ID}, func(batch []state.Event) error {
		events = append(events, batch...)
		return nil
	})
	if err != nil {
		return err
	}
	plan, back := reverse(events), renames(events)
	e.Emit("plan", plan.value(back))
	if plan.empty() && len(back) == 0 {
		e.told("", "run %d removed, moved and changed nothing", run.ID)
		return nil
	}
	if e.DryRun {
		return nil
	}
	if e.Spool == nil && plan.restores() {
		return fault.New(fault.Config, "undo", "this account keeps nothing for undo (undo = false, or a state in memory)")
	}
	e.kind = u.kind
	if err := e.begin(ctx); err != nil {
		return err
	}
	for _, f := range plan {
		if err := e.folderFailed(ctx, f.name, u.folder(ctx, f)); err != nil {
			return err
		}
	}
	if err := u.renameBack(ctx, back); err != nil {
		return err
	}
	return e.finish(ctx)
}

func undoKind(run int64) string { return fmt.Sprintf("undo %d", run) }

// undoable finds the run to undo: the given one, or the last that changed
// something and was not undone.
func (e *Engine) undoable(ctx context.Context, wanted int64) (state.Run, error) {
	runs, err := e.State.Runs(ctx, 0)
	if err != nil {
		return state.Run{}, err
	}
	undone := map[string]int64{}
	for _, r := range runs {
		if strings.HasPrefix(r.Kind, "undo ") && r.Outcome == outcomeDone {
			undone[r.Kind] = r.ID
		}
	}
	for _, r := range runs {
		by, already := undone[undoKind(r.ID)]
		switch {
		case wanted == 0 && (already || strings.HasPrefix(r.Kind, "undo ") || !changedMail(r)):
			continue
		case wanted != 0 && r.ID != wanted:
			continue
		case already:
			return r, fault.New(fault.Config, "undo", "run %d was undone already, by run %d", r.ID, by)
		}
		return r, nil
	}
	if wanted != 0 {
		return state.Run{}, fault.New(fault.NotFound, "undo", "there is no run %d in the journal", wanted).WithHint("imapfw log lists the runs")
	}
	return state.Run{}, fault.New(fault.NotFound, "undo", "there is no run that removed, moved or changed anything").WithHint("imapfw log lists the runs")
}

// changedMail reports whether a run did anything that undo can give back.
func changedMail(r state.Run) bool {
	for _, c := range r.Events {
		switch Op(c.Op) {
		case OpRemove, OpFlag, OpMove, OpRename, OpDrop, logTrash:
			return true
		}
	}
	return false
}

// undoing is an undo under way.
type undoing struct {
	e     *Engine
	run   int64 // that is undone
	kind  string
	later map[int64]bool // rows that were made after the run
	// listed are the folders that each side has.
	listed map[state.Side]map[string]mail.Folder
}

func (u *undoing) look(ctx context.Context) error {
	u.listed = map[state.Side]map[string]mail.Folder{}
	for _, side := range []state.Side{state.Far, state.Near} {
		folders, err := u.e.store(side).Folders(ctx)
		if err != nil {
			return err
		}
		u.listed[side] = make(map[string]mail.Folder, len(folders))
		for _, f := range folders {
			u.listed[side][f.Name] = f
		}
	}
	return nil
}

// ensure makes a folder that a side lacks.
func (u *undoing) ensure(ctx context.Context, side state.Side, name string) error {
	if _, there := u.listed[side][name]; there {
		return nil
	}
	maker, ok := driver.As[driver.FolderMaker](u.e.store(side))
	if !ok {
		return fault.New(fault.Unsupported, "create folder", "the %s side cannot create folders", side).InFolder(name)
	}
	if err := maker.CreateFolder(ctx, name); err != nil {
		return err
	}
	u.listed[side][name] = mail.Folder{Name: name}
	u.e.report.count(&u.e.report.Created, 1)
	return nil
}

// ref points at a folder, pinned to the epoch that the rows were recorded in.
func (u *undoing) ref(side state.Side, name string) mail.Ref {
	k := u.e.known[name]
	if side == state.Far {
		return mail.Ref{Name: name, Epoch: k.FarEpoch}
	}
	return mail.Ref{Name: name, Epoch: k.NearEpoch}
}

// folder undoes what was done in one folder.
func (u *undoing) folder(ctx context.Context, f *undoFolder) error {
	rows := map[int64]*state.Row{}
	err := u.e.State.Load(ctx, f.name, state.Far, func(batch []state.Row) error {
		for i := range batch {
			rows[batch[i].ID] = &batch[i]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := u.remake(ctx, f); err != nil {
		return err
	}
	if err := u.flags(ctx, f, rows); err != nil {
		return err
	}
	if err := u.moveBack(ctx, f, rows); err != nil {
		return err
	}
	if err := u.outOfTrash(ctx, f, rows); err != nil {
		return err
	}
	return u.restore(ctx, f, rows)
}

// missed tells that not everything can be given back: that is a failure.
func (u *undoing) missed(ctx context.Context, folder, format string, args ...any) error {
	return u.e.folderFailed(ctx, folder, fault.New(fault.Partial, "undo", format, args...).InFolder(folder))
}

// may reports whether undo writes to a side that the run did not write: only as
// far as the options allow.
func (u *undoing) may(side state.Side, op Ops) bool { return u.e.Policy.toward(side)&op != 0 }
