package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/timing"
)

// A run that is recorded does the same, and tells what it was busy with.
func TestTimedRun(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.AddFolder("Work")
	w.near.AddFolder("Work")
	w.far.Add("Work", w.message())
	w.far.Add("Work", w.message())
	planned := 0
	w.hooks.OnPlan = func(context.Context, *engine.Plan) error { planned++; return nil }
	w.timing = timing.New()
	require.Equal(t, 2, w.sync().Pulled)
	require.Equal(t, 1, planned)
	f := w.timing.Figures()
	for name, times := range map[string]int{
		"recall what is known": 1, "plan": 1, "copy": 1, "copy: far to near": 1, "change flags, remove": 1, "mark the run": 2,
		"far: list folders": 1, "near: list folders": 1, "far: read changes": 2, "far: read messages": 1, "near: write messages": 2,
		"near: commit messages": 1, "state: read": -1, "state: commit": -1, "script: on_plan": 1,
	} {
		p, ok := f.Phase(name)
		require.True(t, ok, name)
		if times > 0 {
			require.Equal(t, times, p.Times, name)
		}
	}
	_, ok := f.Phase("copy: near to far")
	require.False(t, ok)

	// Where nothing is to be done nothing is copied, and scripts that override
	// nothing are not waited for.
	w.hooks, w.timing = engine.Hooks{}, timing.New()
	require.Zero(t, w.sync().Changes())
	f = w.timing.Figures()
	_, ok = f.Phase("script: on_plan")
	require.False(t, ok)
	_, ok = f.Phase("far: read messages")
	require.False(t, ok)
	_, ok = f.Phase("plan")
	require.True(t, ok)
}
