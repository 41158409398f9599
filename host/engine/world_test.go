package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/wire"
)

// world is two stores and a state between them.
type world struct {
	t         require.TestingT
	far, near *memory.Store
	state     *brittle
	policy    engine.Policy
	once      engine.Once
	hooks     engine.Hooks
	keep      *predicate.Expr
	call      func(ctx context.Context, id string, v *predicate.View) (bool, error)
	convert   bool
	dry       bool
	scope     string
	farNames  func(near string) []string
	emit      func(name string, data wire.Value)
	serial    int
	spool     engine.Spool
	timing    *timing.Recorder
	fewRows   int
	batch     int
}

// kinds are the pairings every scenario is run on.
var kinds = map[string][2]memory.Options{
	"imap-maildir":      {{}, {Maildir: true}},
	"eager-maildir":     {{Eager: true}, {Maildir: true}},
	"no-uidplus":        {{Eager: true, NoUIDPlus: true}, {Maildir: true}},
	"imap-imap":         {{Eager: true}, {Eager: true}},
	"maildir-maildir":   {{Maildir: true}, {Maildir: true}},
	"imap-imap-uidless": {{Eager: true, NoUIDPlus: true}, {Eager: true, NoUIDPlus: true}},
}

func newWorld(t require.TestingT, kind string) *world {
	w := &world{t: t, far: memory.New(kinds[kind][0]), near: memory.New(kinds[kind][1]),
		state: &brittle{Store: state.NewMemory()}, policy: engine.DefaultPolicy()}
	ctx := context.Background()
	require.NoError(t, w.far.Open(ctx))
	require.NoError(t, w.near.Open(ctx))
	require.NoError(t, w.state.Open(ctx))
	return w
}

func eachKind(t *testing.T, fn func(t *testing.T, w *world)) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) { fn(t, newWorld(t, kind)) })
	}
}

// run syncs once.
func (w *world) run() (*engine.Report, error) {
	return w.engine(engine.JobSync, nil).Run(context.Background())
}

func (w *world) engine(job engine.Job, args wire.Map) *engine.Engine {
	return w.engineWith(job, args, func(*engine.Config) {})
}

func (w *world) engineWith(job engine.Job, args wire.Map, alter func(*engine.Config)) *engine.Engine {
	var keep engine.Keep
	scope := w.scope
	if w.keep != nil {
		messages, err := predicate.Compile(w.keep)
		require.NoError(w.t, err)
		keep, scope = engine.Keep{Messages: messages, Call: w.call}, w.scope+w.keep.String()
	}
	cfg := engine.Config{
		Name: "test", Job: job, Args: args,
		Far: w.far, Near: w.near, State: w.state, Spool: w.spool,
		Policy: w.policy, Once: w.once,
		Keep: keep, Scope: scope,
		FarNames: w.farNames,
		Hooks:    w.hooks, Convert: w.convert, DryRun: w.dry,
		Lanes: 2, Settle: time.Millisecond, Pause: time.Millisecond, Emit: w.emit, Timing: w.timing,
	}
	alter(&cfg)
	e := engine.New(cfg)
	e.SetFewRows(w.fewRows)
	e.SetLargestBatch(cmp.Or(w.batch, 2))
	return e
}

// sync syncs once and insists that all went well.
func (w *world) sync() *engine.Report {
	r, err := w.run()
	require.NoError(w.t, err)
	require.NoError(w.t, r.Err())
	return r
}

// still syncs and insists that nothing was changed.
func (w *world) still() {
	r := w.sync()
	require.Zero(w.t, r.Changes(), "a run without news changed something: %v", r.Value())
}

// same insists that both sides hold the same mail.
func (w *world) same() {
	require.Empty(w.t, w.far.Snapshot().Diff(w.near.Snapshot()))
}

// message makes a message that is like no other.
func (w *world) message(flags ...string) memory.Message {
	w.serial++
	return numbered(w.serial, flags...)
}

func numbered(n int, flags ...string) memory.Message {
	return memory.Message{
		Flags: mail.NewFlags(flags...),
		Date:  time.Unix(1_700_000_000+int64(n), 0),
		Body:  fmt.Appendf(nil, "Message-ID: <%d@example>\nSubject: number %d\n\nbody of %d\n", n, n, n),
	}
}

// count returns how many messages a side holds in all, and in one folder.
func count(s *memory.Store, folder string) int { return len(s.Snapshot()[folder]) }

// brittle is a state that can be made to fail: to its caller, what being killed
// just before or after a commit looks like.
type brittle struct {
	state.Store
	breaker *memory.Breaker
	frozen  *int // where it is not nil: nothing may be written; attempts are counted
	numbers bool // that of a run may be written nevertheless
}

var errFrozen = errors.New("the state was not to be written")

var errKilled = errors.New("killed")

func (b *brittle) Commit(ctx context.Context, folder string, c *state.Change) error {
	if b.frozen != nil {
		*b.frozen++
		return errFrozen
	}
	if b.breaker != nil {
		if b.breaker.Hook(ctx, memory.Call{}) != nil {
			return errKilled
		}
	}
	if err := b.Store.Commit(ctx, folder, c); err != nil {
		return err
	}
	if b.breaker != nil && b.breaker.Hook(ctx, memory.Call{}) != nil {
		return errKilled
	}
	return nil
}

func (b *brittle) SetInfo(ctx context.Context, info state.Info) error {
	if b.frozen != nil && !b.numbers {
		*b.frozen++
		return errFrozen
	}
	if b.breaker != nil && b.breaker.Hook(ctx, memory.Call{}) != nil {
		return errKilled
	}
	return b.Store.SetInfo(ctx, info)
}

// killAt lets n moments pass in the life of both stores and the state, and then
// none until mend is called.
func (w *world) killAt(n int) (mend func(), breaker *memory.Breaker) {
	b := memory.NewBreaker(n)
	w.far.SetHook(b.Hook)
	w.near.SetHook(b.Hook)
	w.state.breaker = b
	return func() {
		w.far.SetHook(nil)
		w.near.SetHook(nil)
		w.state.breaker = nil
	}, b
}

// stride is how far apart the moments are that a run is killed at: every single
// one, unless the tests are asked to be short.
func stride() int {
	if testing.Short() {
		return 7
	}
	return 1
}
