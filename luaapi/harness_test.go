package luaapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/luaapi"
)

// childFlag makes the test binary a child process of a worker.
const childFlag = "IMAPFW_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childFlag) != "" {
		in, out, err := worker.ChildPipes()
		if err == nil {
			err = worker.ServeChild(context.Background(), in, out, luaapi.ChildRegistry)
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// app is an app under test, in a home of its own.
type app struct {
	t    *testing.T
	home string
	path string
	opt  luaapi.RunOptions
	log  *lines

	mu     sync.Mutex
	events []worker.Event
}

// newApp writes files below a folder of their own; the first one is the app.
func newApp(t *testing.T, files ...string) *app {
	t.Helper()
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	t.Setenv("HOME", home)
	t.Setenv(childFlag, "1")
	a := &app{t: t, home: home, log: &lines{}}
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(home, "config", files[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o600))
		if i == 0 {
			a.path = path
		}
	}
	a.opt = luaapi.RunOptions{
		App: a.path, User: filepath.Join(home, "config"), Memories: map[string]*memory.Store{},
		Log:     slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent: a.event,
	}
	if exe, err := os.Executable(); err == nil {
		a.opt.Command = []string{exe}
	}
	return a
}

func (a *app) event(e worker.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

// told returns the events of a name.
func (a *app) told(name string) []worker.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []worker.Event
	for _, e := range a.events {
		if e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

// memory makes a store that the app finds by name.
func (a *app) memory(name string, opts memory.Options) *memory.Store {
	s := memory.New(opts)
	a.opt.Memories[name] = s
	return s
}

// run runs the app to its end.
func (a *app) run() (luaapi.Result, error) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return luaapi.Run(ctx, a.opt)
}

// done runs the app, which must do everything.
func (a *app) done() luaapi.Result {
	a.t.Helper()
	result, err := a.run()
	require.NoError(a.t, err)
	require.NoError(a.t, result.Err, a.log.String())
	require.Equal(a.t, luaapi.ExitDone, result.ExitCode)
	return result
}

// lines is a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// message is a message that differs from all others by its number.
func message(n int, header ...string) []byte {
	head := fmt.Sprintf("From: Ann <ann@example.org>\nSubject: message %d\nMessage-ID: <%d@test>\n", n, n)
	for _, line := range header {
		head += line + "\n"
	}
	return []byte(strings.ReplaceAll(head+fmt.Sprintf("\nbody %d\n", n), "\n", "\r\n"))
}

// put puts messages first..last into a folder.
func put(s *memory.Store, folder string, first, last int, header ...string) {
	for n := first; n <= last; n++ {
		s.Add(folder, memory.Message{Body: message(n, header...), Date: time.Unix(int64(1700000000+n), 0)})
	}
}

// subjects returns how many messages each folder has that holds any.
func counts(s *memory.Store) map[string]int {
	out := map[string]int{}
	for folder, list := range s.Snapshot() {
		if len(list) > 0 {
			out[folder] = len(list)
		}
	}
	return out
}

// server starts an IMAP server with messages in its inbox.
func server(t *testing.T, n int) *imaptest.Server {
	t.Helper()
	s := imaptest.New(imaptest.Options{})
	require.NoError(t, s.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for i := 1; i <= n; i++ {
		_, err := s.Account("").Append("INBOX", imaptest.Message{Content: message(i), Date: time.Unix(int64(1700000000+i), 0), Flags: mail.NewFlags(`\Seen`)})
		require.NoError(t, err)
	}
	return s
}

// replace puts hosts, secrets and paths of this machine into an example.
func replace(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, string(text), pairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(string(text))
}

func hostPort(t *testing.T, address string) (string, string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return host, port
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		require.NoError(t, os.Remove(path))
	}
}
