package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

const (
	waitFor = 10 * time.Second
	tick    = time.Millisecond
)

func TestStop(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		require.NoError(t, b.Host.Stop(b.ctx, "probe"))
		require.Equal(t, worker.Exit{Worker: "probe"}, b.exit())
		require.Equal(t, "probe stopped", b.await("told").Data)
		_, err := b.call(c, "echo", nil)
		require.ErrorIs(t, err, fault.Stopped)
		require.NoError(t, b.Host.Stop(b.ctx, "probe"), "stopping twice is fine")

		b.probe()
		require.Equal(t, "the channel leads to the new one", b.must(c, "echo", "the channel leads to the new one"))
		require.Equal(t, []worker.Exit{{Worker: "probe"}}, b.finish())
	})
}

func TestStopLetsCallsFinish(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		var call, stop worker.Group
		call.Go("hold", func() error {
			v, err := b.call(c, "hold", nil)
			if v != "released" {
				return errors.Join(err, errors.New("the call was cut off"))
			}
			return err
		})
		b.await("held")
		b.must(c, "release", nil)
		stop.Go("stop", func() error { return b.Host.Stop(b.ctx, "probe") })
		require.NoError(t, call.Wait())
		require.NoError(t, stop.Wait())
	})
}

func TestStopInTime(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		var call worker.Group
		call.Go("hold", func() error {
			_, err := b.call(c, "hold", nil)
			return err
		})
		b.await("held")
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Millisecond)
		defer cancel()
		require.ErrorContains(t, b.Host.Stop(ctx, "probe"), "did not stop in time")
		err := call.Wait()
		require.ErrorIs(t, err, fault.Stopped)
		require.NotErrorIs(t, err, context.Canceled, "the caller did not cancel anything")
		require.ErrorIs(t, b.exit().Err, fault.Stopped)
		require.Empty(t, b.finish())
	})
}

func TestStopFails(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		for how, code := range map[string]fault.Code{"fail": fault.DiskFull, "panic": fault.Crashed} {
			b.start("probe", "probe", wire.Map{"stop": how}, nil)
			require.ErrorIs(t, b.Host.Stop(b.ctx, "probe"), code)
			require.ErrorIs(t, b.exit().Err, code)
		}
	})
}

func TestKill(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		var call worker.Group
		call.Go("hold", func() error {
			_, err := b.call(c, "hold", nil)
			return err
		})
		b.await("held")
		b.Kill("probe")
		require.ErrorIs(t, call.Wait(), fault.Stopped)
		require.ErrorContains(t, b.exit().Err, "was killed")
		require.Empty(t, b.finish())
	})
}

// A panic is the end of the worker, not of the program: its caller and every
// other one get an error at once, and there is one Exit, with the stack.
func TestPanicInHandle(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		var call worker.Group
		call.Go("hold", func() error {
			_, err := b.call(c, "hold", nil)
			return err
		})
		b.await("held")
		_, err := b.call(c, "panic", nil)
		require.ErrorIs(t, err, fault.Crashed)
		require.ErrorIs(t, call.Wait(), fault.Crashed)
		e := b.exit()
		require.Equal(t, "probe", e.Worker)
		require.ErrorIs(t, e.Err, fault.Crashed)
		require.ErrorContains(t, e.Err, "on purpose")
		var f *fault.Error
		require.ErrorAs(t, e.Err, &f)
		require.Contains(t, f.Trace, "probe_test.go")
		require.Equal(t, "probe stopped", b.await("told").Data)
		require.Empty(t, b.finish(), "one exit is enough")
	})
}

func TestCloseStopsInReverse(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("a", "probe", nil, nil)
		b.start("b", "probe", nil, map[string]string{"next": "a"})
		b.start("c", "runner", nil, map[string]string{"next": "b"})
		require.Equal(t, []string{"a", "b", "c"}, b.Running())
		require.NoError(t, b.Close(b.ctx))
		var order []string
		for e := range b.Exits() {
			require.NoError(t, e.Err)
			order = append(order, e.Worker)
		}
		require.Equal(t, []string{"c", "b", "a"}, order)
		require.ErrorIs(t, b.Start(b.ctx, b.spec("d", "probe", nil, nil)), fault.Stopped)
		require.NoError(t, b.Close(b.ctx), "closing twice is fine")
	})
}

func TestExitsWaitForASlowReader(t *testing.T) {
	b := newBench(t, modes[0])
	const n = 2000
	for i := range n {
		b.start("w"+itoa(i), "runner", wire.Map{"run": "done"}, nil)
	}
	seen := map[string]bool{}
	for range n {
		seen[b.exit().Worker] = true
	}
	require.Len(t, seen, n)
}
