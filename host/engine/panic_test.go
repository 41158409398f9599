package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
)

// A panic in whatever a run calls ends the run, not the program.
func TestPanicEndsTheRunOnly(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.near.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpDeliver {
			panic("a mistake of ours")
		}
		return nil
	})
	_, err := w.run()
	require.ErrorIs(t, err, fault.Crashed)
	w.near.SetHook(nil)
	w.sync()
	w.same()
}
