package maildir

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// commitSome commits n messages and returns the store.
func commitSome(t *testing.T, o Options, n int, spoil func(tmp string)) (*Store, []mail.Placed) {
	t.Helper()
	o.Path = t.TempDir()
	s := New(o)
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	ref := mail.Ref{Name: "F"}
	var ds []driver.Delivery
	for range n {
		d, err := s.Deliver(t.Context(), ref, mail.Meta{}, mail.Body{Reader: strings.NewReader("x"), Size: 1, LineEnds: mail.LF})
		require.NoError(t, err)
		ds = append(ds, d)
	}
	if spoil != nil {
		spoil(ds[0].(*delivery).tmp())
	}
	placed, err := s.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	return s, placed
}

func TestCommitSyncs(t *testing.T) {
	syncs := func(o Options, n int) int64 {
		o.Timing = timing.New()
		_, _ = commitSome(t, o, n, nil)
		return o.Timing.Figures().Count(timing.Syncs)
	}
	made := syncs(Options{}, 0) // the folder
	require.Equal(t, made+2, syncs(Options{}, 1), "what is in the file, and its name")
	require.GreaterOrEqual(t, syncs(Options{}, 100), made+2)
	require.Zero(t, syncs(Options{NoFsync: true}, 100), "the user does not want it")
}

func TestCommitWithoutAFile(t *testing.T) {
	_, placed := commitSome(t, Options{}, 3, func(tmp string) { require.NoError(t, os.Remove(tmp)) })
	require.ErrorIs(t, placed[0].Err, fault.NotFound)
	require.NoError(t, placed[1].Err)
	require.NoError(t, placed[2].Err)
}

func TestUnion(t *testing.T) {
	of := func(names ...string) (list []entry) {
		for _, name := range names {
			list = append(list, newEntry(name, false, ':'))
		}
		return list
	}
	require.Equal(t, of("a:2,S", "b:2,", "c:2,", "d:2,F"), union(of("a:2,S", "c:2,"), of("a:2,", "b:2,", "d:2,F")))
	require.Equal(t, of("a", "b"), union(nil, of("a", "b")))
	require.Equal(t, of("a", "b"), union(of("a", "b"), nil))
}

// TestBodyThatGotShorter: a file that another program cuts never looks whole.
func TestBodyThatGotShorter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	b := &fileBody{ctx: context.Background(), file: file, size: 10}
	for range 2 { // it can be read twice
		content, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, "0123456789", string(content))
		_, err = b.Seek(0, io.SeekStart)
		require.NoError(t, err)
	}
	_, err = b.Seek(-1, io.SeekStart)
	require.Error(t, err)
	at, err := b.Seek(-3, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, 7, at)
	require.NoError(t, os.WriteFile(path, []byte("01234567"), 0o600))
	_, err = io.ReadAll(b)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
