package topology_test

import (
	"context"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestARunThatGoesWell(t *testing.T) {
	l := newLab(t)
	l.start(l.account("done")...)
	require.Equal(t, topology.Result{}, l.wait())
	require.Equal(t, []string{"log", "far", "near", "state"}, l.host.Running(), "what serves goes on until Stop")
	require.NoError(t, l.Close(l.ctx))
	require.Empty(t, l.host.Running())
	require.Equal(t, []string{"log", "far", "near", "state", "sync"}, l.who("started"))
	stopped := l.who("stopped")
	slices.Sort(stopped[1:3]) // the repositories are stopped at the same time
	require.Equal(t, []string{"sync", "far", "near", "state", "log"}, stopped)
}

// Whoever is called starts before and stops after its callers, whatever order
// the managers are given in.
func TestOrder(t *testing.T) {
	l := newLab(t)
	log := l.server(l.LoggerManager, "log")
	filter := l.server(l.WorkerManager, "filter")
	far := l.server(l.RepositoryManager, "far", filter, log) // a controller asks a user's worker
	state := l.server(l.StateManager, "state")
	engine := l.engine("sync", "drain", far, state)
	user := l.server(l.WorkerManager, "user", far)
	require.ErrorContains(t, l.Start(l.ctx, far), `leads to "filter", which is not there`)
	l.start(user, engine, state, far, log, filter)
	require.ErrorContains(t, l.Start(l.ctx, far), "runs already")
	require.NoError(t, l.Close(l.ctx))
	require.Equal(t, []string{"sync", "user", "far", "filter", "state", "log"}, l.who("stopped"))
	require.Equal(t, []string{"filter", "log", "far", "user", "state", "sync"}, l.who("started"))
}

func TestStartFails(t *testing.T) {
	l := newLab(t)
	far := l.server(l.RepositoryManager, "far")
	near := l.server(l.RepositoryManager, "near")
	state := l.make(l.StateManager, topology.Declaration{Name: "state", Worker: "server", Params: wire.Map{"start": "fail"}}, nil)
	err := l.Start(l.ctx, far, near, state, l.engine("sync", "done", far, near, state))
	require.ErrorIs(t, err, fault.Auth)
	require.ErrorContains(t, err, "start worker state: sign in: refused")
	require.Equal(t, "state", err.(*fault.Error).Worker)
	require.Empty(t, l.host.Running())
	require.Equal(t, topology.Result{}, l.wait())
	require.NoError(t, l.Close(l.ctx))
	require.Equal(t, []string{"near", "far"}, l.who("stopped"), "those that were started, in reverse")
}

func TestAFatalErrorStopsTheRun(t *testing.T) {
	l := newLab(t)
	l.start(l.account("fatal")...)
	r := l.wait()
	require.ErrorIs(t, r.Err, fault.Guard)
	require.ErrorContains(t, r.Err, "worker sync: sync: too many removals")
	require.Empty(t, l.host.Running())
	require.ErrorIs(t, l.Start(l.ctx, l.engine("late", "done")), fault.Stopped)
	require.NoError(t, l.Close(l.ctx))
	require.Equal(t, "log", l.who("stopped")[4])
}

// The first failure is the cause; the others are told in the log.
func TestTheFirstFailureIsTheCause(t *testing.T) {
	asked := make(chan string)
	l := newLab(t, func(o *topology.Options) {
		o.Decide = func(e worker.Exit) topology.Decision { asked <- e.Worker; return topology.Default }
	})
	l.start(l.engine("a", "fatal"))
	require.Equal(t, "a", <-asked)
	l.start(l.engine("b", "fatal"))
	require.Equal(t, "b", <-asked)
	r := l.wait()
	require.Equal(t, "a", r.Err.(*fault.Error).Worker)
	require.NoError(t, l.Close(l.ctx))
	require.Contains(t, l.logged(), "worker=b")
}

func TestOtherEnginesFinishTheirBatch(t *testing.T) {
	l := newLab(t)
	l.start(l.engine("good", "drain"), l.engine("bad", "fatal"))
	require.ErrorIs(t, l.wait().Err, fault.Guard)
	require.Equal(t, []string{"good"}, l.who("batch"))
}

func TestAStubbornEngineIsCancelled(t *testing.T) {
	l := newLab(t, func(o *topology.Options) { o.Grace = time.Millisecond })
	l.start(l.account("stubborn")...)
	require.NoError(t, l.Close(l.ctx))
	require.Equal(t, []string{"sync"}, l.who("stopped")[:1])
	require.NoError(t, l.wait().Err)
}

func TestARepositoryIsRestarted(t *testing.T) {
	l := newLab(t)
	m := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "engine", Params: wire.Map{"run": "fail"}}, nil)
	l.start(m, l.engine("sync", "drain", m))
	r := l.wait()
	require.ErrorIs(t, r.Err, fault.Network, "the limit was reached")
	require.Len(t, l.who("started", "far"), 4, "once, and three restarts")
	require.Contains(t, l.logged(), "in=2ms attempt=3", "the pause grows up to its limit")
	require.NotContains(t, l.logged(), "attempt=4")
}

// A child process that is killed is a repository that is restarted; its
// channels lead to the new one.
func TestAKilledProcessIsReportedAndRestarted(t *testing.T) {
	var exits []worker.Exit
	l := newLab(t, func(o *topology.Options) {
		o.Decide = func(e worker.Exit) topology.Decision { exits = append(exits, e); return topology.Default }
	})
	far := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "server", Backend: worker.Process}, nil)
	l.start(far, l.engine("sync", "drain", far))
	l.await(1, "far", "started")
	before, err := l.ask("far", "pid")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(int(before.(int64)), syscall.SIGKILL))
	l.await(2, "far", "started")
	var after wire.Value
	require.Eventually(t, func() bool {
		after, err = l.ask("far", "pid")
		return err == nil
	}, 10*time.Second, time.Millisecond)
	require.NotEqual(t, before, after)
	require.NoError(t, l.Close(l.ctx))
	require.Len(t, exits, 1)
	require.Equal(t, "far", exits[0].Worker)
	require.ErrorIs(t, exits[0].Err, fault.Crashed)
	require.NoError(t, l.wait().Err)
}

func TestACrashIsNotRestarted(t *testing.T) {
	l := newLab(t)
	far := l.server(l.RepositoryManager, "far")
	l.start(far, l.engine("sync", "drain", far))
	_, err := l.ask("far", "panic")
	require.ErrorIs(t, err, fault.Crashed)
	r := l.wait()
	require.ErrorIs(t, r.Err, fault.Crashed)
	require.Equal(t, "far", r.Err.(*fault.Error).Worker)
	require.Len(t, l.who("started", "far"), 1)
}

func TestDecisionsOfAScript(t *testing.T) {
	decide := func(d topology.Decision) func(*topology.Options) {
		return func(o *topology.Options) { o.Decide = func(worker.Exit) topology.Decision { return d } }
	}
	t.Run("go", func(t *testing.T) {
		l := newLab(t, decide(topology.Go))
		l.start(l.engine("a", "fatal"), l.engine("b", "done"))
		r := l.wait()
		require.NoError(t, r.Err)
		require.Len(t, r.Failed, 1)
		require.ErrorIs(t, r.Failed[0].Err, fault.Guard)
	})
	t.Run("stop", func(t *testing.T) {
		l := newLab(t, decide(topology.Stop))
		l.start(l.engine("sync", "drain"))
		l.start(l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "engine", Params: wire.Map{"run": "fail"}}, nil))
		require.ErrorIs(t, l.wait().Err, fault.Network)
		require.Len(t, l.who("started", "far"), 1)
	})
	t.Run("restart", func(t *testing.T) {
		l := newLab(t, decide(topology.Restart))
		l.start(l.engine("sync", "fatal"))
		require.ErrorIs(t, l.wait().Err, fault.Guard)
		require.Len(t, l.who("started", "sync"), 4)
	})
	t.Run("panic", func(t *testing.T) {
		l := newLab(t, func(o *topology.Options) { o.Decide = func(worker.Exit) topology.Decision { panic("in the script") } })
		l.start(l.engine("sync", "fatal"))
		require.ErrorIs(t, l.wait().Err, fault.Guard)
		require.Contains(t, l.logged(), "in the script")
	})
}

// A script that reads the errors decides by itself: nothing stops by default.
func TestErrorsAreAStream(t *testing.T) {
	l := newLab(t)
	far := l.server(l.RepositoryManager, "far")
	l.start(far, l.engine("a", "fatal"), l.engine("b", "drain", far))
	failed, err := l.NextError(l.ctx)
	require.NoError(t, err)
	require.Equal(t, "a", failed.Worker)
	require.ErrorIs(t, failed, fault.Guard)
	_, err = l.ask("far", "panic")
	require.Error(t, err)
	failed, err = l.NextError(l.ctx)
	require.NoError(t, err)
	require.Equal(t, "far", failed.Worker)

	ctx, cancel := context.WithTimeout(l.ctx, 5*time.Millisecond)
	defer cancel()
	_, err = l.NextError(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, []string{"b"}, l.host.Running())

	require.NoError(t, l.Stop(l.ctx, failed))
	_, err = l.NextError(l.ctx)
	require.Equal(t, io.EOF, err)
	r := l.wait()
	require.Equal(t, error(failed), r.Err)
	require.Len(t, r.Failed, 2)
}

func TestErrorsEndWithTheEngines(t *testing.T) {
	l := newLab(t)
	l.start(l.account("done")...)
	_, err := l.NextError(l.ctx)
	require.Equal(t, io.EOF, err)
}

func TestWaitTimesOut(t *testing.T) {
	l := newLab(t)
	l.start(l.account("drain")...)
	ctx, cancel := context.WithTimeout(l.ctx, 5*time.Millisecond)
	defer cancel()
	_, err := l.Wait(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, l.host.Running(), 5)
}

func TestWithoutEnginesTheUsersWorkersCount(t *testing.T) {
	l := newLab(t)
	l.start(l.make(l.WorkerManager, topology.Declaration{Name: "mine", Worker: "engine", Params: wire.Map{"run": "drain"}}, nil))
	ctx, cancel := context.WithTimeout(l.ctx, 5*time.Millisecond)
	defer cancel()
	_, err := l.Wait(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	l.Interrupt()
	require.Equal(t, topology.Result{Interrupted: true}, l.wait())
}

func TestStopIsIdempotent(t *testing.T) {
	l := newLab(t)
	bad := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "server", Params: wire.Map{"stop": "fail"}}, nil)
	l.start(bad)
	first := fault.New(fault.Quota, "", "first")
	for _, cause := range []error{first, fault.New(fault.Auth, "", "second"), nil} {
		require.ErrorIs(t, l.Stop(l.ctx, cause), fault.IO, "what went wrong while stopping")
	}
	require.Equal(t, error(first), l.wait().Err)
	require.Error(t, l.Close(l.ctx))
	require.Len(t, l.who("stopped"), 1)
}

func TestStopMayBeCalledFromADecision(t *testing.T) {
	var l *lab
	why := fault.New(fault.Config, "", "the script says so")
	l = newLab(t, func(o *topology.Options) {
		o.Decide = func(worker.Exit) topology.Decision {
			_ = l.Stop(l.ctx, why)
			return topology.Go
		}
	})
	l.start(append(l.account("drain"), l.engine("bad", "fatal"))...)
	require.Equal(t, error(why), l.wait().Err)
}

func TestRestartByHand(t *testing.T) {
	l := newLab(t)
	far := l.server(l.RepositoryManager, "far")
	l.start(far, l.engine("sync", "drain", far))
	require.NoError(t, l.Restart(l.ctx, "far"))
	require.NoError(t, l.Restart(l.ctx, "sync"))
	require.ErrorIs(t, l.Restart(l.ctx, "nobody"), fault.NotFound)
	l.await(2, "far", "started")
	l.await(2, "sync", "running")
	require.Equal(t, []string{"far", "sync"}, l.host.Running())
	l.Interrupt()
	require.Equal(t, topology.Result{Interrupted: true}, l.wait())
	require.ErrorIs(t, l.Restart(l.ctx, "sync"), fault.Stopped)
}

func TestInterrupts(t *testing.T) {
	t.Run("once: finish the batch", func(t *testing.T) {
		l := newLab(t)
		l.start(append(l.account("drain"), l.engine("another", "drain and say so"))...)
		l.Interrupt()
		require.Equal(t, topology.Result{Interrupted: true}, l.wait())
		require.ElementsMatch(t, []string{"sync", "another"}, l.who("batch"))
		require.NoError(t, l.Linger().Err())
		<-l.Draining()
		require.ErrorIs(t, l.Start(l.ctx, l.server(l.RepositoryManager, "late")), fault.Stopped)
	})
	t.Run("twice: close connections", func(t *testing.T) {
		l := newLab(t)
		l.start(l.account("stubborn")...)
		l.Interrupt()
		require.Len(t, l.host.Running(), 5)
		l.Interrupt()
		require.Equal(t, topology.Result{Interrupted: true}, l.wait())
		require.ErrorContains(t, context.Cause(l.Linger()), "interrupted")
		require.Empty(t, l.host.Running())
	})
	t.Run("three times: at once", func(t *testing.T) {
		l := newLab(t)
		far := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "server", Backend: worker.Process}, nil)
		l.start(far, l.engine("sync", "stubborn", far))
		pid, err := l.ask("far", "pid")
		require.NoError(t, err)
		for range 4 {
			l.Interrupt()
		}
		require.True(t, l.wait().Interrupted)
		require.Error(t, syscall.Kill(int(pid.(int64)), 0), "no child is left")
	})
	t.Run("a restart that waits is given up", func(t *testing.T) {
		l := newLab(t, func(o *topology.Options) { o.Restart = topology.Backoff{First: time.Hour, Longest: time.Hour} })
		far := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "engine", Params: wire.Map{"run": "fail"}}, nil)
		l.start(far)
		require.Eventually(t, func() bool { return l.logged() != "" }, 10*time.Second, time.Millisecond)
		l.Interrupt()
		require.NoError(t, l.Close(l.ctx))
		require.Len(t, l.who("started", "far"), 1)
	})
}

func TestKill(t *testing.T) {
	l := newLab(t)
	l.start(l.account("stubborn")...)
	l.Kill()
	require.NoError(t, l.wait().Err)
	require.Empty(t, l.host.Running())
}
