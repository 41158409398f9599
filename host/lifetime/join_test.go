package lifetime_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/lifetime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type key struct{}

var errEnough, errClosed = errors.New("enough of it"), errors.New("it was closed")

// asked are the ways in which somebody may have used a context before it ends.
var asked = map[string]func(context.Context){
	"nothing": func(context.Context) {},
	"err":     func(ctx context.Context) { _ = ctx.Err() },
	"done":    func(ctx context.Context) { _ = ctx.Done() },
	"value":   func(ctx context.Context) { _ = ctx.Value(key{}) },
}

// told are the ways in which somebody learns that it has ended, and why.
var told = map[string]func(*testing.T, context.Context) error{
	"err first": func(t *testing.T, ctx context.Context) error {
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		return context.Cause(ctx)
	},
	"cause first": func(t *testing.T, ctx context.Context) error {
		cause := context.Cause(ctx)
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		return cause
	},
	"channel": func(t *testing.T, ctx context.Context) error {
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		return context.Cause(ctx)
	},
	"derived": func(t *testing.T, ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 2), time.Hour)
		defer cancel()
		<-ctx.Done()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		return context.Cause(ctx)
	},
	"after": func(t *testing.T, ctx context.Context) error {
		ran := make(chan struct{})
		context.AfterFunc(ctx, func() { close(ran) })
		<-ran
		return context.Cause(ctx)
	},
}

func TestItEndsWithWhatEndsFirst(t *testing.T) {
	for before, ask := range asked {
		for after, learn := range told {
			t.Run(before+", "+after, func(t *testing.T) {
				for _, c := range []struct {
					caller, life bool
					cause        error
				}{{true, false, errEnough}, {false, true, errClosed}, {false, false, context.Canceled}} {
					caller, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, 1))
					life, end := context.WithCancelCause(t.Context())
					ctx, release := lifetime.Join(caller, life)
					require.NoError(t, ctx.Err())
					require.NoError(t, context.Cause(ctx))
					ask(ctx)
					switch {
					case c.caller:
						cancel(errEnough)
					case c.life:
						end(errClosed)
					default:
						release()
					}
					require.Equal(t, c.cause, learn(t, ctx))
					require.Equal(t, 1, ctx.Value(key{}))
					release()
					require.Equal(t, c.cause, context.Cause(ctx))
					cancel(nil)
					end(nil)
				}
			})
		}
	}
}

// TestItIsSeenWhileSomebodyWaits: also by those who derived a context before it ended.
func TestItIsSeenWhileSomebodyWaits(t *testing.T) {
	life, end := context.WithCancelCause(t.Context())
	ctx, release := lifetime.Join(t.Context(), life)
	defer release()
	derived, cancel := context.WithCancel(ctx)
	defer cancel()
	end(errClosed)
	<-derived.Done()
	require.Equal(t, errClosed, context.Cause(derived))
}

func TestAfterItsReleaseItIsOver(t *testing.T) {
	ctx, release := lifetime.Join(t.Context(), t.Context())
	release()
	<-ctx.Done()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	release()
}

func TestALifeThatHadEnded(t *testing.T) {
	life, end := context.WithCancelCause(t.Context())
	end(errClosed)
	for name, learn := range told {
		t.Run(name, func(t *testing.T) {
			ctx, release := lifetime.Join(t.Context(), life)
			defer release()
			require.Equal(t, errClosed, learn(t, ctx))
		})
	}
}

// slow is a context whose end is told to those derived from it a while later.
type slow struct {
	context.Context
	done chan struct{}
}

func (s slow) Err() error            { return context.Canceled }
func (s slow) Done() <-chan struct{} { return s.done }

// TestAnEndHasACause: who is told that a call has ended is not told otherwise, or without
// a cause, when the channel is made at the same time.
func TestAnEndHasACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := slow{t.Context(), make(chan struct{})}
		ctx, release := lifetime.Join(caller, t.Context())
		defer release()
		_ = ctx.Done()
		told := make(chan error)
		go func() {
			for ctx.Err() == nil {
				<-ctx.Done()
			}
			told <- context.Cause(ctx)
		}()
		synctest.Wait()
		close(caller.done)
		require.ErrorIs(t, <-told, context.Canceled)

		first, release := lifetime.Join(caller, t.Context())
		defer release()
		require.ErrorIs(t, first.Err(), context.Canceled)
		require.ErrorIs(t, context.Cause(first), context.Canceled)
	})
}

// TestManyAsk: whoever sees that a call has ended sees why, however many ask in whatever way.
func TestManyAsk(t *testing.T) {
	for range 500 {
		caller, cancel := context.WithCancelCause(t.Context())
		life, end := context.WithCancelCause(t.Context())
		outer, releaseOuter := lifetime.Join(caller, life)
		ctx, release := lifetime.Join(outer, life)
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				switch i {
				case 0:
					end(errClosed)
				case 1:
					cancel(errEnough)
				case 2:
					<-ctx.Done()
				default:
					for ctx.Err() == nil {
						runtime.Gosched()
					}
				}
				if i > 1 && (ctx.Err() == nil || context.Cause(ctx) == nil) {
					t.Error("it is not over any more, or has no cause")
				}
			})
		}
		group.Wait()
		release()
		releaseOuter()
		cancel(nil)
		end(nil)
	}
}

func TestDeadlinesStay(t *testing.T) {
	caller, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	ctx, release := lifetime.Join(caller, t.Context())
	defer release()
	_, ok := ctx.Deadline()
	require.True(t, ok)
	<-ctx.Done()
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
}

// BenchmarkJoin is a call through six layers in which nobody waits.
func BenchmarkJoin(b *testing.B) {
	life, end := context.WithCancel(b.Context())
	defer end()
	b.ReportAllocs()
	for b.Loop() {
		ctx := b.Context()
		var releases [6]func()
		for i := range releases {
			ctx, releases[i] = lifetime.Join(ctx, life)
		}
		if ctx.Err() != nil {
			b.Fatal("it ended")
		}
		for _, release := range releases {
			release()
		}
	}
}
