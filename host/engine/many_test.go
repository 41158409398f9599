package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
)

// TestMoreThanIsReserved: keys are chosen beforehand for so many messages at a time
// only.
func TestMoreThanIsReserved(t *testing.T) {
	const many = 10_000
	w := newWorld(t, "imap-maildir")
	w.batch = 100
	for range many {
		w.far.Add("INBOX", w.message())
	}
	require.Equal(t, many, w.sync().Pulled)
	w.same()
	w.still()
}

// TestManyArriveLate: a server that goes on storing, as one, what it had received when
// the connection dropped shows nothing of it until then.
func TestManyArriveLate(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("INBOX", w.message())
	w.sync()
	var sent []memory.Message
	for range 3 {
		m := w.message()
		sent = append(sent, m)
		w.near.Add("INBOX", m)
	}
	dropped, looks := false, 0
	w.far.SetHook(func(_ context.Context, c memory.Call) error {
		switch {
		case c.Op == memory.OpCommit && !c.Done && !dropped:
			dropped = true
			return fault.New(fault.Network, "append", "the connection dropped").AsTemporary()
		case c.Op == memory.OpReserve && !c.Done && dropped:
			if looks++; looks == 4 {
				for _, m := range sent {
					w.far.Add("INBOX", m)
				}
			}
		}
		return nil
	})
	for range 3 { // whether it is the same run or the next that goes on
		_, _ = w.run()
	}
	w.far.SetHook(nil)
	w.sync()
	require.GreaterOrEqual(t, looks, 4)
	require.Equal(t, 4, count(w.far, "INBOX"))
	w.same()
}
