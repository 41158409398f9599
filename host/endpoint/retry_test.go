package endpoint_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestRetry(t *testing.T) {
	for name, c := range map[string]struct {
		script []endpoint.Mishap
		do     func(s driver.Store) error
		tries  int // in all
		ok     bool
	}{
		"listing": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Network, Temporary: true, Times: 2}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 3, true},
		"too often": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Network, Temporary: true}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 4, false},
		"for good": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Auth}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 1, false},
		"flags": {[]endpoint.Mishap{{Op: endpoint.OpChange, Code: fault.Network, Temporary: true, Times: 1, After: true}},
			func(s driver.Store) error {
				_, err := s.Change(context.Background(), inbox, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}})
				return err
			}, 2, true},
		"a removal": {[]endpoint.Mishap{{Op: endpoint.OpChange, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error {
				_, err := s.Change(context.Background(), inbox, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeRemove}})
				return err
			}, 1, false},
		"a delivery": {[]endpoint.Mishap{{Op: endpoint.OpDeliver, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error {
				_, err := s.Deliver(context.Background(), inbox, mail.Meta{}, body("x"))
				return err
			}, 1, false},
		"a commit": {[]endpoint.Mishap{{Op: endpoint.OpCommit, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error { _, err := s.Commit(context.Background(), inbox, nil); return err }, 1, false},
		"reading that had begun": {nil,
			func(s driver.Store) error {
				n := 0
				_, err := s.Changes(context.Background(), inbox, "", func(some []mail.Meta) error { n += len(some); return nil })
				if n != 2 {
					return errors.New("handed out twice")
				}
				return err
			}, 1, false},
		"a folder": {[]endpoint.Mishap{{Op: endpoint.OpCreateFolder, Code: fault.Network, Temporary: true, Times: 1, After: true}},
			func(s driver.Store) error {
				m, _ := driver.As[driver.FolderMaker](s)
				return m.CreateFolder(context.Background(), "New")
			}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory.New(memory.Options{})
				require.NoError(t, s.Open(t.Context()))
				defer s.Close()
				fill(s, mail.Inbox, 2, 10)
				if c.script == nil { // the answer to the reading gets lost
					s.SetHook(memory.Chain(memory.Lose(memory.OpChanges, 1)))
				}
				tries := 1
				r := endpoint.Retry(endpoint.Fake(s, c.script...), endpoint.RetryOptions{Told: func(endpoint.Op, string, int, error) { tries++ }})
				err := c.do(r)
				require.Equal(t, c.ok, err == nil, "%v", err)
				require.Equal(t, c.tries, tries)
			})
		})
	}
}

// Reading goes on where it broke, and hands out nothing twice.
func TestRetryGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{Batch: 2})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 9, 10)
		dropped := fault.New(fault.Network, "fetch", "dropped").AsTemporary()
		s.SetHook(memory.Chain(memory.Fail(memory.OpBody, 3, dropped), memory.Fail(memory.OpBody, 7, dropped), memory.Fail(memory.OpDescribe, 1, dropped)))
		r := endpoint.Retry(s, endpoint.RetryOptions{})
		var got []mail.Key
		require.NoError(t, r.Bodies(t.Context(), inbox, keys, func(m mail.Meta, _ mail.Body) error { got = append(got, m.Key); return nil }))
		require.Equal(t, list(keys), got)
		got = nil
		require.NoError(t, r.Describe(t.Context(), inbox, keys, mail.WantSize, func(ds []mail.Description) error {
			for _, d := range ds {
				got = append(got, d.Key)
			}
			return nil
		}))
		require.Equal(t, list(keys), got)

		boom := fault.New(fault.Network, "mine", "the callee's").AsTemporary()
		n := 0
		err := r.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error { n++; return boom })
		require.Same(t, error(boom), err)
		require.Equal(t, 1, n)
	})
}

// A server that asks to be left alone is, unless it asks for too long; nothing
// is waited for when the run is to end.
func TestRetryWaitsForAsLongAsItIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		drain time.Duration
		took  time.Duration // at least
		most  time.Duration
		ok    bool
	}{
		"by itself":     {0, 0, 250 * time.Millisecond, 500 * time.Millisecond, true},
		"as asked":      {30 * time.Second, 0, 30 * time.Second, 30 * time.Second, true},
		"asks a lot":    {time.Hour, 0, 0, 0, false},
		"is to end":     {30 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second, false},
		"asks little":   {time.Millisecond, 0, 250 * time.Millisecond, 500 * time.Millisecond, true},
		"ends too late": {30 * time.Second, time.Hour, 30 * time.Second, 30 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory.New(memory.Options{})
				require.NoError(t, s.Open(t.Context()))
				defer s.Close()
				busy := fault.New(fault.Busy, "list", "throttled").AsTemporary()
				busy.After = c.after
				s.SetHook(memory.Fail(memory.OpFolders, 1, busy))
				drain := make(chan struct{})
				if c.drain > 0 {
					stop := time.AfterFunc(c.drain, func() { close(drain) })
					defer stop.Stop()
				}
				var told time.Duration
				r := endpoint.Retry(s, endpoint.RetryOptions{Draining: drain,
					Waits: func(_ endpoint.Op, _ string, wait time.Duration, _ error) { told = wait }})
				begun := time.Now()
				_, err := r.Folders(t.Context())
				require.Equal(t, c.ok, err == nil, "%v", err)
				require.GreaterOrEqual(t, time.Since(begun), c.took)
				require.LessOrEqual(t, time.Since(begun), c.most)
				if c.ok {
					require.Equal(t, time.Since(begun), told)
				}
			})
		})
	}
}
