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

// Of a folder with very many files no names are kept: a file is looked for under what
// follows the keys of the others. What another program does meanwhile is seen.
func TestFolderWhoseNamesAreNotKept(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "F")
	makeDirs(t, dir)
	for _, name := range []string{"cur/1.a:2,S", "cur/2.b:2,", "cur/3.c:2,S", "new/4.d", "cur/5.e:2,FS"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	s := maildir.New(maildir.Options{Path: root, NoFsync: true}).KeepNames(2)
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	ref := mail.Ref{Name: "F"}

	first := changesOf(t, s, "")
	require.Len(t, first, 5)
	for _, one := range []mail.Key{"1.a", "4.d"} {
		require.Len(t, read(t, s, "F", one), 1)
	}

	// An end that no file had, and a message that is gone.
	require.NoError(t, os.Rename(filepath.Join(dir, "cur/2.b:2,"), filepath.Join(dir, "cur/2.b:2,RT")))
	require.NoError(t, os.Remove(filepath.Join(dir, "cur/3.c:2,S")))
	seen := mail.NewFlags(`\Seen`)
	out, err := s.Change(t.Context(), ref, []mail.Change{
		{Key: "2.b", Op: mail.ChangeFlags, Add: seen}, {Key: "3.c", Op: mail.ChangeFlags, Add: seen},
		{Key: "4.d", Op: mail.ChangeFlags, Add: seen}, {Key: "9.z", Op: mail.ChangeRemove},
	})
	require.NoError(t, err)
	for i, gone := range []bool{false, true, false, true} {
		require.NoError(t, out[i].Err)
		require.Equal(t, gone, out[i].Gone, out[i].Key)
	}
	require.ElementsMatch(t, []string{"cur/1.a:2,S", "cur/2.b:2,RST", "cur/4.d:2,S", "cur/5.e:2,FS"}, files(t, dir))

	// What is no key names nothing, least of all the directory.
	for _, key := range []mail.Key{"", ".", "../../x", "1.a:2,S"} {
		out, err = s.Change(t.Context(), ref, []mail.Change{{Key: key, Op: mail.ChangeMove, To: "F"}})
		require.NoError(t, err)
		require.True(t, out[0].Gone, key)
	}

	// Its own doubles it does not remove without looking.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cur/1.a:2,FS"), []byte("something else"), 0o600))
	out, err = s.Change(t.Context(), ref, []mail.Change{{Key: "1.a", Op: mail.ChangeRemove}})
	require.NoError(t, err)
	require.ErrorIs(t, out[0].Err, fault.Exists)
	require.Len(t, changesOf(t, s, ""), 4)
}

// A folder with very many kinds of names keeps the names.
func TestFolderWithManyEnds(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "F")
	makeDirs(t, dir)
	var keys []mail.Key
	for a := 'a'; a <= 'z'; a++ {
		for _, b := range []string{"", "F", "FS", "S"} {
			key := mail.Key("1." + string(a) + b)
			keys = append(keys, key)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "cur", string(key)+":2,"+b+string(a)), []byte("x"), 0o600))
		}
	}
	s := maildir.New(maildir.Options{Path: root, NoFsync: true}).KeepNames(2)
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.Len(t, read(t, s, "F", keys...), len(keys))
}

func changesOf(t *testing.T, s *maildir.Store, since mail.Cursor) (out []mail.Meta) {
	t.Helper()
	_, err := s.Changes(t.Context(), mail.Ref{Name: "F"}, since, func(list []mail.Meta) error {
		out = append(out, list...)
		return nil
	})
	require.NoError(t, err)
	return out
}
