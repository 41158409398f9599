package topology_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

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
