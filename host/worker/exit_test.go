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

func TestEvents(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.start("probe", "probe", wire.Map{"concurrency": int64(1)}, nil)
		b.must(c, "emit", int64(100))
		require.NoError(t, b.Host.Stop(b.ctx, "probe"))
		b.exit() // everything it emitted was delivered before
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Equal(t, worker.Event{Worker: "probe", Name: "progress", Data: "at once"}, b.events[0])
		for i := range 100 {
			require.Equal(t, worker.Event{Worker: "probe", Name: "told", Data: int64(i)}, b.events[i+1])
		}
		require.Equal(t, "probe stopped", b.events[101].Data)
		require.Len(t, b.events, 102)
	})
}

// A listener that calls the worker it hears from cannot block it.
func TestAListenerMayCall(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		answers := make(chan wire.Value, 10)
		b = newBench(t, b.mode, func(o *worker.Options) {
			o.OnEvent = func(e worker.Event) {
				if e.Name == "told" && e.Data == int64(0) {
					v, _ := b.call(b.Channel("probe"), "echo", "from the listener")
					answers <- v
				}
			}
		})
		b.must(b.start("probe", "probe", wire.Map{"concurrency": int64(1)}, nil), "emit", int64(1))
		require.Equal(t, "from the listener", <-answers)
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
