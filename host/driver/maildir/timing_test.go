package maildir_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

func TestWhatIsDoneOnDiskIsCounted(t *testing.T) {
	dir := t.TempDir()
	r := timing.New()
	s := open(t, maildir.Options{Path: dir, Timing: r})
	require.NoError(t, s.CreateFolder(t.Context(), mail.Inbox))
	put(t, s, mail.Inbox, mail.Flags{}, mail.Flags{})
	_, err := s.Changes(t.Context(), mail.Ref{Name: mail.Inbox}, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)
	f := r.Figures()
	require.EqualValues(t, 2, f.Count(timing.Files))
	require.GreaterOrEqual(t, f.Count(timing.Directories), int64(2), "new and cur")
	durable, ok := f.Phase(timing.Sync)
	require.True(t, ok)
	require.GreaterOrEqual(t, f.Count(timing.Syncs), int64(durable.Times))

	none := timing.New()
	s = open(t, maildir.Options{Path: t.TempDir(), Timing: none, NoFsync: true})
	require.NoError(t, s.CreateFolder(t.Context(), mail.Inbox))
	put(t, s, mail.Inbox, mail.Flags{})
	require.Zero(t, none.Figures().Count(timing.Syncs))
	_, ok = none.Figures().Phase(timing.Sync)
	require.False(t, ok)
}
