package luaapi

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// killDelay is how long a command that was told to end may take.
const killDelay = 2 * time.Second

// firstLineOfCommand runs a command with sh and returns the first line of what
// it prints.
func firstLineOfCommand(ctx context.Context, command string) (string, error) {
	return firstLine(ctx, "the password command", "run it by hand: the first line it prints is the password", "sh", "-c", command)
}

// keyringPassword asks the keyring of the desktop, by the tool that comes with
// it.
func keyringPassword(ctx context.Context, service, user string) (string, error) {
	if runtime.GOOS == "darwin" {
		return firstLine(ctx, "the keyring", "add it with: security add-generic-password -s SERVICE -a USER -w",
			"security", "find-generic-password", "-s", service, "-a", user, "-w")
	}
	return firstLine(ctx, "the keyring", "add it with: secret-tool store --label imapfw service SERVICE username USER",
		"secret-tool", "lookup", "service", service, "username", user)
}

// firstLine runs a program. What it prints on its standard error is in the
// error, as far as a user can read it: that is where password managers say what
// is wrong.
func firstLine(ctx context.Context, what, hint string, argv ...string) (string, error) {
	var out, complaints limited
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.WaitDelay = killDelay
	// It keeps the terminal: password managers ask there.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", fault.Wrap(fault.Stopped, "find the password", context.Cause(ctx))
	}
	if err != nil {
		bad := fault.New(fault.Auth, "find the password", "%s failed: %v", what, err)
		if text := strings.TrimSpace(complaints.buf.String()); text != "" {
			bad.Message += ": " + text
		}
		return "", bad.WithHint("%s", hint)
	}
	line, _, _ := strings.Cut(out.buf.String(), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fault.New(fault.Auth, "find the password", "%s gave nothing", what).WithHint("%s", hint)
	}
	return line, nil
}

// limited keeps the first 64 KiB that are written to it.
type limited struct{ buf bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := 64<<10 - l.buf.Len(); room > 0 {
		l.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
