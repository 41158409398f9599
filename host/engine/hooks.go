package engine

import (
	"cmp"
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Hooks are the decisions a subclass of the engine takes over. A nil hook is not
// overridden, and costs nothing. They are called one at a time, on the engine's
// goroutine or one it waits for.
type Hooks struct {
	OnStart func(ctx context.Context) error
	// OnFolder may leave a folder out, with a reason.
	OnFolder func(ctx context.Context, f FolderPair) (keep bool, reason string, err error)
	// OnPlan sees the plan of the whole account before the first write and may
	// drop from it. An error stops the run before anything is written.
	OnPlan func(ctx context.Context, p *Plan) error
	// OnGuard is asked when the guard is about to stop the run, and may let it
	// go on, with a reason.
	OnGuard func(ctx context.Context, p *Plan, a *Alarm) (goOn bool, reason string, err error)
	// OnMessage is asked about the new messages of a folder, in batches of at
	// most 1,000, before they are copied.
	OnMessage func(ctx context.Context, b *Batch) error
	// OnConflict settles one message that was removed on one side and changed
	// on the other.
	OnConflict func(ctx context.Context, c ConflictCase) (Conflict, error)
	// OnError decides about the failure of one folder or message.
	OnError func(ctx context.Context, err error) (Decision, error)
	OnDone  func(ctx context.Context, r *Report) error
}

// FolderPair is a folder as both sides have it; a side that lacks it has Count -1.
type FolderPair struct {
	Name                string
	FarCount, NearCount int
	Attrs               []string
}

// Decision is what is done about a failure.
type Decision string

// The answers of OnError. The empty one takes the default: skip.
const (
	Skip  Decision = "skip"
	Retry Decision = "retry"
	Abort Decision = "abort"
)

// ConflictCase is a message that was removed on one side while its flags were
// changed on the other.
type ConflictCase struct {
	Folder    string
	RemovedOn state.Side
	Key       mail.Key // on the side that kept it
	Flags     mail.Flags
}

// Batch is a set of new messages that are about to be copied.
type Batch struct {
	Op     Op // OpPull or OpPush
	Folder string
	Metas  []mail.Meta // key, flags; size and date are set
	// Describe reads headers for the whole batch, at most once.
	Describe func(ctx context.Context) ([]mail.Description, error)

	skipped map[mail.Key]string
	failed  map[mail.Key]error
}

// Skip leaves a message out of this run, with a reason.
func (b *Batch) Skip(k mail.Key, reason string) {
	if b.skipped == nil {
		b.skipped = map[mail.Key]string{}
	}
	b.skipped[k] = cmp.Or(reason, "no reason given")
}

// Fail leaves a message out of this run because the decision about it failed.
func (b *Batch) Fail(k mail.Key, err error) {
	if b.failed == nil {
		b.failed = map[mail.Key]error{}
	}
	b.failed[k] = err
}
