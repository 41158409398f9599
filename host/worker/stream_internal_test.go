package worker

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

// A stream that is given up after its proper end arrived, but before all of it
// was read, does not end properly: what is missing would look complete.
func TestAnAbortAfterTheEnd(t *testing.T) {
	ctx, gone := context.Background(), errors.New("given up")
	newReceiver := func() *receiver { return &receiver{give: func(int, bool) {}} }

	r := newReceiver()
	require.NoError(t, r.push("unread", 6))
	r.finish(nil)
	r.abort(gone)
	_, err := r.Recv(ctx)
	require.Equal(t, gone, err)

	r = newReceiver()
	require.NoError(t, r.push("read", 4))
	r.finish(nil)
	got, err := r.Recv(ctx)
	require.NoError(t, err)
	require.Equal(t, "read", got)
	r.abort(gone)
	_, err = r.Recv(ctx)
	require.Equal(t, io.EOF, err)
}

func TestAPeerThatSendsMoreThanItMay(t *testing.T) {
	r := &receiver{}
	require.NoError(t, r.push("x", window))
	require.ErrorIs(t, r.push("y", 1), fault.Protocol)
}
