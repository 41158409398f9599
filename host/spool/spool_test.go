package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/spool"
)

func body(text string, ends mail.LineEnds) mail.Body {
	return mail.Body{Reader: strings.NewReader(text), Size: int64(len(text)), LineEnds: ends}
}

func write(t *testing.T, s *spool.Spool, run int64, text string, ends mail.LineEnds) string {
	t.Helper()
	name, err := s.Write(t.Context(), run, body(text, ends))
	require.NoError(t, err)
	return name
}

func TestWhatIsKeptComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "undo")
	s := spool.New(dir)
	_, err := os.Stat(dir)
	require.Error(t, err, "nothing is made before it is needed")
	content := map[string]string{}
	for _, ends := range []mail.LineEnds{mail.LF, mail.CRLF} {
		for _, text := range []string{"a\r\n\x00b", "", "x\n"} {
			content[write(t, s, 7, text, ends)] = text
		}
	}
	require.Len(t, content, 6)
	require.NoError(t, s.Sync(t.Context()))
	again := spool.New(dir)
	for name, text := range content {
		f, b, err := again.Open(name)
		require.NoError(t, err)
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, text, string(got))
		require.Equal(t, int64(len(text)), b.Size)
		require.Equal(t, strings.Contains(name, "crlf"), b.LineEnds == mail.CRLF)
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestPartOfAMessageIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir)
	broken := errors.New("the connection broke")
	for _, b := range []mail.Body{
		{Reader: io.MultiReader(strings.NewReader("part"), &failing{broken}), Size: 10, LineEnds: mail.LF},
		{Reader: bytes.NewReader([]byte("short")), Size: 10, LineEnds: mail.LF},
	} {
		_, err := s.Write(t.Context(), 1, b)
		require.Error(t, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "1", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestSyncThatFailed: nothing is taken for durable after a sync that failed, also
// not by those who did not ask for it.
func TestSyncThatFailed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "undo")
	s := spool.New(dir)
	defer s.Close()
	write(t, s, 1, "x", mail.LF)
	require.NoError(t, os.Rename(dir, dir+".away"))
	require.ErrorIs(t, s.Sync(t.Context()), fault.IO)
	require.NoError(t, os.Rename(dir+".away", dir))
	require.ErrorIs(t, s.Sync(t.Context()), fault.IO)
}

// TestSyncIsNotCutShort: who gives up takes nothing from the others.
func TestSyncIsNotCutShort(t *testing.T) {
	s := spool.New(t.TempDir())
	defer s.Close()
	write(t, s, 1, "x", mail.LF)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, s.Sync(stopped))
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestOldestGoFirst(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir)
	names := map[int64]string{}
	for run := int64(8); run < 12; run++ { // 10 is after 9, not before it
		names[run] = write(t, s, run, strings.Repeat("x", 100), mail.LF)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "not ours"), 0o700))
	has := func(run int64) bool {
		f, _, err := s.Open(names[run])
		if err == nil {
			require.NoError(t, f.Close())
			return true
		}
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		return false
	}
	require.NoError(t, s.Prune(time.Time{}, 400, 0))
	require.True(t, has(8))
	require.NoError(t, s.Prune(time.Time{}, 400, 150))
	require.Equal(t, []bool{false, false, true, true}, []bool{has(8), has(9), has(10), has(11)})
	require.NoError(t, s.Prune(time.Now().Add(time.Hour), 1<<30, 0))
	require.False(t, has(11))
	require.DirExists(t, filepath.Join(dir, "not ours"))
	require.NoError(t, spool.New(filepath.Join(dir, "none")).Prune(time.Now(), 0, 0))
}

func TestRunsOfALostStateAreKeptApart(t *testing.T) {
	dir := t.TempDir()
	first := write(t, spool.New(dir), 1, "old", mail.CRLF)
	second := write(t, spool.New(dir), 1, "new", mail.LF)
	require.NotEqual(t, first, second)
	_, b, err := spool.New(dir).Open(first)
	require.NoError(t, err)
	text, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
}

func TestNamesDoNotLeadOut(t *testing.T) {
	s := spool.New(t.TempDir())
	for _, name := range []string{"../x", "/etc/passwd", "1/../../x"} {
		_, _, err := s.Open(name)
		require.Equal(t, fault.Internal, fault.CodeOf(err))
	}
}

// linked is a body that is a file.
type linked struct {
	*os.File
	fail bool
}

func (l linked) Link(path string) error {
	if l.fail {
		return errors.ErrUnsupported
	}
	return os.Link(l.Name(), path)
}

func TestAFileIsLinkedWhereItCanBe(t *testing.T) {
	for _, fail := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "mail")
		require.NoError(t, os.WriteFile(path, []byte("text\n"), 0o600))
		long := time.Now().Add(-90 * 24 * time.Hour)
		require.NoError(t, os.Chtimes(path, long, long))
		f, err := os.Open(path)
		require.NoError(t, err)
		s := spool.New(filepath.Join(dir, "undo"))
		name, err := s.Write(t.Context(), 3, mail.Body{Reader: linked{f, fail}, Size: 5, LineEnds: mail.LF})
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.NoError(t, s.Sync(t.Context()))

		before, err := os.Stat(path)
		require.NoError(t, err)
		kept, err := os.Stat(filepath.Join(dir, "undo", filepath.FromSlash(name)))
		require.NoError(t, err)
		require.Equal(t, !fail, os.SameFile(before, kept))

		// The mailbox lets go of it. It is as old as it is, but kept since now.
		require.NoError(t, os.Remove(path))
		require.NoError(t, s.Prune(time.Now().Add(-24*time.Hour), 1<<20, 1))
		got, b, err := s.Open(name)
		require.NoError(t, err)
		text, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, "text\n", string(text))
		require.NoError(t, got.Close())
	}
}

// TestCopiedBesideLinked: both are durable by one Sync, and those that come after it by the next.
func TestCopiedBesideLinked(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(filepath.Join(dir, "deep", "undo"))
	defer s.Close()
	for round := range 2 {
		var names []string
		for i := range 4 {
			path := filepath.Join(dir, fmt.Sprint(round, i))
			require.NoError(t, os.WriteFile(path, []byte("text\n"), 0o600))
			f, err := os.Open(path)
			require.NoError(t, err)
			name, err := s.Write(t.Context(), 3, mail.Body{Reader: linked{f, i%2 == 0}, Size: 5, LineEnds: mail.LF})
			require.NoError(t, err)
			require.NoError(t, f.Close())
			names = append(names, name)
		}
		require.NoError(t, s.Sync(t.Context()))
		for _, name := range names {
			f, _, err := s.Open(name)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
	}
	require.NoError(t, s.Sync(t.Context()), "there is nothing to do")
}

func TestSizesAreMeasuredAgainWhereTheyChanged(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir)
	old := write(t, s, 1, strings.Repeat("x", 100), mail.LF)
	kept := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		return err == nil
	}
	long := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "1"), long, long))
	require.NoError(t, s.Prune(time.Time{}, 300, 100))
	require.True(t, kept(old))
	require.FileExists(t, filepath.Join(dir, ".sizes"))
	more := write(t, s, 1, strings.Repeat("x", 150), mail.LF)
	next := write(t, s, 2, strings.Repeat("x", 100), mail.LF)
	require.NoError(t, s.Prune(time.Time{}, 300, 100))
	require.Equal(t, []bool{false, false, true}, []bool{kept(old), kept(more), kept(next)})

	for _, text := range []string{"", "2 ", "2 x 3\n2 0 -5\n\x00\x00\n2 2 2 2\n"} { // whatever became of it
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".sizes"), []byte(text), 0o600))
		require.NoError(t, s.Prune(time.Time{}, 300, 100))
		require.True(t, kept(next))
	}
	require.NoError(t, s.Prune(time.Time{}, 50, -1))
	require.True(t, kept(next), "nothing more comes")
	require.NoError(t, s.Prune(time.Time{}, 300, 201))
	require.False(t, kept(next))
}

// Of messages whose sizes nobody knows the spool makes room for those before.
func TestSizeHoldsWhereWhatComesIsUnknown(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir)
	for run := range int64(4) {
		write(t, s, run+1, strings.Repeat("x", 100), mail.LF)
	}
	require.NoError(t, s.Prune(time.Time{}, 300, 0))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotContains(t, names(left), "1")
	require.Subset(t, names(left), []string{"2", "3", "4"})
}

func names(entries []os.DirEntry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
