package maildir_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func bodyOf(s string) mail.Body {
	return mail.Body{Reader: strings.NewReader(s), Size: int64(len(s)), LineEnds: mail.LF}
}

func read(t testing.TB, s *maildir.Store, folder string, keys ...mail.Key) map[mail.Key]string {
	t.Helper()
	out := map[mail.Key]string{}
	require.NoError(t, s.Bodies(t.Context(), mail.Ref{Name: folder}, mail.NewKeySet(keys...), func(m mail.Meta, b mail.Body) error {
		content, err := io.ReadAll(b)
		out[m.Key] = string(content)
		return err
	}))
	return out
}

// doubles makes a folder in which every kind of double is.
func doubles(t *testing.T) (*maildir.Store, string, *bytes.Buffer) {
	root, log := t.TempDir(), &bytes.Buffer{}
	s := open(t, maildir.Options{Path: root, Log: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.NoError(t, s.CreateFolder(t.Context(), "To"))
	dir := filepath.Join(root, "F")
	for name, content := range map[string]string{
		"new/1.equal": "same", "cur/1.equal:2,S": "same",
		"cur/2.different:2,": "one", "cur/2.different:2,S": "another",
		"cur/3.linked:2,F": "linked", "cur/4.single:2,": "single",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.Link(filepath.Join(dir, "cur/3.linked:2,F"), filepath.Join(dir, "cur/3.linked:2,FS")))
	return s, dir, log
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for _, sub := range []string{"new", "cur"} {
		list, err := os.ReadDir(filepath.Join(dir, sub))
		require.NoError(t, err)
		for _, e := range list {
			out = append(out, sub+"/"+e.Name())
		}
	}
	return out
}

func TestDoublesAreOneMessage(t *testing.T) {
	s, _, log := doubles(t)
	require.Equal(t, map[mail.Key]mail.Flags{
		"1.equal": mail.NewFlags(`\Seen`), "2.different": mail.NewFlags(`\Seen`),
		"3.linked": mail.NewFlags(`\Seen`, `\Flagged`), "4.single": {},
	}, flagsOf(t, s, "F"))
	require.Contains(t, log.String(), "2.different")
	require.NotContains(t, log.String(), "4.single")
	told := log.Len()
	flagsOf(t, s, "F")
	require.Equal(t, told, log.Len(), "it is told once")
	require.Equal(t, map[mail.Key]string{"2.different": "another", "3.linked": "linked"}, read(t, s, "F", "2.different", "3.linked"))
}

func TestDoublesAreRemovedOrRefused(t *testing.T) {
	for i, op := range []mail.Change{{Op: mail.ChangeRemove}, {Op: mail.ChangeMove, To: "To"}, {Op: mail.ChangeRemove}} {
		s, dir, _ := doubles(t)
		if i == 2 {
			s.KeepNames(0)
		}
		flagsOf(t, s, "F")
		var cs []mail.Change
		for _, key := range []mail.Key{"1.equal", "2.different", "3.linked", "4.single"} {
			op.Key = key
			cs = append(cs, op)
		}
		out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, cs)
		require.NoError(t, err)
		for i, o := range out {
			require.False(t, o.Gone)
			if i == 1 {
				require.ErrorIs(t, o.Err, fault.Exists, "nobody can tell which one is meant")
			} else {
				require.NoError(t, o.Err)
			}
		}
		require.Equal(t, []string{"cur/2.different:2,", "cur/2.different:2,S"}, files(t, dir))
		if op.Op == mail.ChangeMove {
			require.Len(t, files(t, filepath.Join(filepath.Dir(dir), "To")), 3)
		}
	}
}

func TestDoublesGetFlags(t *testing.T) {
	s, dir, _ := doubles(t)
	flagsOf(t, s, "F")
	out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, []mail.Change{
		{Key: "2.different", Op: mail.ChangeFlags, Remove: mail.NewFlags(`\Seen`)},
		{Key: "3.linked", Op: mail.ChangeFlags, Remove: mail.NewFlags(`\Seen`)},
	})
	require.NoError(t, err)
	require.Error(t, out[0].Err, "the name is taken, and is not overwritten")
	require.NoError(t, out[1].Err)
	require.Equal(t, "one", readFile(t, filepath.Join(dir, "cur/2.different:2,")))
	require.Equal(t, "another", readFile(t, filepath.Join(dir, "cur/2.different:2,S")))
	require.Contains(t, files(t, dir), "cur/3.linked:2,F")
	require.NotContains(t, files(t, dir), "cur/3.linked:2,FS", "one of the two names is enough")
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// Where the case of letters does not count, the two names are one, and the file is lost
// with it: a link that differs in nothing else is not removed.
func TestNamesThatDifferInCaseOnlyAreKept(t *testing.T) {
	s, dir, _ := doubles(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dovecot-keywords"), []byte("5 Work\n"), 0o600))
	file := filepath.Join(dir, "cur/5.folded:2,")
	require.NoError(t, os.WriteFile(file+"F", []byte("folded"), 0o600))
	flagsOf(t, s, "F")
	require.NoError(t, os.Link(file+"F", file+"f"))
	work := mail.NewFlags("Work")
	out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, []mail.Change{
		{Key: "5.folded", Op: mail.ChangeFlags, Add: work, Remove: mail.NewFlags(`\Flagged`)}})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.FileExists(t, file+"F")
	require.FileExists(t, file+"f")
}
