package state_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

func TestFullDisk(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 1000)
	require.NoError(t, db.LimitPages(1))

	c := &state.Change{Put: someRows(1000, 2500), Intend: []state.Intent{{To: state.Near, Source: "1"}}}
	e := requireCode(t, fault.DiskFull, db.Commit(t.Context(), "INBOX", c))
	require.Equal(t, "INBOX", e.Folder)
	require.NotEmpty(t, e.Hint)
	require.Equal(t, 1000, count(t, db, "INBOX"), "nothing of it is there")
	require.Zero(t, c.Put[0].ID)

	require.NoError(t, db.LimitPages(0))
	require.NoError(t, db.Commit(t.Context(), "INBOX", c), "it works again when there is room")
	require.NoError(t, db.Close())
	require.NoError(t, db.Open(t.Context()))
	require.Equal(t, 2500, count(t, db, "INBOX"))
	require.NoError(t, db.Check(t.Context()))
}

func TestDamage(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 5000)
	require.NoError(t, db.Check(t.Context()))
	require.NoError(t, db.Close())

	path := filepath.Join(opts.Dir, state.DefaultFile)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	// A block of a disk that went bad, in the middle of the rows.
	copy(content[len(content)/3:], bytes.Repeat([]byte{0xa5}, 64<<10))
	require.NoError(t, os.WriteFile(path, content, 0o600))

	require.NoError(t, db.Open(t.Context()))
	e := requireCode(t, fault.IO, db.Check(t.Context()))
	require.Contains(t, e.Error(), path)
	require.NotEmpty(t, e.Hint, "what to do")
	err = db.Load(t.Context(), "INBOX", state.Far, func([]state.Row) error { return nil })
	e = requireCode(t, fault.IO, err)
	require.Contains(t, e.Error(), path)
	require.NotEmpty(t, e.Hint)
	require.NoError(t, db.Close())
	require.FileExists(t, path, "a damaged state is never removed")
}
