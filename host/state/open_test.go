package state_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "imapfw", "home")
	db := open(t, options(dir))
	fill(t, db, "INBOX", 0, 10)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(d)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), d)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(entries), 3)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
	require.NoError(t, db.Close())
	require.Equal(t, []string{"state.db", "state.db.lock"}, slices.Sorted(maps.Keys(snapshot(t, dir))), "what a run that ended well leaves behind")
}

func TestStateOfAnotherAccount(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 10)
	require.NoError(t, db.Close())
	before := snapshot(t, opts.Dir)

	for want, change := range map[string]func(*state.Identity){
		`its name is "home", not "work"`:                                   func(id *state.Identity) { id.Account = "work" },
		"its far side is me@imap.example.org, not me@imap.example.net":     func(id *state.Identity) { id.Far.Host = "imap.example.net" },
		"its far side is me@imap.example.org, not you@imap.example.org":    func(id *state.Identity) { id.Far.User = "you" },
		"its far side is me@imap.example.org, not me@imap.example.org:Sub": func(id *state.Identity) { id.Far.Path = "Sub" },
		"its near side is /home/me/Mail, not /home/me/Maildir":             func(id *state.Identity) { id.Near.Path = "/home/me/Maildir" },
		"its near side is /home/me/Mail, not nothing":                      func(id *state.Identity) { id.Near = state.Place{} },
	} {
		other := opts
		change(&other.Identity)
		for _, s := range []state.Store{state.New(other), state.ReadOnly(state.New(other))} {
			e := requireCode(t, fault.Config, s.Open(t.Context()))
			require.Contains(t, e.Error(), want)
			require.NotEmpty(t, e.Hint)
		}
		requireSame(t, before, snapshot(t, opts.Dir), "a state that is refused stays as it is")
	}
	require.NoError(t, db.Open(t.Context()))
	require.Equal(t, 10, count(t, db, "INBOX"))
}

// The port is no part of an identity any more; states that recorded one are still
// those of their account.
func TestStateThatRecordedAPort(t *testing.T) {
	opts := options(t.TempDir())
	host := opts.Identity.Far.Host
	opts.Identity.Far.Host = host + ":1993"
	db := open(t, opts)
	require.NoError(t, db.Close())
	opts.Identity.Far.Host = host
	db = open(t, opts)
	require.NoError(t, db.Close())
	opts.Identity.Far.Host = "imap.example.net"
	requireCode(t, fault.Config, state.New(opts).Open(t.Context()))
}

func TestDatabasesThatAreNotOurs(t *testing.T) {
	with := func(statements ...string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
			require.NoError(t, err)
			for _, s := range statements {
				require.NoError(t, sqlitex.ExecuteTransient(conn, s, nil))
			}
			require.NoError(t, conn.Close())
		}
	}
	tests := map[string]struct {
		make  func(t *testing.T, path string)
		code  fault.Code
		words string
	}{
		"another program's":      {with("CREATE TABLE urls (url TEXT)"), fault.Config, "another program"},
		"another program's mark": {with("PRAGMA application_id = 7"), fault.Config, "another program"},
		"a later imapfw's": {func(t *testing.T, path string) {
			opts := options(filepath.Dir(path))
			db := open(t, opts)
			require.NoError(t, db.Close())
			with("PRAGMA user_version = 99")(t, path)
		}, fault.Config, "its schema is 99"},
		"no database at all": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("Dear diary. "), 1000), 0o600))
		}, fault.IO, "not a database"},
		"a folder": {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, fault.IO, "is a directory"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options(t.TempDir())
			test.make(t, filepath.Join(opts.Dir, state.DefaultFile))
			before := snapshot(t, opts.Dir)
			delete(before, "state.db.lock")
			e := requireCode(t, test.code, state.New(opts).Open(t.Context()))
			require.Contains(t, e.Error(), test.words)
			after := snapshot(t, opts.Dir)
			delete(after, "state.db.lock")
			requireSame(t, before, after, "what is not ours stays as it is")
			// The lock was given back.
			again := state.New(opts).Open(t.Context())
			require.Equal(t, test.code, fault.CodeOf(again), "%v", again)
		})
	}
}

func TestStateFolderCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	e := requireCode(t, fault.Config, state.New(options(filepath.Join(file, "home"))).Open(t.Context()))
	require.Contains(t, e.Error(), file)

	if os.Geteuid() == 0 {
		t.Skip("the superuser may write everywhere: the rest needs another user")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(closed, 0o500))
	e = requireCode(t, fault.Permission, state.New(options(filepath.Join(closed, "home"))).Open(t.Context()))
	require.NotEmpty(t, e.Hint)
}

func TestOpenIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "home")
	db := state.New(options(dir))
	require.ErrorIs(t, db.Open(ctx), context.Canceled)
	require.NoDirExists(t, dir)
	require.NoError(t, db.Open(t.Context()))
	require.NoError(t, db.Close())
}

// requireSame compares two snapshots without printing databases.
func requireSame(t testing.TB, want, got map[string]string, message string) {
	t.Helper()
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), message)
	for name := range want {
		require.True(t, want[name] == got[name], "%s: %s has changed", message, name)
	}
}

// snapshot reads every file of a folder.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return out
	}
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() {
			out[e.Name()] = "a folder"
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(content)
	}
	return out
}
