package conn

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
)

// TLSMode is how a connection is encrypted.
type TLSMode string

// The modes. The zero value is Implicit.
const (
	Implicit TLSMode = "implicit" // TLS from the first byte (RFC 8314), port 993
	StartTLS TLSMode = "starttls" // plain text upgraded before signing in, port 143
	None     TLSMode = "none"     // no encryption, port 143
)

// TLS says how to encrypt and whom to trust.
type TLS struct {
	Mode TLSMode
	// CAFile is a PEM file of authorities trusted beside those of the system,
	// or instead of them when NoSystemCA is set.
	CAFile     string
	NoSystemCA bool
	// Fingerprint is the SHA-256 digest of the server's certificate, in hex,
	// with or without colons. When set it alone decides, whoever signed the
	// certificate and whatever name is in it.
	Fingerprint string
	// CertFile and KeyFile are the client's certificate, in PEM.
	CertFile, KeyFile string
	// MinVersion is "1.0", "1.1", "1.2" (the default) or "1.3".
	MinVersion string
	// ServerName is the name the certificate must be for, Host when empty. It
	// may be an IP address.
	ServerName string
}

// Config says where to connect and how to sign in. It is read by Dial only, and
// may be shared by several connections.
type Config struct {
	Host string // name or IP address
	Port int    // 993 or 143 when zero
	TLS  TLS

	User string
	// Authzid is the identity to act as, where it is not User (RFC 4616).
	Authzid string
	// Password is asked once for each sign-in, after the connection stands. Its
	// error is returned as it is.
	Password func(ctx context.Context) (string, error)
	// Auth are the ways to sign in that may be used, in order of preference,
	// without case: "PLAIN" and "LOGIN" for AUTHENTICATE, "LOGIN-COMMAND" for
	// the LOGIN command. Empty means all of them, in that order.
	Auth []string

	// Without lists capabilities to ignore, without case.
	Without []string
	// Timeout is how long a command may go without a byte in either direction;
	// 30 seconds when zero. IDLE and an idle connection do not time out.
	Timeout time.Duration
	// Compress says when the connection is compressed.
	Compress Compression
	// Line, where set, is shared by the connections to a server: what one learned
	// of the way there helps the next one to decide.
	Line *Line
	// Insecure allows signing in without encryption to a host that is not this
	// machine.
	Insecure bool

	// Dial replaces the dialer, for tunnels and proxies. The connection's
	// RemoteAddr decides whether it is loopback.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Timing counts connections, round trips, commands and octets, and times the
	// making of connections; nil counts nothing.
	Timing *timing.Recorder
	// Log gets warnings and debug lines; slog.DiscardHandler when nil.
	Log *slog.Logger
	// Trace gets each protocol line, sent or received, without its line end,
	// without secrets and without literals. It is called from several
	// goroutines, one at a time, and must not block nor use the connection.
	Trace func(sent bool, line string)
	// Untagged gets what the server says without being asked: EXISTS, EXPUNGE,
	// VANISHED, a FETCH that belongs to no command, status responses with a
	// code (ALERT), BYE. Responses a command took are not among them. It is
	// called from the connection's reading goroutine and must not block nor use
	// the connection.
	Untagged func(*Response)
}

// Validate reports the first mistake in a Config, as a fault.Config.
func (cfg *Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Config, "imap settings", format, args...)
	}
	switch {
	case cfg.Host == "":
		return wrong("host is missing")
	case strings.ContainsAny(cfg.Host, " /\r\n\x00"):
		return wrong("host %q is neither a name nor an IP address", cfg.Host)
	case cfg.Port < 0 || cfg.Port > 65535:
		return wrong("port %d is out of range", cfg.Port)
	case cfg.User == "":
		return wrong("user is missing")
	case cfg.Password == nil:
		return wrong("password is missing")
	case strings.ContainsRune(cfg.User+cfg.Authzid, 0):
		return wrong("NUL in user or authzid")
	case cfg.Timeout < 0:
		return wrong("timeout %s is negative", cfg.Timeout)
	case (cfg.TLS.CertFile == "") != (cfg.TLS.KeyFile == ""):
		return wrong("tls.cert and tls.key go together")
	case cfg.TLS.NoSystemCA && cfg.TLS.CAFile == "" && cfg.TLS.Fingerprint == "":
		return wrong("tls.system_ca = false trusts nobody without tls.ca_file or tls.fingerprint")
	}
	switch cfg.TLS.Mode {
	case "", Implicit, StartTLS, None:
	default:
		return wrong(`tls mode %q is none of "implicit", "starttls" and "none"`, cfg.TLS.Mode)
	}
	if _, err := tlsVersion(cfg.TLS.MinVersion); err != nil {
		return err
	}
	if cfg.TLS.Fingerprint != "" {
		if _, err := parseFingerprint(cfg.TLS.Fingerprint); err != nil {
			return err
		}
	}
	for _, name := range cfg.Auth {
		if !strings.EqualFold(name, loginCommand) && newMechanism(name, credentials{}) == nil {
			return wrong("auth %q is not known; there are %s", name, strings.Join(allAuth(), ", "))
		}
	}
	return nil
}

// withDefaults returns a copy in which nothing is left to choose.
func (cfg Config) withDefaults() Config {
	cfg.Host = strings.TrimSuffix(strings.TrimPrefix(cfg.Host, "["), "]")
	if cfg.TLS.Mode == "" {
		cfg.TLS.Mode = Implicit
	}
	if cfg.Port == 0 {
		cfg.Port = 143
		if cfg.TLS.Mode == Implicit {
			cfg.Port = 993
		}
	}
	if cfg.TLS.ServerName == "" {
		cfg.TLS.ServerName = cfg.Host
	}
	if len(cfg.Auth) == 0 {
		cfg.Auth = allAuth()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}
