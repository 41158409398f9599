package topology_test

import (
	"context"
	"io"
	"slices"
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
	running := l.host.Running()
	slices.Sort(running[1:]) // the repositories and the state are started, and stopped, at the same time
	require.Equal(t, []string{"log", "far", "near", "state"}, running, "what serves goes on until Stop")
	require.NoError(t, l.Close(l.ctx))
	require.Empty(t, l.host.Running())
	started := l.who("started")
	slices.Sort(started[1:4])
	require.Equal(t, []string{"log", "far", "near", "state", "sync"}, started)
	stopped := l.who("stopped")
	slices.Sort(stopped[1:4])
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
	stopped := l.who("stopped")
	slices.Sort(stopped[2:4])
	require.Equal(t, []string{"sync", "user", "far", "state", "filter", "log"}, stopped)
	require.Equal(t, []string{"filter", "log", "far", "user", "state", "sync"}, l.who("started"))
}

func TestStartFails(t *testing.T) {
	l := newLab(t)
	far := l.server(l.RepositoryManager, "far")
	near := l.server(l.RepositoryManager, "near")
	state := l.make(l.StateManager, topology.Declaration{Name: "state", Worker: "server", Late: true, Params: wire.Map{"start": "fail"}}, nil)
	err := l.Start(l.ctx, far, near, state, l.engine("sync", "done", far, near, state))
	require.ErrorIs(t, err, fault.Auth)
	require.ErrorContains(t, err, "start worker state: sign in: refused")
	require.Equal(t, "state", err.(*fault.Error).Worker)
	require.Empty(t, l.host.Running())
	require.Equal(t, topology.Result{}, l.wait())
	require.NoError(t, l.Close(l.ctx))
	require.ElementsMatch(t, []string{"near", "far"}, l.who("stopped"), "those that were started")
}

// Repositories are started at the same time, and one that cannot be started is not
// waited for by the others.
func TestRepositoriesStartTogether(t *testing.T) {
	l := newLab(t)
	far := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "server", Params: wire.Map{"start": "wait"}}, nil)
	near := l.make(l.RepositoryManager, topology.Declaration{Name: "near", Worker: "server", Params: wire.Map{"start": "fail"}}, nil)
	err := l.Start(l.ctx, far, near)
	require.ErrorIs(t, err, fault.Auth)
	require.Equal(t, "near", err.(*fault.Error).Worker)
	require.Empty(t, l.host.Running())
	require.NoError(t, l.ctx.Err())
}

// A state is opened while a server is waited for, unless it has to be made: a run that
// cannot sign in leaves none behind.
func TestStateStartsWithTheRepositories(t *testing.T) {
	server := func(l *lab, declare func(topology.Declaration) (*topology.Manager, error), name, start string, late bool) *topology.Manager {
		return l.make(declare, topology.Declaration{Name: name, Worker: "server", Late: late, Params: wire.Map{"start": start}}, nil)
	}
	t.Run("meanwhile", func(t *testing.T) {
		l := newLab(t)
		far, state := server(l, l.RepositoryManager, "far", "wait", false), server(l, l.StateManager, "state", "fail", false)
		err := l.Start(l.ctx, far, state)
		require.ErrorIs(t, err, fault.Auth)
		require.Equal(t, "state", err.(*fault.Error).Worker, "the server is not waited for")
	})
	t.Run("late", func(t *testing.T) {
		l := newLab(t)
		far, state := server(l, l.RepositoryManager, "far", "fail", false), server(l, l.StateManager, "state", "", true)
		require.ErrorIs(t, l.Start(l.ctx, far, state), fault.Auth)
		require.Empty(t, l.who("started"))
	})
}

// One that may ask for a password is started alone.
func TestWhoAsksStartsAlone(t *testing.T) {
	for _, first := range []bool{true, false} {
		l := newLab(t)
		far := l.make(l.RepositoryManager, topology.Declaration{Name: "far", Worker: "server", Alone: first, Params: wire.Map{"start": "fail"}}, nil)
		near := l.make(l.RepositoryManager, topology.Declaration{Name: "near", Worker: "server", Alone: !first}, nil)
		require.ErrorIs(t, l.Start(l.ctx, far, near), fault.Auth)
		require.Empty(t, l.who("started"), "the other did not begin")
	}
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
