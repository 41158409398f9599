package worker_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestRun(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("far", "probe", nil, nil)
		for how, code := range map[string]fault.Code{"done": "", "fail": fault.Network, "panic": fault.Crashed, "call": ""} {
			b.start("engine", "runner", wire.Map{"run": how}, map[string]string{"next": "far"})
			e := b.exit()
			require.Equal(t, "engine", e.Worker)
			if code == "" {
				require.NoError(t, e.Err, how)
			} else {
				require.ErrorIs(t, e.Err, code, how)
			}
		}
		require.Equal(t, wire.List{"engine", "far"}, b.await("chain").Data)
		require.Equal(t, []worker.Exit{{Worker: "far"}}, b.finish())
	})
}

func TestCallsAreAnsweredWhileItRuns(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.start("engine", "runner", nil, nil)
		require.Equal(t, "x", b.must(c, "echo", "x"))
		require.NoError(t, b.Host.Stop(b.ctx, "engine"), "a run that ends because it is told to has not failed")
		require.Contains(t, b.await("ended").Data, "told to stop")
		require.Equal(t, []worker.Exit{{Worker: "engine"}}, b.finish())
	})
}

func TestInterrupts(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("draining", "runner", wire.Map{"run": "drain"}, nil)
		c := b.start("stubborn", "runner", nil, nil)
		b.Drain()
		require.Equal(t, worker.Exit{Worker: "draining"}, b.exit())
		require.Equal(t, "calls go on", b.must(c, "echo", "calls go on"))
		b.start("late", "runner", wire.Map{"run": "drain"}, nil)
		require.Equal(t, worker.Exit{Worker: "late"}, b.exit())
		b.CancelRuns(fault.New(fault.Stopped, "", "interrupted twice"))
		e := b.exit()
		require.Equal(t, "stubborn", e.Worker)
		require.ErrorIs(t, e.Err, context.Canceled)
		require.Contains(t, b.await("ended").Data, "interrupted twice")
	})
}

func TestSpawn(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("near", "probe", nil, nil)
		c := b.start("far", "probe", nil, map[string]string{"next": "near"})
		require.Equal(t, wire.List{"far", "far/ep1"}, b.must(c, "spawn", "ep1"))
		require.Equal(t, wire.List{"far", "far/ep2"}, b.must(c, "spawn", "ep2"))
		_, err := b.call(c, "spawn", "ep2")
		require.ErrorIs(t, err, fault.Exists)
		b.must(c, "spawn and stop", nil)
		require.Equal(t, "far/ep stopped", b.await("told").Data)

		require.NoError(t, b.Host.Stop(b.ctx, "far"))
		require.Equal(t, worker.Exit{Worker: "far"}, b.exit())
		var order []wire.Value
		b.mu.Lock()
		for _, e := range b.events {
			order = append(order, e.Data)
		}
		b.mu.Unlock()
		require.Equal(t, []wire.Value{"far/ep stopped", "far stopped", "far/ep2 stopped", "far/ep1 stopped"}, order)
		require.Equal(t, []worker.Exit{{Worker: "near"}}, b.finish(), "only what the host started has an exit there")
	})
}

func TestASpawnedWorkerTakesItsOwnerDown(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.start("far", "probe", nil, nil)
		_, err := b.call(c, "spawn and panic", nil)
		require.ErrorIs(t, err, fault.Crashed)
		e := b.exit()
		require.Equal(t, "far", e.Worker)
		require.ErrorIs(t, e.Err, fault.Crashed)
		require.ErrorContains(t, e.Err, "far/ep")
		require.Empty(t, b.finish())
	})
}
