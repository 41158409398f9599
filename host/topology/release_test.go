package topology_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// What one engine used is stopped when it is done, and the others go on.
func TestRelease(t *testing.T) {
	l := newLab(t)
	log := l.server(l.LoggerManager, "log")
	far, near := l.server(l.RepositoryManager, "far", log), l.server(l.RepositoryManager, "near", log)
	first, never := l.engine("first", "done", far, near), l.server(l.RepositoryManager, "never")
	other := l.server(l.RepositoryManager, "other")
	second := l.engine("second", "drain", other)
	l.start(log, far, near, first, other, second)

	require.NoError(t, l.Done(l.ctx, "first"))
	require.NoError(t, l.Release(l.ctx, far, near, first, never))
	for _, name := range []string{"far", "near", "first"} {
		l.await(1, name, "stopped")
	}
	require.Equal(t, []string{"log", "other", "second"}, l.host.Running())

	ctx, cancel := context.WithCancel(l.ctx)
	cancel()
	require.ErrorIs(t, l.Done(ctx, "second"), context.Canceled, "it is not done yet")
	require.NoError(t, l.Stop(l.ctx, nil))
	require.NoError(t, l.Done(l.ctx, "second"))
	require.NoError(t, l.Release(l.ctx, other), "everything was stopped")
	require.Empty(t, l.wait().Failed)
	require.NoError(t, l.wait().Err)
}
