package maildir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// faults returns the folders with what is wrong with them.
func faults(t *testing.T, s *maildir.Store) map[string]string {
	t.Helper()
	list, err := s.Folders(t.Context())
	require.NoError(t, err)
	out := map[string]string{}
	for _, f := range list {
		out[f.Name] = f.Fault
	}
	return out
}

func TestFoldersThatAreNone(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"INBOX", "a", "a/b/c", ".hidden", "a/.hidden", "a/cur/deep"} {
		makeDirs(t, filepath.Join(root, dir))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "empty", "new"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "a", "subscriptions"), nil, 0o600))
	require.Equal(t, map[string]string{"INBOX": "", "a": "", "a/b/c": ""}, faults(t, open(t, maildir.Options{Path: root})))
}

func TestFoldersThatCannotBeKept(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	for _, dir := range []string{"INBOX", "a/b", "Inbox", "latin\xe9"} {
		makeDirs(t, filepath.Join(root, dir))
	}
	makeDirs(t, elsewhere)
	for name, to := range map[string]string{"z": "a", "loop": ".", "linked": elsewhere, "a/up": ".."} {
		require.NoError(t, os.Symlink(to, filepath.Join(root, name)))
	}
	makeDirs(t, filepath.Join(root, "a"))
	s := open(t, maildir.Options{Path: root})
	got := faults(t, s)
	for _, fine := range []string{"INBOX", "a", "a/b", "linked"} {
		require.Contains(t, got, fine)
		require.Empty(t, got[fine], fine)
	}
	require.Contains(t, got["z"], `the same directory as the folder "a"`)
	require.NotContains(t, got, "z/b", "what is below is told once")
	require.Contains(t, got["Inbox"], "does not match", "IMAP takes it for INBOX")
	require.Contains(t, got["latin\uFFFD"], "UTF-8")
	for name, why := range got {
		if name != "INBOX" && name != "a" && name != "a/b" && name != "linked" {
			require.NotEmpty(t, why, name)
		}
	}
	_, err := s.Changes(t.Context(), mail.Ref{Name: "latin\uFFFD"}, "", nil)
	require.ErrorIs(t, err, fault.NotFound)
}

func TestMaildirPPOfOthers(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, root)
	for _, dir := range []string{".Sent", ".Archive.2020", "..sub", ".INBOX.odd", ".a..b"} {
		makeDirs(t, filepath.Join(root, dir))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".notmuch"), 0o700))
	got := faults(t, open(t, maildir.Options{Path: root, Subfolders: maildir.MaildirPP}))
	for _, fine := range []string{"INBOX", "Sent", "Archive/2020"} {
		require.Contains(t, got, fine)
		require.Empty(t, got[fine], fine)
	}
	require.Empty(t, got["INBOX/sub"])
	require.NotEmpty(t, got["a//b"])
	require.NotContains(t, got, "notmuch")
	require.Len(t, got, 6)
	odd := 0
	for _, why := range got {
		if why != "" {
			odd++
		}
	}
	require.Equal(t, 2, odd)
}

func TestRemoveFolderLeavesWhatIsNotOurs(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "a/b"))
	require.NoError(t, s.CreateFolder(t.Context(), "a"))
	theirs := filepath.Join(root, "a", ".mbsyncstate")
	require.NoError(t, os.WriteFile(theirs, nil, 0o600))
	require.NoError(t, s.RemoveFolder(t.Context(), "a"))
	require.FileExists(t, theirs)
	require.Equal(t, map[string]string{"a/b": ""}, faults(t, s))

	for _, sub := range []string{"tmp", "new", "cur"} {
		underway := filepath.Join(root, "a", "b", sub, "1.somebody's.host")
		require.NoError(t, os.WriteFile(underway, nil, 0o600))
		require.ErrorIs(t, s.RemoveFolder(t.Context(), "a/b"), fault.Refused, "there is something in %s", sub)
		require.FileExists(t, underway)
		require.NoError(t, os.Remove(underway))
	}
	require.NoError(t, s.CreateFolder(t.Context(), mail.Inbox))
	require.ErrorIs(t, s.RemoveFolder(t.Context(), mail.Inbox), fault.Refused)
}
