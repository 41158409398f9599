package drivertest

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

func testReopen(t *testing.T, e *env) {
	ref := e.create(t, "Kept")
	keys := e.add(t, ref, texts(0, 3)...)
	e.reopen(t)
	require.Equal(t, ref, e.pin(t, "Kept"), "the epoch outlives the driver")
	got := e.read(t, ref)
	require.Len(t, got, 3)
	for i, key := range keys {
		require.Equal(t, e.kept(text(i).Body), got[key].body)
	}
}

func testClosed(t *testing.T, e *env) {
	ref := e.create(t, "F")
	require.NoError(t, e.store.Close())
	require.NoError(t, e.store.Close(), "Close may be called twice")
	_, err := e.store.Folders(e.ctx)
	require.Error(t, err)
	_, err = e.store.Changes(e.ctx, ref, "", func([]mail.Meta) error { return nil })
	require.Error(t, err)
	_, err = e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(1).Body, mail.LF))
	require.Error(t, err)

	never := e.place.Store(t)
	require.NoError(t, never.Close(), "a store that was never opened can be closed")
}

func testCloseInFlight(t *testing.T, e *env) {
	ref := e.create(t, "Busy")
	big := text(0)
	big.Body = append(big.Body, pattern(1<<20)...)
	for range 8 {
		e.add(t, ref, big)
	}
	keys := e.keys(t, ref)
	reading, read, closed := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		first := true
		read <- e.store.Bodies(e.ctx, ref, keys, func(_ mail.Meta, b mail.Body) error {
			if first {
				close(reading)
				first = false
			}
			_, err := io.Copy(io.Discard, b)
			return err
		})
	}()
	<-reading
	go func() { closed <- e.store.Close() }()
	soon(t, "Bodies while the store is being closed", func() { <-read })
	soon(t, "Close while bodies are read", func() { <-closed })

	_, err := e.store.Folders(e.ctx)
	require.Error(t, err)
	e.open(t)
	require.Equal(t, 8, e.keys(t, ref).Len(), "reading changes nothing")
}

func testStamp(t *testing.T, e *env) {
	stamper, ok := driver.As[driver.Stamper](e.store)
	if !ok {
		t.Skip("the store keeps no stamp")
	}
	stamp, err := stamper.Stamp(e.ctx)
	require.NoError(t, err)
	require.Empty(t, stamp)
	for _, want := range []string{"account-1 run 7", "account-1 run 8"} {
		require.NoError(t, stamper.SetStamp(e.ctx, want))
		stamp, err = stamper.Stamp(e.ctx)
		require.NoError(t, err)
		require.Equal(t, want, stamp)
	}
	e.reopen(t)
	stamper, _ = driver.As[driver.Stamper](e.store)
	stamp, err = stamper.Stamp(e.ctx)
	require.NoError(t, err)
	require.Equal(t, "account-1 run 8", stamp)
}

// pattern returns n bytes of text lines, all different.
func pattern(n int) []byte {
	out := make([]byte, 0, n+64)
	for i := 0; len(out) < n; i++ {
		out = append(out, "line "...)
		for v := i; ; v /= 26 {
			out = append(out, byte('a'+v%26))
			if v < 26 {
				break
			}
		}
		out = append(out, '\n')
	}
	return out[:n]
}
