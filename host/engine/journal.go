package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// What the journal tells beside the operations of a plan.
const (
	logRestore = "restore" // a message is back that a run removed
	logPair    = "pair"    // two messages were found to be one and the same
	logGone    = "gone"    // a message was removed on both sides
	logTrash   = "trash"   // a message was moved to the trash in place of being removed
	logExpire  = "expire"  // a near copy is not kept any more
	logRefuse  = "refuse"  // a message was set aside

	logAmbiguous = "ambiguous" // nobody can say whether a message is one of the other side's
)

// outcomeDone is how a run ends that did everything.
const outcomeDone = "done"

const (
	// journalKeep is how long the journal remembers.
	journalKeep = 365 * 24 * time.Hour
	// endTime is how long noting the end of a run may take, when everything else
	// was asked to stop.
	endTime = 5 * time.Second
)

// beginRun notes a run that changes something. One that changes nothing leaves no
// trace.
func (e *Engine) beginRun(ctx context.Context) (err error) {
	kind := "sync"
	if e.Job != JobSync {
		kind = string(e.Job)
	}
	if e.run, err = e.State.BeginRun(ctx, cmp.Or(e.kind, kind)); err != nil {
		return err
	}
	return e.State.Prune(ctx, time.Now().Add(-journalKeep))
}

// endRun notes how a run ended. That it cannot be noted is no reason to call the
// run a failure: one without an end counts as killed.
func (e *Engine) endRun(ctx context.Context, err error) {
	if e.run == 0 {
		return
	}
	outcome := outcomeDone
	switch {
	case err != nil:
		outcome = "failed: " + err.Error()
	case e.report.Err() != nil:
		outcome = fmt.Sprintf("done but for %d failures", len(e.report.Failures))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := e.State.EndRun(ctx, e.run, outcome); err != nil && fault.CodeOf(err) != fault.Stopped {
		e.Log.Warn("noting the end of the run", "error", err)
	}
}

// journal adds events to a change, of a run that is in the journal.
func (e *Engine) journal(change *state.Change, events ...state.Event) {
	if e.run == 0 {
		return
	}
	now := time.Now()
	for _, ev := range events {
		ev.Run, ev.At = e.run, now
		change.Journal = append(change.Journal, ev)
	}
}

// pairEvent tells about a row that was made without copying anything.
func pairEvent(row *state.Row) state.Event {
	switch {
	case row.Status == state.StatusAmbiguous:
		return eventOf(logAmbiguous, 0, row, "it may be a message of the other side: "+row.Note)
	case row.Far == "" || row.Near == "":
		return eventOf(logPair, 0, row, "it is on one side only, as before")
	}
	return eventOf(logPair, 0, row, "both sides have it")
}

// eventOf tells about a message that has a row.
func eventOf(op string, side state.Side, row *state.Row, reason string) state.Event {
	return state.Event{Op: op, Side: side, Row: max(row.ID, 0), Far: row.Far, Near: row.Near,
		Before: row.Flags, After: row.Flags, Date: row.Date, Reason: reason}
}
