package maildir

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
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
	cost := func(s *Store) [2]time.Duration { return [2]time.Duration{s.disk.whole, s.disk.each} }
	guess := [2]time.Duration{guessWhole, guessEach}
	for _, n := range []int{1, 100} {
		s, _ := commitSome(t, Options{}, n, nil)
		require.NotEqual(t, guess, cost(s), "what it cost is known, so it was done")
		s, _ = commitSome(t, Options{NoFsync: true}, n, nil)
		require.Equal(t, guess, cost(s), "the user does not want it")
	}
}

func TestCommitWithoutAFile(t *testing.T) {
	_, placed := commitSome(t, Options{}, 3, func(tmp string) { require.NoError(t, os.Remove(tmp)) })
	require.ErrorIs(t, placed[0].Err, fault.NotFound)
	require.NoError(t, placed[1].Err)
	require.NoError(t, placed[2].Err)
}

func TestDiskTriesTheOtherWayAgain(t *testing.T) {
	d := newDisk(Options{})
	d.learn(&d.whole, time.Minute) // somebody else was writing a lot
	require.Equal(t, time.Minute, d.whole)
	tries := 0
	for ; d.whole > 100*d.each; tries++ {
		d.learn(&d.whole, 0)
	}
	require.Less(t, tries, 300, "it is not given up for ever")
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
