package luaapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/imapfw/imapfw/host/fault"
)

// secrets finds out what secrets are, each of them once per run and process,
// however many connections ask. A failure is not kept: the next one asks again.
type secrets struct {
	getenv func(string) (string, bool)
	prompt func(ctx context.Context, text string) (string, error)

	mu    sync.Mutex
	known map[secret]*resolving
}

// resolving is one secret that is being found out, or was.
type resolving struct {
	done  chan struct{}
	value string
	err   error
}

func newSecrets() *secrets {
	return &secrets{getenv: os.LookupEnv, prompt: promptTerminal, known: map[secret]*resolving{}}
}

// resolve returns the secret. who is the user it is for, where the way needs to
// know. Errors name the way, never a value.
func (s *secrets) resolve(ctx context.Context, which secret, who string) (string, error) {
	if which.kind == secretLiteral {
		return which.value, nil
	}
	key := secret{which.kind, which.value, which.user + "\x00" + who}
	for {
		s.mu.Lock()
		r, busy := s.known[key]
		if !busy {
			r = &resolving{done: make(chan struct{})}
			s.known[key] = r
		}
		s.mu.Unlock()
		if !busy {
			r.value, r.err = s.ask(ctx, which, who)
			if r.err != nil {
				s.mu.Lock()
				delete(s.known, key)
				s.mu.Unlock()
			}
			close(r.done)
			return r.value, r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return "", fault.Wrap(fault.Stopped, "find the password", context.Cause(ctx))
		}
		// What failed because its own caller gave up says nothing about ours.
		if r.err == nil || fault.CodeOf(r.err) != fault.Stopped {
			return r.value, r.err
		}
	}
}

func (s *secrets) ask(ctx context.Context, which secret, who string) (string, error) {
	switch which.kind {
	case secretCommand:
		return firstLineOfCommand(ctx, which.value)
	case secretFile:
		return firstLineOfFile(which.value)
	case secretEnv:
		if value, ok := s.getenv(which.value); ok && value != "" {
			return value, nil
		}
		return "", fault.New(fault.Auth, "find the password", "the environment variable %s is not set", which.value)
	case secretNetrc:
		return netrcPassword(which.value, who)
	case secretPrompt:
		return s.prompt(ctx, which.value)
	case secretKeyring:
		return keyringPassword(ctx, which.value, which.user)
	}
	return "", fault.New(fault.Internal, "find the password", "there is no way called %q", which.kind)
}

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

// openPrivate opens a file that nobody but its owner can read.
func openPrivate(path string) (*os.File, error) {
	full, err := expandHome(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(full)
	if err != nil {
		return nil, fault.Wrap(fault.Auth, "find the password", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fault.New(fault.Permission, "find the password", "others can read %s", path).WithHint("chmod 600 %s", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func firstLineOfFile(path string) (string, error) {
	f, err := openPrivate(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fault.Wrap(fault.Auth, "find the password", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fault.New(fault.Auth, "find the password", "the first line of %s is empty", path)
	}
	return line, nil
}

// promptTerminal asks on the terminal of the process, without showing what is
// typed.
func promptTerminal(ctx context.Context, text string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", fault.New(fault.Auth, "find the password", "there is no terminal to ask on").
			WithHint("use password_command")
	}
	defer tty.Close()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return "", fault.Wrap(fault.Auth, "find the password", err)
	}
	// A read from a terminal cannot be cancelled, but the terminal must not be
	// left without echo.
	stop := context.AfterFunc(ctx, func() { _ = term.Restore(int(tty.Fd()), before); _ = tty.Close() })
	defer stop()
	_, _ = tty.WriteString(text + ": ")
	line, err := term.ReadPassword(int(tty.Fd()))
	_, _ = tty.WriteString("\n")
	switch {
	case ctx.Err() != nil:
		return "", fault.Wrap(fault.Stopped, "find the password", context.Cause(ctx))
	case err != nil:
		return "", fault.Wrap(fault.Auth, "find the password", err)
	case len(line) == 0:
		return "", fault.New(fault.Auth, "find the password", "no password was given")
	}
	return string(line), nil
}
