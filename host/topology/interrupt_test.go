package topology_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

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
