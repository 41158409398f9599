package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
)

var update = flag.Bool("update", false, "write plans, tellings, exit codes and sides as they are")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drivers are the pairs that scenarios are told over: stores in memory, two
// Maildirs on disk, Dovecot and a Maildir, a store in memory and a Maildir.
var drivers = []string{"memory", "maildir", "dovecot", "mixed"}

// manyUsers lets one process of the server serve one user after the other, and
// gives some folders their special uses.
const manyUsers = `service imap {
  service_count = 1000
  process_min_avail = 4
}
namespace inbox {
  mailbox Sent {
    special_use = \Sent
  }
  mailbox Trash {
    special_use = \Trash
  }
  mailbox Junk {
    special_use = \Junk
  }
}`

// shortShare is how many scenarios there are for each that a short test tells over
// Maildirs and Dovecot.
const shortShare = 4

// TestScenarios tells every scenario over every pair of drivers.
func TestScenarios(t *testing.T) {
	paths, err := files()
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			var server *dovecot.Server
			if driver == "dovecot" {
				server = dovecot.Start(t, dovecot.Storage("sdbox"), dovecot.Config(manyUsers))
			}
			t.Run("all", func(t *testing.T) { // ends when the parallel ones below it do
				for i, path := range paths {
					f, err := readFile(path)
					require.NoError(t, err)
					t.Run(f.name(), func(t *testing.T) {
						if testing.Short() && driver != "memory" && driver != "mixed" && i%shortShare != 0 {
							t.Skip("a short test tells some scenarios only over stores that take time")
						}
						if why := f.skip(driver); why != "" {
							t.Skip(why)
						}
						t.Parallel()
						w := newWorld(t, f, driver, server)
						w.update = *update && driver == f.first()
						require.NoError(t, w.play())
						if w.update {
							require.NoError(t, f.write())
						}
					})
				}
			})
		})
	}
}

// newWorld makes two empty sides.
func newWorld(t *testing.T, f *file, driver string, server *dovecot.Server) *world {
	w := &world{t: t, file: f, home: home(t), messages: newMessages(), filled: map[side]bool{}, memories: map[string]*memory.Store{}}
	switch driver {
	case "memory":
		far, near := newMemorySide("far", false), newMemorySide("near", true)
		w.memories["far"], w.memories["near"] = far.store, near.store
		w.far, w.near = far, near
	case "maildir":
		w.far, w.near = newMaildirSide(filepath.Join(w.home, "far")), newMaildirSide(filepath.Join(w.home, "near"))
		require.NoError(t, w.far.makeFolder(mail.Inbox)) // as a server has one
	case "mixed":
		far := newMemorySide("far", false)
		w.memories["far"] = far.store
		w.far, w.near = far, newMaildirSide(filepath.Join(w.home, "near"))
	case "dovecot":
		user := strings.NewReplacer("/", "-", "_", "-").Replace(f.name())
		server.AddUser(t, user)
		far := newImapSide(t, server, user)
		t.Cleanup(func() { _ = far.close() })
		w.far, w.near = far, newMaildirSide(filepath.Join(w.home, "near"))
	}
	return w
}

// Every scenario says what it is about.
func TestEveryScenarioHasATitle(t *testing.T) {
	paths, err := files()
	require.NoError(t, err)
	titles := map[string]string{}
	for _, path := range paths {
		f, err := readFile(path)
		require.NoError(t, err)
		require.NotEmpty(t, f.title(), path)
		require.Empty(t, titles[f.title()], "%s has the title of another scenario", path)
		titles[f.title()] = path
	}
}

// home makes a folder that ends with the test, in memory where that is possible:
// what is durable is of no interest here, and waiting for disks takes minutes.
func home(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "scenario-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
