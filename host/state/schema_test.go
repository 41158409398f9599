package state

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A state that an earlier imapfw left holds what it held, and what is new is filled in.
func TestOlderStateIsBroughtUpToDate(t *testing.T) {
	dir := t.TempDir()
	conn, err := sqlite.OpenConn(filepath.Join(dir, DefaultFile), sqlite.OpenReadWrite, sqlite.OpenCreate)
	require.NoError(t, err)
	old := schema()
	old.Migrations = old.Migrations[:4]
	require.NoError(t, sqlitemigration.Migrate(t.Context(), conn, old))
	require.NoError(t, writeInfo(conn, map[string]string{keyAccountID: "x", keyRun: "7", keyPending: "7", keyLastID: "9"}))
	require.NoError(t, writeInfo(conn, identityFields(Identity{})))
	for _, statement := range []string{
		"INSERT INTO folders (id, far, near, near_cursor) VALUES (1, 'INBOX', 'INBOX', '2 a b'), (2, 'Work', 'Work', '')",
		"INSERT INTO messages (id, folder, far, near, flags, ident) VALUES (3, 1, '0000000001', 'a', '', 'i'), (4, 1, '0000000002', NULL, '', 'j')",
		"INSERT INTO journal (run, at, folder, message, op, message_id) VALUES (1, 1, 'INBOX', 3, 'pull', 'a@b'), (1, 1, 'INBOX', 4, 'pull', NULL)",
	} {
		require.NoError(t, sqlitex.ExecuteTransient(conn, statement, nil))
	}
	require.NoError(t, conn.Close())

	db := New(Options{Dir: dir})
	require.NoError(t, db.Open(t.Context()))
	defer func() { require.NoError(t, db.Close()) }()
	folders, err := db.Folders(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{2, 0}, []int{folders[0].Messages, folders[1].Messages})
	require.EqualValues(t, "2 a b", folders[0].NearCursor)
	found, err := db.Find(t.Context(), "INBOX", Wanted{})
	require.NoError(t, err)
	require.Len(t, found.Rows, 1, "the one without a copy")
	require.Equal(t, 2, found.Messages)
	for _, q := range []Query{{MessageID: "a@b"}, {Rows: []int64{3, 7}}} {
		var rows []int64
		require.NoError(t, db.Events(t.Context(), q, func(events []Event) error {
			for _, e := range events {
				rows = append(rows, e.Row)
			}
			return nil
		}))
		require.Equal(t, []int64{3}, rows)
	}
}

// A commit that may wait for the disk leaves the next one to wait for itself.
func TestCommitsAreSyncedAgainAfterOneThatIsNot(t *testing.T) {
	db := New(Options{Dir: t.TempDir()})
	require.NoError(t, db.Open(t.Context()))
	defer func() { require.NoError(t, db.Close()) }()
	full := func() string {
		w := <-db.writer
		defer func() { db.writer <- w }()
		text, err := sqlitex.ResultText(w.conn.Prep("PRAGMA synchronous"))
		require.NoError(t, err)
		return text
	}
	want := full()
	require.NoError(t, db.Commit(t.Context(), "INBOX", &Change{Put: []Row{{Far: "1"}}, Later: true}))
	require.Equal(t, want, full())
	require.Error(t, db.Commit(t.Context(), "INBOX", &Change{Put: []Row{{Far: "1"}}, Later: true}))
	require.Equal(t, want, full(), "also after one that failed")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, db.Commit(ctx, "INBOX", &Change{Later: true}))
	require.Equal(t, want, full())
}
