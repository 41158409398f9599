package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// topology is an app that runs every worker on one backend.
func topology(far, near, backend string) string {
	return fmt.Sprintf(`local api = require "imapfw.api"
local app = api.app { name = "spread" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", class = api.ImapRepository, backend = %[3]q, endpoint = %[1]s, max_endpoints = 2 }
  local near = api.RepositoryManager { name = "near", class = api.MaildirRepository, backend = %[3]q, endpoint = api.MaildirEndpoint { path = %[2]q } }
  local state = api.RepositoryManager { name = "state", class = api.StateRepository, backend = %[4]q, endpoint = api.StateEndpoint { path = "~/state" } }
  local engine = api.EngineManager { name = "sync", class = api.SyncEngine, backend = %[3]q, far = far, near = near, state = state }
  ctx:start { far, near, state, engine }
  return ctx:wait()
end
return app
`, strings.Replace(far, "api.imap", "api.ImapEndpoint", 1), near, backend, map[bool]string{true: "inline", false: backend}[backend == "process"])
}

// children lists the worker processes that were started in a folder.
func children(t testing.TB, home string) []string {
	home, err := filepath.EvalSymlinks(home)
	require.NoError(t, err)
	var out []string
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range all {
		cwd, _ := os.Readlink(p + "/cwd")
		line, _ := os.ReadFile(p + "/cmdline")
		if cwd == home && bytes.Contains(line, []byte(workerArg)) {
			out = append(out, p)
		}
	}
	return out
}

func TestEveryBackendGivesTheSame(t *testing.T) {
	srv := dovecot.Start(t)
	fill(t, srv, "same", oddCorpus(17, 300))
	client := dialRaw(t, srv.Addr(), "same", dovecot.Password)
	defer client.close()
	far := imapStore(srv.Addr(), "same", dovecot.Password, "")
	for _, backend := range []string{"goroutine", "process", "inline"} {
		t.Run(backend, func(t *testing.T) {
			home := t.TempDir()
			near := filepath.Join(home, "near")
			app := write(t, home, "spread.lua", topology(far, near, backend))
			r := ok(t, home, "run", app)
			require.Contains(t, r.out, "300 pulled")
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			require.Contains(t, ok(t, home, "run", app).out, "nothing to do")
			require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/new/1.x.y"), []byte("Subject: "+backend+"\n\nnew\n"), 0o600))
			ok(t, home, "run", app)
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			client.cmd("SELECT INBOX")
			client.cmd(`UID STORE * +FLAGS (\Deleted)`)
			client.cmd("EXPUNGE")
			require.Empty(t, children(t, home))
		})
	}
}

func TestNoChildIsLeft(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "proc")
	root := filepath.Join(srv.HomeDir("proc"), "mail")
	makeMaildir(t, root)
	for i := range 3000 {
		store(t, root, fmt.Sprintf("16%08d.M%dP1.host", i, i), "S", fmt.Appendf(nil, "Message-ID: <%d@proc>\n\n%s\n", i, strings.Repeat("text ", 1000)), time.Unix(1_600_000_000, 0))
	}
	srv.Own(t, srv.HomeDir("proc"))
	home := t.TempDir()
	near := filepath.Join(home, "near")
	app := write(t, home, "spread.lua", topology(imapStore(srv.Addr(), "proc", dovecot.Password, ""), near, "process"))
	begin := func() (*bytes.Buffer, func(os.Signal) int) {
		cmd := command(t, home, "run", app)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool {
			e, _ := os.ReadDir(filepath.Join(near, "INBOX/cur"))
			return len(e) > 0
		}, time.Minute, time.Millisecond)
		require.Len(t, children(t, home), 3)
		return &errs, func(sig os.Signal) int {
			require.NoError(t, cmd.Process.Signal(sig))
			_ = cmd.Wait()
			return cmd.ProcessState.ExitCode()
		}
	}
	gone := func() bool { return len(children(t, home)) == 0 }

	errs, signal := begin()
	require.Equal(t, 130, signal(os.Interrupt), errs.String())
	require.Eventually(t, gone, 5*time.Second, time.Millisecond, "children outlive an interrupt")
	require.Empty(t, temporaries(t, near))

	require.NoError(t, os.RemoveAll(near))
	require.NoError(t, os.RemoveAll(filepath.Join(home, "state")))
	_, signal = begin()
	signal(os.Kill)
	require.Eventually(t, gone, 5*time.Second, time.Millisecond, "children outlive their parent")
	ok(t, home, "run", app)
	require.Equal(t, 3000, readMaildir(t, near).messages())
	client := dialRaw(t, srv.Addr(), "proc", dovecot.Password)
	defer client.close()
	require.Equal(t, client.snapshot(), readMaildir(t, near))
}
