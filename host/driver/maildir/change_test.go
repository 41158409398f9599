package maildir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestMoveKeepsTheKey(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	for _, folder := range []string{"F", "To"} {
		require.NoError(t, s.CreateFolder(t.Context(), folder))
	}
	for name, content := range map[string]string{"F/cur/1.x:2,S": "a", "F/new/2.x": "b", "F/cur/3.x:2,": "c", "To/cur/3.x:2,F": "other"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o600))
	}
	require.NoError(t, os.Remove(filepath.Join(root, "To", "new")))
	var cs []mail.Change
	for _, key := range []mail.Key{"1.x", "2.x", "3.x"} {
		cs = append(cs, mail.Change{Key: key, Op: mail.ChangeMove, To: "To"})
	}
	out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, cs)
	require.NoError(t, err)
	for _, o := range out {
		require.NoError(t, o.Err)
	}
	require.Equal(t, mail.Key("1.x"), out[0].NewKey)
	require.Equal(t, mail.Key("2.x"), out[1].NewKey)
	require.NotEqual(t, mail.Key("3.x"), out[2].NewKey, "that one is taken")
	require.FileExists(t, filepath.Join(root, "To", "new", "2.x"), "what is new stays new")
	require.Equal(t, "other", readFile(t, filepath.Join(root, "To/cur/3.x:2,F")))
	require.Equal(t, map[mail.Key]string{"1.x": "a", "2.x": "b", out[2].NewKey: "c", "3.x": "other"},
		read(t, s, "To", "1.x", "2.x", "3.x", out[2].NewKey))
	require.Empty(t, files(t, filepath.Join(root, "F")))

	out, err = s.Change(t.Context(), mail.Ref{Name: "To"}, []mail.Change{{Key: "1.x", Op: mail.ChangeMove, To: "To"}})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.Equal(t, mail.Key("1.x"), out[0].NewKey, "it is where it should be")
}

// TestMoveToAnotherFileSystem moves to a folder that is linked to.
func TestMoveToAnotherFileSystem(t *testing.T) {
	const memory = "/dev/shm"
	elsewhere, err := os.MkdirTemp(memory, "imapfw-test")
	if err != nil {
		t.Skipf("no second file system: %v", err)
	}
	defer os.RemoveAll(elsewhere)
	makeDirs(t, elsewhere)
	root := t.TempDir()
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(root, "Far")))
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	date := time.Date(2011, 2, 3, 4, 5, 6, 0, time.UTC)
	path := filepath.Join(root, "F", "cur", "1.x:2,S")
	require.NoError(t, os.WriteFile(path, []byte("a\r\nb\n"), 0o600))
	require.NoError(t, os.Chtimes(path, date, date))
	out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, []mail.Change{{Key: "1.x", Op: mail.ChangeMove, To: "Far"}})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.Empty(t, files(t, filepath.Join(root, "F")))
	require.Equal(t, "a\r\nb\n", readFile(t, filepath.Join(elsewhere, "cur", "1.x:2,S")), "not a byte is changed")
	info, err := os.Stat(filepath.Join(elsewhere, "cur", "1.x:2,S"))
	require.NoError(t, err)
	require.True(t, date.Equal(info.ModTime()))
	put(t, s, "Far", mail.NewFlags(`\Seen`))
	left, err := os.ReadDir(filepath.Join(elsewhere, "tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestChangesFromBothSides has the driver and another program rename the same
// files, with the driver's two callers against each other as well.
func TestChangesFromBothSides(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root, NoFsync: true})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.NoError(t, s.CreateFolder(t.Context(), "To"))
	var keys []mail.Key
	for i := range 60 {
		keys = append(keys, mail.Key(fmt.Sprintf("%d.x", i)))
		require.NoError(t, os.WriteFile(filepath.Join(root, "F", "new", string(keys[i])), nil, 0o600))
	}
	var all sync.WaitGroup
	outs := make([][]mail.Outcome, 4)
	errs := make([]error, 4)
	for w := range 4 {
		all.Go(func() {
			var cs []mail.Change
			for _, key := range keys {
				if w%2 == 0 {
					cs = append(cs, mail.Change{Key: key, Op: mail.ChangeMove, To: "To"})
				} else {
					cs = append(cs, mail.Change{Key: key, Op: mail.ChangeRemove})
				}
			}
			outs[w], errs[w] = s.Change(t.Context(), mail.Ref{Name: "F"}, cs)
		})
	}
	all.Wait()
	for i := range keys {
		done := 0
		for w := range 4 {
			require.NoError(t, errs[w])
			require.NoError(t, outs[w][i].Err)
			if !outs[w][i].Gone {
				done++
			}
		}
		require.Equal(t, 1, done, "each message is moved or removed once")
	}
}

func TestCursorOfAFolderThatMoves(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	cursor := func() mail.Cursor {
		list, err := s.Folders(t.Context())
		require.NoError(t, err)
		return list[0].Cursor.Place()
	}
	key := drop(t, filepath.Join(root, "F"), drivertest.Message{Body: []byte("x")})
	_, res := list(t, s, mail.Ref{Name: "F"})
	require.NotEqual(t, res.Cursor.Place(), cursor(), "it has just changed: it may change again without showing it")
	time.Sleep(grain)
	require.NotEqual(t, res.Cursor.Place(), cursor(), "so it is read once more")
	_, res = list(t, s, mail.Ref{Name: "F"})
	require.Equal(t, res.Cursor.Place(), cursor(), "and then it is known")
	again, err := s.Changes(t.Context(), mail.Ref{Name: "F"}, res.Cursor, func([]mail.Meta) error {
		t.Error("an unchanged folder was read")
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, res.Cursor, again.Cursor)
	require.False(t, again.Complete)

	// A backup puts an older state back, together with the modification time.
	dir := filepath.Join(root, "F", "new")
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, string(key))))
	require.NoError(t, os.Chtimes(dir, info.ModTime(), info.ModTime()))
	time.Sleep(grain)
	require.NotEqual(t, res.Cursor.Place(), cursor())
}

// An empty folder is as sure as any other: two readings that find nothing agree.
func TestAFolderThatWasJustEmptied(t *testing.T) {
	root := t.TempDir()
	makeDirs(t, filepath.Join(root, "F"))
	s := open(t, maildir.Options{Path: root, ReadOnly: true}) // it knows no clock to tell how long ago that was
	_, res := list(t, s, mail.Ref{Name: "F"})
	require.True(t, res.Complete)
	require.False(t, res.Unsure)
}

func TestDates(t *testing.T) {
	s := open(t, maildir.Options{Path: t.TempDir()})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	ref := mail.Ref{Name: "F"}
	for _, one := range []struct{ sent, kept time.Time }{
		{time.Date(1999, 12, 31, 23, 59, 59, 0, time.FixedZone("", 3600)), time.Date(1999, 12, 31, 22, 59, 59, 0, time.UTC)},
		{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Unix(0, 0)},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		d, err := s.Deliver(t.Context(), ref, mail.Meta{Date: one.sent}, bodyOf("x"))
		require.NoError(t, err)
		placed, err := s.Commit(t.Context(), ref, []driver.Delivery{d})
		require.NoError(t, err)
		require.NoError(t, s.Describe(t.Context(), ref, mail.NewKeySet(placed[0].Key), mail.WantDate, func(ds []mail.Description) error {
			require.True(t, one.kept.Equal(ds[0].Date), "%v", ds[0].Date)
			return nil
		}))
	}
}

// TestWhatIsNoMessage puts things into a folder that cannot be read.
func TestWhatIsNoMessage(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	cur := filepath.Join(root, "F", "cur")
	require.NoError(t, os.WriteFile(filepath.Join(cur, "1.good:2,"), []byte("x"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(cur, "2.directory"), 0o700))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(cur, "3.nowhere")))
	keys, _ := list(t, s, mail.Ref{Name: "F"})
	require.Len(t, keys, 3)
	n := 0
	err := s.Bodies(t.Context(), mail.Ref{Name: "F"}, mail.NewKeySet(keys...), func(mail.Meta, mail.Body) error { n++; return nil })
	partial, ok := driver.AsPartial(err)
	require.True(t, ok, "the rest is done")
	require.Len(t, partial.Failed, 2)
	require.Equal(t, 1, n)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	s := open(t, maildir.Options{Path: t.TempDir()})
	err := s.CreateFolder(t.Context(), "a//b")
	require.ErrorIs(t, err, fault.BadName)
	require.ErrorContains(t, err, `"a//b"`)
	require.ErrorContains(t, err, "rename")
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a controller's mistake") }

func TestPanicLeavesNothing(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.Panics(t, func() {
		_, _ = s.Deliver(t.Context(), mail.Ref{Name: "F"}, mail.Meta{}, mail.Body{Reader: panicking{}, Size: 1, LineEnds: mail.LF})
	})
	left, err := os.ReadDir(filepath.Join(root, "F", "tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
	key := put(t, s, "F", mail.Flags{})[0].Key
	require.Panics(t, func() {
		_ = s.Bodies(t.Context(), mail.Ref{Name: "F"}, mail.NewKeySet(key), func(mail.Meta, mail.Body) error { panic("x") })
	})
	require.NoError(t, s.Close(), "nobody waits for what has panicked")
}
