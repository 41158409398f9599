package conn

import (
	"context"
	"log/slog"
	"net"
	"time"
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
	// Insecure allows signing in without encryption to a host that is not this
	// machine.
	Insecure bool

	// Dial replaces the dialer, for tunnels and proxies. The connection's
	// RemoteAddr decides whether it is loopback.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

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
