package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
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
	for _, side := range []state.Side{state.Far, state.Near} {
		s, ok := driver.As[driver.Stamper](e.store(side))
		if !ok {
			continue
		}
		text, err := s.Stamp(ctx)
		if err != nil {
			return err
		}
		e.stamps[side] = stampOf(text, info.Account)
		if info.Mark(side) == 0 {
			continue // it never got one, or nothing was ever recorded: nothing to distrust
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
	if err := e.beginRun(ctx); err != nil {
		return err
	}
	e.begun = true
	return nil
}

func (e *Engine) finish(ctx context.Context) error { return e.mark(ctx) }

// mark takes a number and writes it to the state and to the stores that keep a
// mark. Nothing is changed meanwhile: cut short, it leaves marks from Run to
// Pending, any of which are good. The numbers of a run are not taken at once: then a
// backup of the state from the middle of it could not be told from one of its end.
func (e *Engine) mark(ctx context.Context) error {
	span := e.Timing.Begin(timeMark)
	defer span.End()
	e.info.Pending = max(e.info.Run, e.info.Pending) + 1
	if err := e.State.SetInfo(ctx, e.info); err != nil {
		return err
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		s, ok := driver.As[driver.Stamper](e.store(side))
		if !ok || e.spared.Has(side) {
			continue
		}
		// The entries of others stay, see driver.MergeStamp.
		mine := fmt.Sprintf("%s:%d", e.info.Account, e.info.Pending)
		if err := e.stillThere(ctx, side, s); err != nil {
			return err
		}
		e.stamping[side] = mine
		if err := s.SetStamp(ctx, mine); err != nil {
			return err
		}
		e.stamps[side] = mine
	}
	e.info.Run = e.info.Pending
	for side, mark := range map[state.Side]*int64{state.Far: &e.info.FarMark, state.Near: &e.info.NearMark} {
		if !e.spared.Has(side) {
			*mark = e.info.Run
		}
	}
	return e.State.SetInfo(ctx, e.info)
}

// stillMarked refuses to go on where a side was replaced since it was looked at.
func (e *Engine) stillMarked(ctx context.Context) error {
	for _, side := range []state.Side{state.Far, state.Near} {
		if s, ok := driver.As[driver.Stamper](e.store(side)); ok && !e.spared.Has(side) {
			if err := e.stillThere(ctx, side, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillThere refuses a side of which the mark is another one than this run has seen or
// written: it was replaced meanwhile, or is not mounted any more. What is missing there
// was not removed, and a mark of today would have the next run believe it.
func (e *Engine) stillThere(ctx context.Context, side state.Side, s driver.Stamper) error {
	text, err := s.Stamp(ctx)
	if err != nil {
		return err
	}
	// A mark may have been written by a call that failed.
	if mark := stampOf(text, e.info.Account); mark == e.stamps[side] || mark != "" && mark == e.stamping[side] {
		return nil
	}
	return fault.New(fault.Busy, "sync", "the %s side was replaced while it was looked at", side).
		WithHint("the next run looks at it again")
}

// stampOf returns the entry of an account, which is empty where there is none.
func stampOf(text, account string) string {
	for _, entry := range strings.Fields(text) {
		if id, _, ok := strings.Cut(entry, ":"); ok && id == account {
			return entry
		}
	}
	return ""
}

func stampedRun(text, account string) (int64, bool) {
	_, run, found := strings.Cut(stampOf(text, account), ":")
	n, err := strconv.ParseInt(run, 10, 64)
	return n, found && err == nil
}
