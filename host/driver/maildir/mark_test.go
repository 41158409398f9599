package maildir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
)

// What the store changed itself is not told by the next one, as long as nobody else
// changed anything; then all is.
func TestOwnChangesAreKnownAgain(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	ref := mail.Ref{Name: "F"}
	_, res := list(t, s, ref)
	cursor := res.Cursor
	var keys []mail.Key
	for _, text := range []string{"a", "b", "c"} {
		d, err := s.Deliver(t.Context(), ref, mail.Meta{Flags: mail.NewFlags(`\Seen`)}, mail.Body{Reader: strings.NewReader(text), Size: 1, LineEnds: mail.LF})
		require.NoError(t, err)
		list, err := s.Commit(t.Context(), ref, []driver.Delivery{d})
		require.NoError(t, err)
		require.NoError(t, list[0].Err)
		placed := list[0]
		keys = append(keys, placed.Key)
		cursor = cursor.Advance(placed.Mark)
	}
	outcomes, err := s.Change(t.Context(), ref, []mail.Change{
		{Key: keys[0], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Flagged`)},
		{Key: keys[1], Op: mail.ChangeRemove},
	})
	require.NoError(t, err)
	for _, o := range outcomes {
		cursor = cursor.Advance(o.Mark)
	}
	require.NoError(t, s.Close())

	next := open(t, maildir.Options{Path: root})
	changes := func() (told int, res mail.Result) {
		res, err := next.Changes(t.Context(), ref, cursor, func(ms []mail.Meta) error {
			told += len(ms)
			return nil
		})
		require.NoError(t, err)
		return told, res
	}
	told, res := changes()
	require.Zero(t, told)
	require.False(t, res.Complete)
	before, _ := cursor.Mark()
	after, _ := res.Cursor.Mark()
	require.Equal(t, before, after)

	// The index that nobody needed is there when somebody does.
	outcomes, err = next.Change(t.Context(), ref, []mail.Change{{Key: keys[2], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Flagged`)}})
	require.NoError(t, err)
	require.False(t, outcomes[0].Gone)
	cursor = res.Cursor.Advance(outcomes[0].Mark)
	told, _ = changes()
	require.Zero(t, told)

	files, err := os.ReadDir(filepath.Join(root, "F", "cur"))
	require.NoError(t, err)
	name := filepath.Join(root, "F", "cur", files[0].Name())
	require.NoError(t, os.Rename(name, name+"T"))
	require.NoError(t, os.Chtimes(filepath.Dir(name), time.Time{}, time.Now().Add(-time.Hour)))
	told, res = changes()
	require.Equal(t, 2, told)
	require.True(t, res.Complete)
}
