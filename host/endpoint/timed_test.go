package endpoint_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// slowStore takes three seconds for each message.
type slowStore struct{ driver.Store }

func (s slowStore) Unwrap() driver.Store { return s.Store }

func (s slowStore) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, b mail.Body) (driver.Delivery, error) {
	time.Sleep(3 * time.Second)
	return s.Store.Deliver(ctx, ref, m, b)
}

// What each side is waited for while messages stream from one to the other.
func TestTimedTellsTheSidesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := memory.New(memory.Options{}), memory.New(memory.Options{})
		for _, s := range []*memory.Store{from, to} {
			require.NoError(t, s.Open(t.Context()))
			defer s.Close()
		}
		keys := fill(from, mail.Inbox, 2, 500)
		r := timing.New()
		// So many octets a second: content of the source is slow to come.
		source := endpoint.Timed(endpoint.Throttle(from, endpoint.NewRate(100, 0)), r, "far")
		target := endpoint.Timed(slowStore{to}, r, "near")
		began := time.Now()
		require.NoError(t, source.Bodies(t.Context(), inbox, keys, func(m mail.Meta, b mail.Body) error {
			m.Key = ""
			d, err := target.Deliver(t.Context(), inbox, m, b)
			if err != nil {
				return err
			}
			_, err = target.Commit(t.Context(), inbox, []driver.Delivery{d})
			return err
		}))
		took := time.Since(began)
		f := r.Figures()
		read, ok := f.Phase("far: read messages")
		require.True(t, ok)
		written, ok := f.Phase("near: write messages")
		require.True(t, ok)
		require.Equal(t, took, read.Wall)
		require.Equal(t, 6*time.Second, written.Busy)
		require.Equal(t, 2, written.Times)
		require.Positive(t, read.Busy)
		require.Equal(t, took, read.Busy+written.Busy)
		committed, ok := f.Phase("near: commit messages")
		require.True(t, ok)
		require.Equal(t, 2, committed.Times)

		// Abilities are found through it, and recorded.
		maker, ok := driver.As[driver.FolderMaker](target)
		require.True(t, ok)
		require.NoError(t, maker.CreateFolder(t.Context(), "Work"))
		_, ok = r.Figures().Phase("near: create folder")
		require.True(t, ok)
	})
}
