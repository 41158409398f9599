package endpoint_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
)

func TestTrace(t *testing.T) {
	s := server(t, memory.Options{})
	keys := fill(s, "Work", 3, 1000)
	var log bytes.Buffer
	tr := endpoint.Trace(s, slog.New(slog.NewTextHandler(&log, nil)), slog.LevelInfo)
	require.NoError(t, tr.Bodies(t.Context(), mail.Ref{Name: "Work"}, keys, func(_ mail.Meta, b mail.Body) error { read(t, b); return nil }))
	require.Contains(t, log.String(), "op=bodies")
	require.Contains(t, log.String(), "folder=Work")
	require.Contains(t, log.String(), "asked=3 ")
	require.Contains(t, log.String(), "octets=30")
	log.Reset()
	_, err := tr.Changes(t.Context(), mail.Ref{Name: "None"}, "", nil)
	require.Error(t, err)
	require.Contains(t, log.String(), "failed=not_found")
	require.NotContains(t, log.String(), "Subject")
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 10, 10_000) // about 100 kB
		slow := endpoint.Throttle(s, endpoint.NewRate(10_000, 0))
		began := time.Now()
		require.NoError(t, slow.Bodies(t.Context(), inbox, keys, func(_ mail.Meta, b mail.Body) error { read(t, b); return nil }))
		took := time.Since(began)
		require.Greater(t, took, 8*time.Second)
		require.Less(t, took, 11*time.Second)

		few := endpoint.Throttle(s, endpoint.NewRate(0, 2))
		began = time.Now()
		for range 12 {
			_, err := few.Folders(t.Context())
			require.NoError(t, err)
		}
		took = time.Since(began)
		require.Greater(t, took, 4*time.Second)
		require.Less(t, took, 7*time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		for err == nil {
			_, err = few.Folders(ctx)
		}
		require.ErrorIs(t, err, context.DeadlineExceeded, "waiting honours the context")
	})
}

// A body that can be read twice is paid for once, and still can.
func TestThrottleKeepsSeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{Maildir: true})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 5, 10_000)
		slow := endpoint.Throttle(s, endpoint.NewRate(10_000, 0))
		began := time.Now()
		require.NoError(t, slow.Bodies(t.Context(), inbox, keys, func(_ mail.Meta, b mail.Body) error {
			first := read(t, b)
			_, err := b.Reader.(interface {
				Seek(int64, int) (int64, error)
			}).Seek(0, 0)
			require.NoError(t, err)
			require.Equal(t, first, read(t, b))
			return nil
		}))
		require.Less(t, time.Since(began), 5*time.Second)
		require.Greater(t, time.Since(began), 2*time.Second)
	})
}
