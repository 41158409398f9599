package maildir

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// A folder that is renamed, or made anew, just when it is read must not look like
// one that was emptied: the mail on the other side would be removed.
func TestFolderThatIsRenamedWhileItIsRead(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := New(Options{Path: t.TempDir()})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		require.NoError(t, s.CreateFolder(t.Context(), "Work"))
		dir, err := s.layout.dir("Work")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cur", "1.a.host:2,S"), []byte("a: b\n\nc\n"), 0o600))
		f, err := s.folder("read", mail.Ref{Name: "Work"})
		require.NoError(t, err)
		ref := mail.Ref{Name: "Work", Epoch: f.epochNow()}
		require.NoError(t, os.Rename(dir, dir+"-old"))
		want := fault.NotFound
		if again {
			require.NoError(t, s.CreateFolder(t.Context(), "Work"))
			want = fault.EpochChanged
		}
		_, err = s.scanIn(t.Context(), "read", f, ref, looked{})
		require.ErrorIs(t, err, want)
	}
}

// A message of a folder that is renamed just when it is to be changed is not
// gone either: its row would be forgotten.
func TestFolderThatIsRenamedWhileAMessageIsLookedFor(t *testing.T) {
	s := New(Options{Path: t.TempDir()})
	require.NoError(t, s.Open(t.Context()))
	defer s.Close()
	require.NoError(t, s.CreateFolder(t.Context(), "Work"))
	dir, err := s.layout.dir("Work")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cur", "1.a.host:2,S"), []byte("a: b\n\nc\n"), 0o600))
	f, err := s.folder("change", mail.Ref{Name: "Work"})
	require.NoError(t, err)
	look := s.locator("change", f, mail.NewKeySet("1.a.host"), false)
	require.NoError(t, os.Rename(dir, dir+"-old"))
	_, err = look.do(t.Context(), "1.a.host", func(e entry) error {
		_, err := os.Lstat(f.path(e))
		return err
	})
	require.ErrorIs(t, err, fault.NotFound)
}
