package maildir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
)

// A mark is written over the one before, but for one that is longer, and one that is
// also the mark of a backup which consists of second names of the files.
func TestStampWritesOverTheOneBefore(t *testing.T) {
	root := t.TempDir()
	file, backup := filepath.Join(root, ".imapfw"), filepath.Join(t.TempDir(), ".imapfw")
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), mail.Inbox))
	set := func(stamp, want string) os.FileInfo {
		t.Helper()
		require.NoError(t, s.SetStamp(t.Context(), stamp))
		got, err := s.Stamp(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
		info, err := os.Stat(file)
		require.NoError(t, err)
		return info
	}
	first := set("me:8", "me:8")
	require.True(t, os.SameFile(first, set("me:9", "me:9")))
	tenth := set("me:10", "me:10")
	require.False(t, os.SameFile(first, tenth))

	require.NoError(t, os.Link(file, backup))
	next := set("me:11", "me:11")
	require.False(t, os.SameFile(tenth, next))
	text, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.Contains(t, string(text), "me:10\n")

	require.NoError(t, os.Rename(file, backup))
	require.NoError(t, os.Symlink(backup, file))
	set("me:12", "me:12")
	text, err = os.ReadFile(backup)
	require.NoError(t, err)
	require.Contains(t, string(text), "me:11\n", "what a link leads to is not ours")

	require.NoError(t, os.Chmod(file, 0o400))
	set("me:13", "me:13")
}
