package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
)

func TestOnErrorHasAFolderReadAgain(t *testing.T) {
	refused := fault.New(fault.Refused, "", "not now")
	for answer, want := range map[engine.Decision]struct{ asked, pulled, failures int }{
		engine.Retry: {asked: 1, pulled: 1},
		engine.Skip:  {asked: 1, failures: 1},
	} {
		w := newWorld(t, "imap-maildir")
		w.far.Add("INBOX", w.message())
		w.far.SetHook(failNext(memory.OpChanges, 1, refused))
		asked := 0
		w.hooks.OnError = func(context.Context, error) (engine.Decision, error) {
			asked++
			return answer, nil
		}
		r, err := w.run()
		require.NoError(t, err)
		require.Equal(t, want.asked, asked, answer)
		require.Equal(t, want.pulled, r.Pulled, answer)
		require.Len(t, r.Failures, want.failures, answer)
	}
}

// A script that always wants another try gets a few, not endless ones.
func TestOnErrorIsAskedAFewTimes(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.far.SetHook(memory.Fail(memory.OpChanges, 0, fault.New(fault.Refused, "", "never")))
	asked := 0
	w.hooks.OnError = func(context.Context, error) (engine.Decision, error) {
		asked++
		return engine.Retry, nil
	}
	r, err := w.run()
	require.NoError(t, err)
	require.Equal(t, 3, asked)
	require.Len(t, r.Failures, 1)
}

func TestWhatAScriptLeavesAloneIsTold(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		p.Drop(p.Steps(engine.OpPull, "", 0)[0].ID, nil, "not on Mondays")
		return nil
	}
	r := w.sync()
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0].Text, "not on Mondays")
}
