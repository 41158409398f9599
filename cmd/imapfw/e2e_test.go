package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// asCommand makes the test binary be the command itself: whole-program tests,
// and the child processes of the process backend, run the code under test.
const asCommand = "IMAPFW_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"imapfw": main})
}

// command prepares a run of imapfw with a home of its own.
func command(t testing.TB, home string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "HOME="+home,
		"XDG_CONFIG_HOME="+filepath.Join(home, ".config"), "XDG_STATE_HOME="+filepath.Join(home, ".state"),
		"XDG_DATA_HOME="+filepath.Join(home, ".data"))
	cmd.Dir = home
	return cmd
}

// result is what a run printed and how it ended.
type result struct {
	out, err string
	code     int
	maxRSS   int64 // KiB
}

func run(t testing.TB, home string, args ...string) result {
	return finish(t, command(t, home, args...))
}

func finish(t testing.TB, cmd *exec.Cmd) result {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	done := make(chan int64)
	stop := make(chan struct{})
	go func() { done <- peakMemory(cmd.Process.Pid, stop) }()
	err := cmd.Wait()
	close(stop)
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		require.NoError(t, err)
	}
	return result{out: out.String(), err: errs.String(), code: cmd.ProcessState.ExitCode(), maxRSS: <-done}
}

// peakMemory looks at the peak of a process's resident memory until stop is
// closed, in KiB. (What wait4 tells includes the test's own, before exec.)
func peakMemory(pid int, stop chan struct{}) int64 {
	var peak int64
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				peak = max(peak, kib)
			}
		}
		select {
		case <-stop:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ok runs and insists on success.
func ok(t testing.TB, home string, args ...string) result {
	r := run(t, home, args...)
	require.Zero(t, r.code, "imapfw %v\n%s%s", args, r.out, r.err)
	return r
}

// write puts a script into the home and returns its path.
func write(t testing.TB, home, name, text string) string {
	path := filepath.Join(home, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// imapStore is api.imap{} for a server without TLS on loopback.
func imapStore(addr, user, password, more string) string {
	host, port, _ := strings.Cut(addr, ":")
	return fmt.Sprintf(`api.imap { host = %q, port = %s, tls = "none", user = %q, password = %q%s }`, host, port, user, password, more)
}

// account is a file with one account.
func account1(far, near, more string) string {
	return fmt.Sprintf("local api = require \"imapfw.api\"\nreturn api.account {\n  name = \"me\",\n  far = %s,\n  near = %s,\n%s}\n", far, near, more)
}

func maildirStore(path string) string { return fmt.Sprintf("api.maildir { path = %q }", path) }
