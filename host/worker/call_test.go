package worker_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestCall(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		require.Equal(t, "probe", c.Name())
		require.Equal(t, b.mode.backend != worker.Process && !b.mode.strict, c.Local())
		args := wire.Map{"keys": mail.NewKeySet(mail.UIDKey(7), "x"), "name": "caf\xe9"}
		require.Equal(t, args, b.must(c, "echo", args))
		require.Equal(t, int64(1<<60+1), b.must(c, "echo", int64(1<<60+1)))
		require.Nil(t, b.must(c, "echo", nil))
	})
}

func TestErrorsKeepTheirCode(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		_, err := b.call(b.probe(), "fail", "quota")
		require.ErrorIs(t, err, fault.Quota)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.True(t, fault.IsTemporary(err))
		var f *fault.Error
		require.ErrorAs(t, err, &f)
		require.Equal(t, "INBOX", f.Folder)
		require.Equal(t, `while testing: deep: append "INBOX": it went wrong and unexpected EOF`, err.Error())
	})
}

func TestBadValuesAreRefused(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		_, err := b.call(c, "echo", wire.Map{"list": wire.List{nil, func() {}}})
		require.ErrorIs(t, err, fault.Config)
		require.ErrorContains(t, err, "args.list[2]: a func() cannot cross a channel")
		_, err = b.call(c, "bad reply", nil)
		require.ErrorContains(t, err, "reply.fn: a func() cannot cross a channel")
		require.Equal(t, "still there", b.must(c, "echo", "still there"))
	})
}

func TestCancelReachesTheHandler(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		why := fault.New(fault.Stopped, "", "enough of it")
		ctx, cancel := context.WithCancelCause(b.ctx)
		var call worker.Group
		call.Go("call", func() error {
			_, err := c.Call(ctx, &worker.Call{Op: "hold"})
			return err
		})
		b.await("held")
		cancel(why)
		err := call.Wait()
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "enough of it", b.await("cancelled").Data)
		require.Equal(t, "still there", b.must(c, "echo", "still there"))
	})
}

func TestDeadline(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Millisecond)
		defer cancel()
		_, err := c.Call(ctx, &worker.Call{Op: "hold"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = c.Call(ctx, &worker.Call{Op: "echo"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A caller that waits for a worker that is busy is not held up by it.
func TestCancelWhileTheWorkerIsBusy(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.start("one", "probe", wire.Map{"concurrency": int64(1)}, nil)
		ctx, cancel := context.WithCancel(b.ctx)
		var calls worker.Group
		calls.Go("hold", func() error {
			_, err := c.Call(ctx, &worker.Call{Op: "hold"})
			return err
		})
		require.Eventually(t, func() bool {
			short, done := context.WithTimeout(b.ctx, 5*time.Millisecond)
			defer done()
			_, err := c.Call(short, &worker.Call{Op: "echo"})
			return errors.Is(err, context.DeadlineExceeded)
		}, 10*time.Second, time.Millisecond)
		cancel()
		require.ErrorIs(t, calls.Wait(), context.Canceled)
		require.Equal(t, "free again", b.must(c, "echo", "free again"))
	})
}

func TestConcurrency(t *testing.T) {
	for _, n := range []int64{1, 3} {
		t.Run(itoa(int(n)), func(t *testing.T) {
			inAllModes(t, func(t *testing.T, b *bench) {
				c := b.start("probe", "probe", wire.Map{"concurrency": n}, nil)
				var calls sync.WaitGroup
				for range 12 {
					calls.Go(func() {
						ctx, cancel := context.WithTimeout(b.ctx, 30*time.Millisecond)
						defer cancel()
						_, _ = c.Call(ctx, &worker.Call{Op: "hold"}) // it ends with ctx
					})
				}
				calls.Wait()
				require.Equal(t, n, b.must(c, "most", nil))
			})
		})
	}
}

func TestCallsThroughOthers(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("far", "probe", nil, nil)
		b.start("cache", "probe", nil, map[string]string{"next": "far"})
		c := b.start("engine", "probe", nil, map[string]string{"next": "cache"})
		require.Equal(t, wire.List{"engine", "cache"}, b.must(c, "forward", "chain"))
		_, err := b.call(c, "forward", "panic")
		require.ErrorIs(t, err, fault.Crashed)
	})
}

// A worker that is asked for again by what it asked gets an error, in whichever
// processes the two are.
func TestSelfCallIsRefused(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		var h *worker.Host
		local := func(ctx context.Context, _ *worker.Call) (wire.Value, error) {
			return h.Channel("engine").Call(ctx, &worker.Call{Op: "echo"})
		}
		b = newBench(t, b.mode, func(o *worker.Options) { o.Registry = registry(local) })
		h = b.Host
		near := b.spec("near", "probe", nil, nil)
		near.Backend = worker.Goroutine // it has the local function
		require.NoError(t, b.Start(b.ctx, near))
		c := b.start("engine", "probe", wire.Map{"concurrency": int64(1)}, map[string]string{"next": "near"})
		_, err := b.call(c, "forward", "local")
		require.ErrorIs(t, err, fault.SelfCall)
		require.ErrorContains(t, err, "engine -> near -> engine")
		require.Equal(t, "still there", b.must(c, "echo", "still there"))
	})
}

func TestLocalPayload(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b = newBench(t, b.mode, func(o *worker.Options) {
			o.Registry = registry(func(_ context.Context, call *worker.Call) (wire.Value, error) {
				call.Local.(func())()
				return nil, nil
			})
		})
		called := false
		_, err := b.probe().Call(b.ctx, &worker.Call{Op: "local", Local: func() { called = true }})
		if b.mode.backend == worker.Process || b.mode.strict {
			require.ErrorIs(t, err, fault.Internal)
			require.False(t, called)
		} else {
			require.NoError(t, err)
			require.True(t, called)
		}
	})
}

// The payload is the caller's: its call does not return while a handler that is
// slow to see its context end may still use it.
func TestALocalCallWaitsForItsHandler(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			b := newBench(t, m)
			c := b.probe()
			ctx, cancel := context.WithCancel(b.ctx)
			var call worker.Group
			call.Go("call", func() error {
				v, err := c.Call(ctx, &worker.Call{Op: "ignore", Local: 1})
				if v != "finished" {
					return errors.New("returned before its handler did")
				}
				return err
			})
			b.await("held")
			cancel()
			require.NoError(t, call.Wait())
		})
	}
}

func TestUnknownWorkers(t *testing.T) {
	b := newBench(t, modes[0])
	_, err := b.call(b.Channel("nobody"), "echo", nil)
	require.ErrorIs(t, err, fault.NotFound)
	require.False(t, b.Channel("nobody").Local())
	require.ErrorIs(t, b.Host.Stop(b.ctx, "nobody"), fault.NotFound)
}
