package imap_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// What a look at an account costs at most on a server with everything but
// CONDSTORE: a change that adds a round trip shows here.
func TestRoundTripsOfALook(t *testing.T) {
	s := memory(t, imaptest.Options{})
	_, err := s.Account("").Append(mail.Inbox, imaptest.SampleMessages(1, 5, 500)...)
	require.NoError(t, err)
	opts := options(s.Addr(), "user", "secret")
	opts.Conn.Timing = timing.New()
	was := timing.Figures{}
	step := func(what string, commands, turns int64) {
		t.Helper()
		now := opts.Conn.Timing.Figures()
		require.LessOrEqual(t, now.Count(timing.Commands)-was.Count(timing.Commands), commands, what)
		require.LessOrEqual(t, now.Count(timing.RoundTrips)-was.Count(timing.RoundTrips), turns, what)
		require.NotZero(t, now.Count(timing.RoundTrips)-was.Count(timing.RoundTrips), what)
		was = now
	}
	d, err := imap.New(opts)
	require.NoError(t, err)
	require.NoError(t, d.Open(context.Background()))
	step("open: AUTHENTICATE, ENABLE, NAMESPACE", 3, 3)
	_, err = d.Folders(t.Context())
	require.NoError(t, err)
	step("folders: LIST", 1, 1)
	_, err = d.Changes(t.Context(), mail.Ref{Name: mail.Inbox}, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)
	step("changes: SELECT, SEARCH, FETCH", 3, 3)
	require.NoError(t, d.Close())
	step("close: LOGOUT", 1, 1)
}
