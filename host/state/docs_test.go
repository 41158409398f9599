package state_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// The queries of docs/state.md work as they stand, in the shell the page names,
// while the state is in use.
func TestDocumentedQueries(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		if os.Getenv("IMAPFW_REQUIRE_SERVERS") == "1" {
			t.Fatal("IMAPFW_REQUIRE_SERVERS=1, but there is no sqlite3")
		}
		t.Skip("this test needs the sqlite3 shell")
	}
	page, err := os.ReadFile("../../docs/state.md")
	require.NoError(t, err)
	require.Contains(t, string(page), "now "+strconv.Itoa(state.SchemaVersion()), "the number of the schema")

	opts := options(t.TempDir())
	db := open(t, opts)
	rows := someRows(0, 50)
	rows[7].Near = "1700000000.M1P2.host"
	rows[8].Near = ""
	require.NoError(t, db.Commit(t.Context(), "INBOX", &state.Change{
		Folder: &state.Folder{Far: "INBOX", Near: "INBOX"}, Put: rows,
		Intend: []state.Intent{{To: state.Near, Source: mail.UIDKey(99)}},
	}))
	run, err := db.BeginRun(t.Context(), "sync")
	require.NoError(t, err)
	require.NoError(t, db.Commit(t.Context(), "INBOX", &state.Change{Journal: []state.Event{{Run: run, Op: "pull", Side: state.Near}}}))
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, queries)
	for _, q := range queries {
		out, err := exec.CommandContext(t.Context(), shell, "-readonly", filepath.Join(opts.Dir, state.DefaultFile), q[1]).CombinedOutput()
		require.NoError(t, err, "%s%s", q[1], out)
		require.NotEmpty(t, strings.TrimSpace(string(out)), "it finds something:\n%s", q[1])
	}
}
