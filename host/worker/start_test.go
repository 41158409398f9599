package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestStartFails(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		for how, code := range map[string]fault.Code{"fail": fault.Auth, "panic": fault.Crashed, "spawn and fail": fault.Internal} {
			err := b.Start(b.ctx, b.spec("probe", "probe", wire.Map{"start": how}, nil))
			require.Equal(t, code, fault.CodeOf(err), "%v", err)
		}
		require.ErrorIs(t, b.Start(b.ctx, b.spec("probe", "unbuilt", nil, nil)), fault.Config)
		_, err := b.call(b.Channel("probe"), "echo", nil)
		require.ErrorIs(t, err, fault.NotFound)
		ctx, cancel := context.WithTimeout(b.ctx, 50*time.Millisecond)
		defer cancel()
		err = b.Start(ctx, b.spec("probe", "probe", wire.Map{"start": "hang"}, nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		b.probe() // the name is free
		require.NoError(t, b.Host.Stop(b.ctx, "probe"))
		require.Equal(t, []worker.Exit{{Worker: "probe"}}, b.finish(), "what did not start does not exit")
	})
}

func TestStartRefuses(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.probe()
		require.ErrorIs(t, b.Start(b.ctx, b.spec("probe", "probe", nil, nil)), fault.Exists)
		for _, c := range []struct {
			spec worker.Spec
			want string
		}{
			{b.spec("", "probe", nil, nil), "without a name"},
			{b.spec("a/b", "probe", nil, nil), "without a slash"},
			{b.spec("x", "probe", nil, map[string]string{"to": "nobody"}), `channel "to" of worker "x" leads to "nobody", which is not there`},
			{b.spec("x", "probe", nil, map[string]string{"me": "x"}), "in a circle: x -> x"},
			{b.spec("x", "probe", wire.Map{"fn": func() {}}, nil), "params.fn: a func() cannot cross a channel"},
			{worker.Spec{Name: "x", Kind: "probe", Backend: "remote"}, "unknown backend"},
		} {
			require.ErrorContains(t, b.Start(b.ctx, c.spec), c.want)
		}
		require.ErrorContains(t, b.Start(b.ctx, b.spec("x", "what", nil, nil)), `unknown kind "what"`)
		require.Equal(t, []string{"probe"}, b.Running())
	})
}

// A worker whose channel leads to one that is down for now can be started; its
// calls reach the other one once it is back.
func TestStartBeforeARestart(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("far", "probe", nil, nil)
		require.NoError(t, b.Host.Stop(b.ctx, "far"))
		c := b.start("engine", "probe", nil, map[string]string{"next": "far"})
		_, err := b.call(c, "forward", "chain")
		require.ErrorIs(t, err, fault.Stopped)
		b.start("far", "probe", nil, nil)
		require.Equal(t, wire.List{"engine", "far"}, b.must(c, "forward", "chain"))
	})
}

// A channel of a restarted worker must not close a circle either.
func TestARestartCannotCloseACircle(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("far", "probe", nil, nil)
		b.start("engine", "probe", nil, map[string]string{"next": "far"})
		require.NoError(t, b.Host.Stop(b.ctx, "far"))
		err := b.Start(b.ctx, b.spec("far", "probe", nil, map[string]string{"back": "engine"}))
		require.ErrorIs(t, err, fault.Config)
		require.ErrorContains(t, err, "in a circle")
	})
}

func TestCheckGraph(t *testing.T) {
	spec := func(name string, to ...string) worker.Spec {
		s := worker.Spec{Name: name, Channels: map[string]string{}}
		for _, c := range to {
			s.Channels[c] = c
		}
		return s
	}
	require.NoError(t, worker.CheckGraph([]worker.Spec{spec("engine", "far", "near", "state"), spec("far", "log"), spec("near", "log"), spec("state"), spec("log")}))
	for want, specs := range map[string][]worker.Spec{
		"in a circle: a -> b -> c -> a": {spec("a", "b"), spec("b", "c"), spec("c", "a")},
		"in a circle: b -> b":           {spec("a", "b"), spec("b", "b")},
		`two workers are named "a"`:     {spec("a"), spec("a")},
		`leads to "x"`:                  {spec("a", "x")},
	} {
		err := worker.CheckGraph(specs)
		require.ErrorIs(t, err, fault.Config)
		require.ErrorContains(t, err, want)
	}
}
