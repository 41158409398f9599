package imaptest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Options says what the server is like. The zero value is a server with one
// account, "user" with password "secret", without TLS.
type Options struct {
	User     string
	Password string
	// TLS adds a port with implicit TLS, and STARTTLS on the plain one, with a
	// certificate generated for localhost and 127.0.0.1.
	TLS bool
	// Without lists capabilities that the server is not to have ("UIDPLUS").
	// Without IMAP4rev2 it is an IMAP4rev1 server that has the rest.
	Without []string
	// AppendLimit is the largest message the server takes, in octets; 0 is
	// 100 MiB.
	AppendLimit uint32
	// Log gets the server's own complaints; nil drops them.
	Log *slog.Logger
}

// Server is an IMAP server in memory. Its methods may be called from any
// goroutine.
type Server struct {
	opts   Options
	caps   imap.CapSet
	master string // the password of the sessions that Account opens
	cert   Certificate

	mu       sync.Mutex
	accounts map[string]*Account
	hook     func(Command) error
	imap     *imapserver.Server
	plain    *listener
	secure   *listener
	serving  sync.WaitGroup
}

// New returns a server with one account. It does no I/O.
func New(opts Options) *Server {
	if opts.User == "" {
		opts.User, opts.Password = "user", "secret"
	}
	s := &Server{
		opts:     opts,
		caps:     capabilities(opts.Without),
		master:   rand.Text(),
		accounts: map[string]*Account{},
	}
	s.AddAccount(opts.User, opts.Password)
	return s
}

func capabilities(without []string) imap.CapSet {
	caps := imap.CapSet{
		imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {},
		imap.CapESearch: {}, imap.CapSearchRes: {}, imap.CapListExtended: {}, imap.CapListStatus: {},
		imap.CapMove: {}, imap.CapStatusSize: {}, imap.CapChildren: {}, imap.CapLiteralPlus: {},
	}
	for _, name := range without {
		delete(caps, imap.Cap(name))
		// IMAP4rev2 promises all of them, so it goes with the first.
		delete(caps, imap.CapIMAP4rev2)
	}
	caps[imap.CapIMAP4rev1] = struct{}{}
	return caps
}

// Start listens and serves until Close. The context covers the start only.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.imap != nil {
		return errors.New("start IMAP server: already started")
	}
	plain, err := listen(ctx)
	if err != nil {
		return err
	}
	options := &imapserver.Options{
		NewSession:   s.newSession,
		Caps:         s.caps,
		InsecureAuth: true,
		Logger:       s.logger(),
	}
	s.plain = plain
	if s.opts.TLS {
		if s.cert, err = NewCertificate(); err == nil {
			s.secure, err = listen(ctx)
		}
		if err != nil {
			_ = plain.Close()
			return err
		}
		options.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.cert.Pair}, MinVersion: tls.VersionTLS12}
	}
	s.imap = imapserver.New(options)
	s.serving.Go(func() { _ = s.imap.Serve(plain) })
	if secure := s.secure; secure != nil {
		s.serving.Go(func() { _ = s.imap.Serve(tls.NewListener(secure, options.TLSConfig)) })
	}
	return nil
}

func (s *Server) logger() imapserver.Logger {
	handler := slog.DiscardHandler
	if s.opts.Log != nil {
		handler = s.opts.Log.Handler()
	}
	return log.New(slog.NewLogLogger(handler, slog.LevelDebug).Writer(), "", 0)
}

// Close ends every connection and waits for the server's goroutines. What the
// mailboxes hold stays readable through a new Start.
func (s *Server) Close() error {
	s.mu.Lock()
	server, listeners := s.imap, []*listener{s.plain, s.secure}
	s.imap, s.plain, s.secure = nil, nil, nil
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	var errs []error
	for _, l := range listeners {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	s.serving.Wait()
	for _, l := range listeners {
		if l != nil {
			l.finish()
		}
	}
	return errors.Join(append(errs, server.Close())...)
}

// Kick cuts every connection, as a server that restarts does.
func (s *Server) Kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range []*listener{s.plain, s.secure} {
		if l != nil {
			l.kick()
		}
	}
}

// Addr returns host:port of the plain port, empty before Start.
func (s *Server) Addr() string { return s.addr(func() *listener { return s.plain }) }

// TLSAddr returns host:port of the port with implicit TLS, empty without TLS.
func (s *Server) TLSAddr() string { return s.addr(func() *listener { return s.secure }) }

func (s *Server) addr(which func() *listener) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := which(); l != nil {
		return l.Addr().String()
	}
	return ""
}

// Certificate returns what the TLS ports show. It is set between Start and
// Close of a server with TLS.
func (s *Server) Certificate() Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cert
}

// AddAccount adds an account with an empty INBOX, and returns it.
func (s *Server) AddAccount(user, password string) *Account {
	memory := imapmemserver.NewUser(user, password)
	_ = memory.Create("INBOX", nil) // fails only when it is there already
	_ = memory.Subscribe("INBOX")
	a := &Account{User: user, Password: password, server: s, memory: memory, broken: map[string][]imap.UID{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[user] = a
	return a
}

// Account returns an account by name; the empty name is the one of Options.
func (s *Server) Account(user string) *Account {
	if user == "" {
		user = s.opts.User
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[user]
}

// listener keeps track of its connections: imapserver neither waits for them
// nor closes one that is accepted while it closes.
type listener struct {
	net.Listener
	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
	served sync.WaitGroup
}

func listen(ctx context.Context) (*listener, error) {
	inner, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start IMAP server: %w", err)
	}
	return &listener{Listener: inner, conns: map[*conn]struct{}{}}, nil
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, owner: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = raw.Close()
		return nil, net.ErrClosed
	}
	l.conns[c] = struct{}{}
	l.served.Add(1)
	return c, nil
}

// kick cuts the connections below the server, which then ends them itself.
func (l *listener) kick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Conn.Close()
	}
}

func (l *listener) finish() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.kick()
	l.served.Wait()
}

type conn struct {
	net.Conn
	owner *listener
	once  sync.Once
}

// Close is the last thing imapserver does with a connection.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.owner.mu.Lock()
		delete(c.owner.conns, c)
		c.owner.mu.Unlock()
		c.owner.served.Done()
	})
	return err
}
