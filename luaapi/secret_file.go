package luaapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/imapfw/imapfw/host/fault"
)

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
