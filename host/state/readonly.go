package state

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// ReadOnlyOpener is the optional ability to open a state without changing
// anything on disk: no file is made, not even where there is no state yet (it
// then reads as an empty one), and a run that is under way is not disturbed.
type ReadOnlyOpener interface {
	OpenReadOnly(ctx context.Context) error
}

// ReadOnly returns a view of s for a dry run: it reads what s holds and refuses
// to change it with fault.ReadOnly, so that a dry run that tries to write is
// found out and not trusted. Open uses OpenReadOnly where s has it.
func ReadOnly(s Store) Store { return readOnly{s} }

type readOnly struct{ Store }

func (r readOnly) Open(ctx context.Context) error {
	if o, ok := r.Store.(ReadOnlyOpener); ok {
		return o.OpenReadOnly(ctx)
	}
	return r.Store.Open(ctx)
}

func (r readOnly) SetInfo(context.Context, Info) error { return refuseWrite(opSetInfo) }

func (r readOnly) Commit(_ context.Context, folder string, _ *Change) error {
	return refuseWrite(opCommit).InFolder(folder)
}

func (r readOnly) BeginRun(context.Context, string) (int64, error) {
	return 0, refuseWrite(opWriteJournal)
}

func (r readOnly) EndRun(context.Context, int64, string) error { return refuseWrite(opWriteJournal) }

func (r readOnly) Prune(context.Context, time.Time) error { return refuseWrite(opWriteJournal) }

func refuseWrite(op string) *fault.Error {
	return fault.New(fault.ReadOnly, op, "this is a dry run: the state is open for reading only")
}
