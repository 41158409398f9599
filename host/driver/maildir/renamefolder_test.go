package maildir_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// ids returns the IDs of the folders.
func ids(t *testing.T, s *maildir.Store) map[string]string {
	t.Helper()
	list, err := s.Folders(t.Context())
	require.NoError(t, err)
	out := map[string]string{}
	for _, f := range list {
		out[f.Name] = f.ID
	}
	return out
}

// What other programs keep in a folder goes along, wherever the layout has it.
func TestRenameFolderTakesEverythingAlong(t *testing.T) {
	for name, one := range map[string]struct {
		opts     maildir.Options
		from, to string // directories
	}{
		"verbatim":  {maildir.Options{}, "a", "t/n"},
		"legacy":    {maildir.Options{Subfolders: maildir.Legacy}, "a", "t/.n"},
		"maildir++": {maildir.Options{Subfolders: maildir.MaildirPP}, ".a", ".t.n"},
		"separator": {maildir.Options{Separator: "+"}, "a", "t+n"},
	} {
		t.Run(name, func(t *testing.T) {
			one.opts.Path = t.TempDir()
			s := open(t, one.opts)
			for _, folder := range []string{"a", "a/b", "a/b/c", "ab", "t"} {
				require.NoError(t, s.CreateFolder(t.Context(), folder))
			}
			before := ids(t, s)
			theirs := filepath.Join(one.opts.Path, one.from, ".mbsyncstate")
			require.NoError(t, os.WriteFile(theirs, []byte("x"), 0o600))
			fresh := drop(t, filepath.Join(one.opts.Path, one.from), drivertest.Message{Body: []byte("a: b\n\n")})
			require.NoError(t, s.RenameFolder(t.Context(), "a", "t/n"))
			require.FileExists(t, filepath.Join(one.opts.Path, one.to, ".mbsyncstate"))
			there, _ := list(t, s, mail.Ref{Name: "t/n"})
			require.Equal(t, []mail.Key{fresh}, there, "mail of others goes along")
			after := ids(t, s)
			require.Equal(t, map[string]string{"ab": before["ab"], "t": before["t"],
				"t/n": before["a"], "t/n/b": before["a/b"], "t/n/b/c": before["a/b/c"]}, after)
		})
	}
}

func TestRenameFolderIsRefused(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	for _, folder := range []string{"a", "a/b", "taken/below", mail.Inbox} {
		require.NoError(t, s.CreateFolder(t.Context(), folder))
	}
	require.ErrorIs(t, s.RenameFolder(t.Context(), "a", "taken"), fault.Exists, "what is in that directory stays")
	require.ErrorIs(t, s.RenameFolder(t.Context(), "a", "inbox"), fault.Refused)
	require.ErrorIs(t, s.RenameFolder(t.Context(), "inbox", "x"), fault.Refused)

	d, err := s.Deliver(t.Context(), mail.Ref{Name: "a/b"}, mail.Meta{}, bodyOf("a: b\n\n"))
	require.NoError(t, err)
	require.ErrorIs(t, s.RenameFolder(t.Context(), "a", "x"), fault.Busy, "something is under way below it")
	d.Abort()

	makeDirs(t, filepath.Join(root, "real"))
	require.NoError(t, os.Symlink("../real", filepath.Join(root, "a", "link")))
	require.ErrorIs(t, s.RenameFolder(t.Context(), "a/link", "x"), fault.Unsupported)
	require.Equal(t, []string{"INBOX", "a", "a/b", "a/link", "real", "taken/below"}, slices.Sorted(maps.Keys(ids(t, s))))
	require.NoError(t, s.RenameFolder(t.Context(), "a", "x"))
	require.NoError(t, os.Mkdir(filepath.Join(root, "empty"), 0o700))
	require.NoError(t, s.RenameFolder(t.Context(), "x", "empty"))
	require.Contains(t, slices.Sorted(maps.Keys(ids(t, s))), "empty/b")
}

// Killed between two directories, it is done by asking again.
func TestRenameFolderGoesOn(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root, Subfolders: maildir.MaildirPP})
	for _, folder := range []string{"a", "a/b", "a/c"} {
		require.NoError(t, s.CreateFolder(t.Context(), folder))
	}
	require.NoError(t, os.Rename(filepath.Join(root, ".a.b"), filepath.Join(root, ".x.b")))
	require.NoError(t, s.RenameFolder(t.Context(), "a", "x"))
	require.Equal(t, []string{"x", "x/b", "x/c"}, slices.Sorted(maps.Keys(ids(t, s))))
}

// An ID goes along with a directory that is renamed by hand; that of a directory
// that was copied names neither.
func TestFolderIDs(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "ours"))
	makeDirs(t, filepath.Join(root, "theirs"))
	before := ids(t, s)
	require.NotEmpty(t, before["ours"])
	require.NoError(t, os.Rename(filepath.Join(root, "ours"), filepath.Join(root, "a")))
	require.NoError(t, os.Rename(filepath.Join(root, "theirs"), filepath.Join(root, "b")))
	after := ids(t, s)
	require.Equal(t, before["ours"], after["a"])
	require.Equal(t, before["theirs"], after["b"])

	require.NoError(t, os.CopyFS(filepath.Join(root, "copy"), os.DirFS(filepath.Join(root, "a"))))
	after = ids(t, s)
	require.Empty(t, after["a"])
	require.Empty(t, after["copy"])
	require.Equal(t, before["theirs"], after["b"])
}
