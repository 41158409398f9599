package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/state"
)

// A store that can keep a mark of ours (a Maildir) holds, in one line, an entry
// for each account that is synced with it: the account's random id and the
// number it was last marked with. A mark that is missing or behind the state
// means that the store was restored from a backup, or that it is another one.

// recall reads what the state knows, and checks the stamps of both sides.
func (e *Engine) recall(ctx context.Context) error {
	info, err := e.State.Info(ctx)
	if err != nil {
		return err
	}
	e.info = info
	folders, err := e.State.Folders(ctx)
	if err != nil {
		return err
	}
	e.known = make(map[string]state.Folder, len(folders))
	for _, f := range folders {
		e.known[f.Far] = f
	}
	if info.Run == 0 && info.Pending == 0 {
		return nil // nothing was ever recorded: nothing to distrust
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		s, ok := driver.As[driver.Stamper](e.store(side))
		if !ok || info.Mark(side) == 0 {
			continue // it cannot carry a mark, or never got one
		}
		text, err := s.Stamp(ctx)
		if err != nil {
			return err
		}
		run, found := stampedRun(text, info.Account)
		switch {
		case !found:
			e.doubt = fmt.Sprintf("the %s side does not carry this account's mark: it was replaced, or restored from a backup", side)
		case run < info.Mark(side) || run > info.Pending:
			e.doubt = fmt.Sprintf("the %s side is at run %d, the state at run %d: one of them was restored from a backup", side, run, info.Mark(side))
		default:
			continue
		}
		e.doubted |= sidesOf(side)
	}
	return nil
}

// begin marks both sides before anything is changed, and finish does it again
// when all is done: a backup from before the run is told by its mark, and so is
// one that was made in the middle of it.
func (e *Engine) begin(ctx context.Context) error {
	e.begun = true
	if e.doubt != "" {
		if err := e.distrust(ctx); err != nil {
			return err
		}
	}
	if !e.marked {
		if err := e.mark(ctx); err != nil {
			return err
		}
	}
	return e.beginRun(ctx)
}

func (e *Engine) finish(ctx context.Context) error { return e.mark(ctx) }

// runMarks is how many marks a run takes as a rule: at its beginning and its end.
const runMarks = 2

// mark writes the next number to the stores that keep a mark, and to the state.
// The numbers of a run are taken at once, and are durable in the state before any
// is written elsewhere: whenever a run is cut short, the marks of both sides are
// from those recorded for them to Pending, all of which are good.
func (e *Engine) mark(ctx context.Context) error {
	span := e.Timing.Begin(timeMark)
	defer span.End()
	if e.marks == 0 {
		e.info.Pending = max(e.info.Run, e.info.Pending) + runMarks
		if err := e.State.SetInfo(ctx, e.info); err != nil {
			return err
		}
		e.marks = runMarks
	}
	number := e.info.Pending - e.marks + 1
	for _, side := range []state.Side{state.Far, state.Near} {
		s, ok := driver.As[driver.Stamper](e.store(side))
		if !ok || e.spared.Has(side) {
			continue
		}
		// The entries of others stay, see driver.MergeStamp.
		if err := s.SetStamp(ctx, fmt.Sprintf("%s:%d", e.info.Account, number)); err != nil {
			return err
		}
	}
	e.marks--
	e.info.Run = number
	for side, mark := range map[state.Side]*int64{state.Far: &e.info.FarMark, state.Near: &e.info.NearMark} {
		if !e.spared.Has(side) {
			*mark = e.info.Run
		}
	}
	return e.State.SetInfo(ctx, e.info)
}

func stampedRun(text, account string) (int64, bool) {
	for _, entry := range strings.Fields(text) {
		if id, run, ok := strings.Cut(entry, ":"); ok && id == account {
			n, err := strconv.ParseInt(run, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
