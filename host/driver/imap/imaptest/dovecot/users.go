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
	home := s.HomeDir(name)
	err := os.Mkdir(home, 0o755)
	if err == nil && s.owner.Root {
		err = os.Chown(home, s.owner.UID, s.owner.GID)
	}
	if err != nil {
		t.Fatalf("add user %s: %v", name, err)
	}
}

// HomeDir returns the user's home folder; mail is in its folder "mail".
func (s *Server) HomeDir(name string) string { return filepath.Join(s.dir, "home", name) }

// Own gives what a test wrote below a home folder to the owner of the mail.
func (s *Server) Own(t testing.TB, path string) {
	t.Helper()
	if !s.owner.Root {
		return
	}
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(p, s.owner.UID, s.owner.GID))
	})
	if err != nil {
		t.Fatalf("own %s: %v", path, err)
	}
}

// Doveadm runs doveadm on this server and returns what it printed.
func (s *Server) Doveadm(t testing.TB, args ...string) string {
	t.Helper()
	binary, err := find("doveadm")
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(binary, append([]string{"-c", filepath.Join(s.dir, "dovecot.conf")}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("doveadm %v: %v\n%s", args, err, stderr.Bytes())
	}
	return string(out)
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
