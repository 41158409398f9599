package maildir_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func open(t testing.TB, opts maildir.Options) *maildir.Store {
	t.Helper()
	s := maildir.New(opts)
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The place where a disk is to be mounted must not get a Maildir because
// somebody looked at it.
func TestTheFirstWriteMakesTheRoot(t *testing.T) {
	parent := t.TempDir()
	root := filepath.Join(parent, "Mail", "me")
	for _, make := range []func() error{
		func() error { return nil },
		func() error { return os.MkdirAll(root, 0o700) },
	} {
		require.NoError(t, make())
		before := tree(t, parent)
		s := maildir.New(maildir.Options{Path: root})
		require.NoError(t, s.Open(t.Context()))
		list, err := s.Folders(t.Context())
		require.NoError(t, err)
		require.Empty(t, list)
		stamp, err := s.Stamp(t.Context())
		require.NoError(t, err)
		require.Empty(t, stamp)
		_, err = s.Changes(t.Context(), mail.Ref{Name: mail.Inbox}, "", func([]mail.Meta) error { return nil })
		require.ErrorIs(t, err, fault.NotFound)
		require.NoError(t, s.Close())
		require.Equal(t, before, tree(t, parent))
	}
	require.NoError(t, os.RemoveAll(filepath.Dir(root)))
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), mail.Inbox))
	for _, dir := range []string{root, filepath.Join(root, "INBOX", "cur")} {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, fs.ModeDir|0o700, info.Mode(), "mail is nobody else's business")
	}
}

// tree is everything below a directory that a look at it could have changed.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		out[path] = fmt.Sprint(info.Mode(), info.Size(), st.Ino, st.Mtim, st.Ctim)
		return nil
	}))
	return out
}

func TestReadOnlyLeavesNoTrace(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "INBOX")
	makeDirs(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new", "1.a.b"), []byte("Subject: a\n\nb\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cur", "2.a.b:2,S"), []byte("Subject: a\n\nb\n"), 0o600))
	for _, locked := range []bool{false, true} {
		if locked {
			other := open(t, maildir.Options{Path: root})
			require.NoError(t, other.SetStamp(t.Context(), "me:1"))
		}
		before := tree(t, root)
		s := open(t, maildir.Options{Path: root, ReadOnly: true})
		list, err := s.Folders(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		n := 0
		ref := mail.Ref{Name: mail.Inbox, Epoch: list[0].Epoch}
		res, err := s.Changes(t.Context(), ref, "", func(ms []mail.Meta) error { n += len(ms); return nil })
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.NoError(t, s.Describe(t.Context(), ref, res.Present, mail.WantHeader|mail.WantSize, func([]mail.Description) error { return nil }))
		require.NoError(t, s.Bodies(t.Context(), ref, res.Present, func(_ mail.Meta, b mail.Body) error {
			_, err := io.Copy(io.Discard, b)
			return err
		}))
		_, err = s.Reserve(t.Context(), ref, 1)
		require.ErrorIs(t, err, fault.ReadOnly)
		_, err = s.Deliver(t.Context(), ref, mail.Meta{}, mail.Body{})
		require.ErrorIs(t, err, fault.ReadOnly)
		_, err = s.Change(t.Context(), ref, []mail.Change{{Key: "1.a.b", Op: mail.ChangeRemove}})
		require.ErrorIs(t, err, fault.ReadOnly)
		require.ErrorIs(t, s.CreateFolder(t.Context(), "New"), fault.ReadOnly)
		require.ErrorIs(t, s.RemoveFolder(t.Context(), mail.Inbox), fault.ReadOnly)
		require.ErrorIs(t, s.RenameFolder(t.Context(), "A", "B"), fault.ReadOnly)
		require.ErrorIs(t, s.SetStamp(t.Context(), "me:2"), fault.ReadOnly)
		require.NoError(t, s.Close())
		require.Equal(t, before, tree(t, root))
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	pp := filepath.Join(dir, "Maildir")
	makeDirs(t, pp)
	other := filepath.Join(dir, "other")
	s := maildir.New(maildir.Options{Path: other})
	require.NoError(t, s.Open(t.Context()))
	require.NoError(t, s.SetStamp(t.Context(), "other 1"))
	require.NoError(t, s.Close())

	for name, one := range map[string]struct {
		opts maildir.Options
		says string
	}{
		"no path":                {maildir.Options{}, "path is missing"},
		"a file":                 {maildir.Options{Path: file}, "is no directory"},
		"a Maildir, not as such": {maildir.Options{Path: pp}, `subfolders = "maildir++"`},
		"in another root":        {maildir.Options{Path: filepath.Join(other, "a", "b")}, "root of another account"},
		"an unknown layout":      {maildir.Options{Path: dir, Subfolders: "cyrus"}, "layout"},
		"an unknown encoding":    {maildir.Options{Path: dir, Encoding: "latin1"}, "encoding"},
		"a separator":            {maildir.Options{Path: dir, Separator: "/"}, "separator"},
		"an info separator":      {maildir.Options{Path: dir, InfoSeparator: "::"}, "info_separator"},
		"letters":                {maildir.Options{Path: dir, Letters: map[string]string{"A": "x"}}, "keywords"},
		"letters twice":          {maildir.Options{Path: dir, Letters: map[string]string{"a": "x", "b": "X"}}, "two letters"},
	} {
		err := maildir.New(one.opts).Open(t.Context())
		require.ErrorIs(t, err, fault.Config, name)
		require.ErrorContains(t, err, one.says, name)
	}
	open(t, maildir.Options{Path: pp, Inbox: pp})

	if os.Geteuid() != 0 {
		shut := filepath.Join(dir, "shut")
		require.NoError(t, os.Mkdir(shut, 0o500))
		err := maildir.New(maildir.Options{Path: shut}).Open(t.Context())
		require.ErrorIs(t, err, fault.Permission)
	}
}

func TestRootWithinARoot(t *testing.T) {
	outer := t.TempDir()
	inner := maildir.New(maildir.Options{Path: filepath.Join(outer, "work")})
	require.NoError(t, inner.Open(t.Context()))
	require.NoError(t, inner.SetStamp(t.Context(), "work 1"))
	require.NoError(t, inner.Close())
	s := open(t, maildir.Options{Path: outer})
	_, err := s.Folders(t.Context())
	require.ErrorIs(t, err, fault.Config, "two accounts would write to the same folders")
	require.ErrorContains(t, err, "work")
}

func TestOneInstanceAtATime(t *testing.T) {
	root := t.TempDir()
	first := open(t, maildir.Options{Path: root})
	early := open(t, maildir.Options{Path: root})
	require.NoError(t, first.SetStamp(t.Context(), "me:1"))
	second := maildir.New(maildir.Options{Path: root})
	for _, err := range []error{second.Open(t.Context()), early.SetStamp(t.Context(), "me:2")} {
		require.ErrorIs(t, err, fault.Busy)
		require.True(t, fault.IsTemporary(err))
	}
	require.Error(t, first.Open(t.Context()), "nor twice")
	require.NoError(t, first.Close())
	require.NoError(t, second.Open(t.Context()))
	require.NoError(t, second.Close())
}

func TestStampIsPlainText(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.SetStamp(t.Context(), "me 41"))
	text, err := os.ReadFile(filepath.Join(root, ".imapfw"))
	require.NoError(t, err)
	require.Contains(t, string(text), "\nme 41\n")
	require.Error(t, s.SetStamp(t.Context(), "two\nlines"))
}

// TestEpochs: see epochFile for what an epoch must survive, and what not.
func TestEpochs(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a")
	s := maildir.New(maildir.Options{Path: root})
	require.NoError(t, s.Open(t.Context()))
	makeDirs(t, filepath.Join(root, "F"))
	_, res := list(t, s, mail.Ref{Name: "F"})
	require.NotEmpty(t, res.Epoch)
	require.NoFileExists(t, filepath.Join(root, "F", ".imapfw-folder"), "looking writes nothing")

	r, err := s.Reserve(t.Context(), mail.Ref{Name: "F", Epoch: res.Epoch}, 1)
	require.NoError(t, err)
	require.Equal(t, res.Epoch, r.Epoch, "writing it down does not change it")
	require.FileExists(t, filepath.Join(root, "F", ".imapfw-folder"))
	require.NoError(t, s.Close())

	// Restored from a backup: other inodes, the same folder.
	restored := filepath.Join(filepath.Dir(root), "b")
	require.NoError(t, os.CopyFS(restored, os.DirFS(root)))
	s = open(t, maildir.Options{Path: restored})
	_, again := list(t, s, mail.Ref{Name: "F"})
	require.Equal(t, res.Epoch, again.Epoch)

	// Made by us, removed, and made again by us.
	require.NoError(t, s.CreateFolder(t.Context(), "G"))
	_, one := list(t, s, mail.Ref{Name: "G"})
	require.NoError(t, s.RemoveFolder(t.Context(), "G"))
	require.NoDirExists(t, filepath.Join(restored, "G"))
	require.NoError(t, s.CreateFolder(t.Context(), "G"))
	_, two := list(t, s, mail.Ref{Name: "G"})
	require.NotEqual(t, one.Epoch, two.Epoch)
	require.NotEqual(t, one.Epoch, res.Epoch)
}

// A folder that was emptied a moment ago is read twice, and then believed to be
// empty.
func TestFolderThatWasJustEmptied(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, filepath.Join(root, "INBOX"))
	for _, readOnly := range []bool{false, true} {
		s := open(t, maildir.Options{Path: root, ReadOnly: readOnly})
		res, err := s.Changes(t.Context(), mail.Ref{Name: mail.Inbox}, "", func([]mail.Meta) error { return nil })
		require.NoError(t, err)
		require.True(t, res.Complete)
		require.False(t, res.Unsure)
	}
}
