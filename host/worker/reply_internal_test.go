package worker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

// What was done must not look undone: an answer wins over a context that ended
// at the same time.
func TestAnAnswerThatIsThereWins(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 {
		r := newReply()
		r.set("committed", nil)
		v, err := r.wait(ctx, ctx, "call")
		require.NoError(t, err)
		require.Equal(t, "committed", v)
	}
}

func TestEndedKeepsTheCauseAndTheKind(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fault.New(fault.Guard, "plan", "too many").AsTemporary())
	err := ended(ctx, "call far")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, fault.Guard)
	require.Equal(t, fault.Guard, fault.CodeOf(err))
	require.True(t, fault.IsTemporary(err))
	require.EqualError(t, err, "call far: plan: too many")
	require.NotErrorIs(t, gone(ctx, "call far"), context.Canceled)

	plain, stop := context.WithCancel(context.Background())
	stop()
	require.Equal(t, fault.Stopped, fault.CodeOf(ended(plain, "call far")))
	require.EqualError(t, ended(plain, "call far"), "call far: context canceled")
}
