package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

func openReadOnly(t testing.TB, opts state.Options) state.Store {
	t.Helper()
	s := state.ReadOnly(state.New(opts))
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func requireNoWriting(t *testing.T, s state.Store) {
	t.Helper()
	requireCode(t, fault.ReadOnly, s.Commit(t.Context(), "INBOX", &state.Change{Put: someRows(90, 91)}))
	requireCode(t, fault.ReadOnly, s.SetInfo(t.Context(), state.Info{Account: "x"}))
}

func TestDryRunWithoutState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not there")
	s := openReadOnly(t, options(dir))
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, info.Account)
	require.Zero(t, info.Run)
	folders, err := s.Folders(t.Context())
	require.NoError(t, err)
	require.Empty(t, folders)
	require.Zero(t, count(t, s, "INBOX"))
	requireNoWriting(t, s)
	require.NoDirExists(t, dir)
}

func TestDryRunLeavesNoTrace(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 2500)
	was, err := db.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	before := snapshot(t, opts.Dir)

	s := openReadOnly(t, opts)
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, was, info)
	require.Equal(t, 2500, count(t, s, "INBOX"))
	requireNoWriting(t, s)
	requireSame(t, before, snapshot(t, opts.Dir), "while it is open")
	openReadOnly(t, opts) // a second dry run is no trouble
	e := requireCode(t, fault.Busy, state.New(opts).Open(t.Context()))
	require.NotContains(t, e.Error(), "process", "the run that ended is not blamed")
	require.NoError(t, s.Close())
	requireSame(t, before, snapshot(t, opts.Dir), "afterwards")
}

func TestDryRunBesideARun(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 10)
	s := openReadOnly(t, opts)
	require.Equal(t, 10, count(t, s, "INBOX"))
	fill(t, db, "INBOX", 10, 20)
	require.Equal(t, 20, count(t, s, "INBOX"), "what the run has committed meanwhile")
	requireNoWriting(t, s)
}

// What a run that was killed committed last is only in the write-ahead log.
func TestDryRunAfterACrash(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 10)
	crashed := options(t.TempDir())
	for name, content := range snapshot(t, opts.Dir) {
		if name != "state.db-shm" {
			require.NoError(t, os.WriteFile(filepath.Join(crashed.Dir, name), []byte(content), 0o600))
		}
	}
	before := snapshot(t, crashed.Dir)
	s := openReadOnly(t, crashed)
	require.Equal(t, 10, count(t, s, "INBOX"))
	require.NoError(t, s.Close())
	after := snapshot(t, crashed.Dir)
	require.True(t, before["state.db"] == after["state.db"])
	require.True(t, before["state.db-wal"] == after["state.db-wal"])
	next := open(t, crashed)
	require.Equal(t, 10, count(t, next, "INBOX"))
}

func TestReadOnlyWithoutTheView(t *testing.T) {
	opts := options(t.TempDir())
	require.NoError(t, open(t, opts).Close())
	db := state.New(opts)
	require.NoError(t, db.OpenReadOnly(t.Context()))
	requireNoWriting(t, db)
	require.NoError(t, db.Close())
}

func TestReadOnlyAroundAnyStore(t *testing.T) {
	memory := state.NewMemory()
	require.NoError(t, memory.Open(t.Context()))
	fill(t, memory, "INBOX", 0, 10)
	require.NoError(t, memory.Close())
	s := state.ReadOnly(memory)
	require.NoError(t, s.Open(t.Context()))
	requireNoWriting(t, s)
	require.Equal(t, 10, count(t, s, "INBOX"))
	require.NoError(t, s.Close())
}
