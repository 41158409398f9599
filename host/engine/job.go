package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
)

// Job is what an engine does with its two stores and its state.
type Job string

// The jobs. Commands ask for one; an app that says nothing gets a sync.
const (
	JobSync Job = ""     // bring both sides in step
	JobUndo Job = "undo" // give back what a run removed or changed
	// JobImport takes over what another tool remembers; see ImportArgs.
	JobImport Job = "import"
	// JobCheck compares the state with both sides, and changes nothing.
	JobCheck Job = "check"
	// JobPlan tells the plan as a document, and writes nothing.
	JobPlan Job = "plan"
	// JobApply takes the steps of a document (Args "plan").
	JobApply Job = "apply"
)

// work does the engine's job.
func (e *Engine) work(ctx context.Context) error {
	switch e.Job {
	case JobSync, JobPlan:
		return e.sync(ctx)
	case JobApply:
		if err := e.foresee(e.doc); err != nil {
			return err
		}
		return e.sync(ctx)
	case JobUndo:
		return e.undo(ctx)
	case JobImport:
		return e.importState(ctx)
	case JobCheck:
		return e.checkState(ctx)
	}
	return fault.New(fault.Unsupported, string(e.Job), "an engine does not know this job")
}
