//go:build unix

// Package dovecot runs a throwaway Dovecot 2.3 for tests and measurements: the real
// server, with CONDSTORE, QRESYNC, COMPRESS and everything else the embedded one
// lacks.
//
// It runs on free ports of 127.0.0.1 and keeps everything in one folder, which
// is removed at the end. Started by root, mail belongs to an existing
// unprivileged user; started by anyone else, everything runs as that user.
package dovecot

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
)

// Password is the password of every user.
const Password = "secret"

// RequireEnv is the environment variable that, set to 1, makes a missing
// Dovecot a failure where otherwise the test is skipped.
const RequireEnv = "IMAPFW_REQUIRE_SERVERS"

// Option changes how Dovecot is set up.
type Option func(*config)

// Storage sets the format of the mail store: "maildir" (the default), "sdbox"
// or "mdbox".
func Storage(format string) Option { return func(c *config) { c.Storage = format } }

// Separator sets the separator of the folder names; "/" is the default.
func Separator(s string) Option { return func(c *config) { c.Separator = s } }

// Prefix sets the prefix of the personal namespace, as in "INBOX.".
func Prefix(s string) Option { return func(c *config) { c.Prefix = s } }

// Config appends lines to the configuration.
func Config(lines string) Option { return func(c *config) { c.Extra += lines + "\n" } }

// Dir sets the folder that everything is kept in, which must not exist; by default
// it is a new one below /tmp. Dovecot's unprivileged processes must get there, and
// the path must be short: sockets are in it.
func Dir(path string) Option { return func(c *config) { c.Dir = path } }

// Server is a running Dovecot.
type Server struct {
	dir    string
	owner  owner
	config config
	cert   imaptest.Certificate
	binary string

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{} // closed when process has been waited for
}

// Start starts a Dovecot that ends with the test. Without a dovecot binary the
// test is skipped, or fails if RequireEnv says so.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	if _, err := find("dovecot"); err != nil {
		if os.Getenv(RequireEnv) == "1" {
			t.Fatalf("%s=1, but %v", RequireEnv, err)
		}
		t.Skipf("this test needs Dovecot: %v", err)
	}
	s, err := Run(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("Dovecot's log ends with:\n%s", s.logTail())
		}
		_ = s.Close()
	})
	return s
}

// Run starts a Dovecot without a test. It runs until Close.
func Run(opts ...Option) (*Server, error) {
	binary, err := find("dovecot")
	if err != nil {
		return nil, err
	}
	s, err := newServer(binary, opts)
	if err != nil {
		return nil, fmt.Errorf("set up Dovecot: %w", err)
	}
	if err := s.start(); err != nil {
		err = fmt.Errorf("start Dovecot: %w\n%s", err, s.logTail())
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close stops Dovecot and removes its folder with all mail.
func (s *Server) Close() error {
	s.stop()
	return os.RemoveAll(s.dir)
}

// find looks for a server's binary where servers are.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in PATH, /usr/sbin, /sbin and /usr/local/sbin", name)
}

func newServer(binary string, opts []Option) (*Server, error) {
	s := &Server{binary: binary, config: config{Storage: "maildir", Separator: "/"}}
	for _, opt := range opts {
		opt(&s.config)
	}
	var err error
	if s.owner, err = mailOwner(); err != nil {
		return nil, err
	}
	if s.cert, err = imaptest.NewCertificate(); err != nil {
		return nil, err
	}
	if s.dir, err = makeDir(s.config.Dir); err != nil {
		return nil, err
	}
	s.config.Dir, s.config.Owner = s.dir, s.owner
	for _, dir := range []string{"", "run", "state", "home"} {
		path := filepath.Join(s.dir, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if dir == "" || dir == "home" {
			if err := os.Chmod(path, 0o711); err != nil {
				return nil, err
			}
		}
	}
	if err := os.WriteFile(s.CertFile(), s.cert.CertPEM, 0o644); err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(s.dir, "key.pem"), s.cert.KeyPEM, 0o600)
}

// makeDir makes the folder of a server. Without a wish it is not below t.TempDir:
// Dovecot's unprivileged processes must get in.
func makeDir(wish string) (string, error) {
	if wish == "" {
		return os.MkdirTemp("/tmp", "dovecot-")
	}
	return wish, os.Mkdir(wish, 0o755)
}

// start runs Dovecot and waits until it answers. The ports stay the same after
// the first time, so that a client can come back after Restart.
func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.config.Port == 0 {
		if s.config.Port, s.config.TLSPort, err = freePorts(); err != nil {
			return err
		}
	}
	text, err := s.config.render()
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "dovecot.conf")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	output, err := os.Create(filepath.Join(s.dir, "start.log"))
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	cmd := exec.Command(s.binary, "-F", "-c", file)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	s.process, s.ended = cmd, ended
	return waitFor(s.Addr(), ended)
}

func waitFor(addr string, ended <-chan struct{}) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended at once")
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

// stop ends Dovecot, its own processes included, and waits for it.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	// The master does not wait for the sessions it ends, so the signal goes to
	// the whole process group, which we made.
	group := -s.process.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-s.ended
	s.process = nil
}

func freePorts() (int, int, error) {
	var ports [2]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = l.Close() }() // both are held until both are known
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1], nil
}

// Addr returns host:port of the plain port, which also knows STARTTLS.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.config.Port)) }

// TLSAddr returns host:port of the port with implicit TLS.
func (s *Server) TLSAddr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.config.TLSPort))
}

// Certificate returns what Dovecot shows; CertFile is where its PEM form lies.
func (s *Server) Certificate() imaptest.Certificate { return s.cert }

// CertFile returns the path of the certificate in PEM form.
func (s *Server) CertFile() string { return filepath.Join(s.dir, "cert.pem") }
