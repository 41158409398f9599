//go:build unix

package dovecot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// AddUser makes an account without mail. Its password is Password.
func (s *Server) AddUser(t testing.TB, name string) {
	t.Helper()
	if err := s.MakeUser(name); err != nil {
		t.Fatal(err)
	}
}

// MakeUser is AddUser without a test.
func (s *Server) MakeUser(name string) error {
	home := s.HomeDir(name)
	err := os.Mkdir(home, 0o755)
	if err == nil && s.owner.Root {
		err = os.Chown(home, s.owner.UID, s.owner.GID)
	}
	if err != nil {
		return fmt.Errorf("add user %s: %w", name, err)
	}
	return nil
}

// HomeDir returns the user's home folder; mail is in its folder "mail".
func (s *Server) HomeDir(name string) string { return filepath.Join(s.dir, "home", name) }

// Own gives what a test wrote below a home folder to the owner of the mail.
func (s *Server) Own(t testing.TB, path string) {
	t.Helper()
	if err := s.Give(path); err != nil {
		t.Fatal(err)
	}
}

// Give is Own without a test, and for any path.
func (s *Server) Give(path string) error {
	if !s.owner.Root {
		return nil
	}
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(p, s.owner.UID, s.owner.GID))
	})
	if err != nil {
		return fmt.Errorf("give %s to the owner of the mail: %w", path, err)
	}
	return nil
}

// Doveadm runs doveadm on this server and returns what it printed.
func (s *Server) Doveadm(t testing.TB, args ...string) string {
	t.Helper()
	out, err := s.Admin(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Admin is Doveadm without a test.
func (s *Server) Admin(args ...string) (string, error) {
	binary, err := find("doveadm")
	if err != nil {
		return "", err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(binary, append([]string{"-c", filepath.Join(s.dir, "dovecot.conf")}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("doveadm %v: %w\n%s", args, err, stderr.Bytes())
	}
	return string(out), nil
}

// PID returns the process of Dovecot's master, the parent of all others; 0 while
// it is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

// Kick cuts all connections of a user.
func (s *Server) Kick(t testing.TB, name string) {
	t.Helper()
	s.Doveadm(t, "kick", name)
}

// Restart stops Dovecot, which cuts every connection, and starts it on the same
// ports with the same mail.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop()
	if err := s.start(); err != nil {
		t.Fatalf("restart Dovecot: %v\n%s", err, s.logTail())
	}
}

// Stop stops Dovecot until Restart.
func (s *Server) Stop() { s.stop() }

func (s *Server) logTail() []byte {
	var out []byte
	for _, name := range []string{"start.log", "dovecot.log"} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			text = fmt.Appendf(nil, "(%v)\n", err)
		}
		out = append(out, text[max(0, len(text)-4000):]...)
	}
	return out
}
