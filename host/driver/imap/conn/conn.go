package conn

import (
	"context"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Conn is one signed-in connection. Its methods may be called from any
// goroutine, but commands whose answers look alike must not run at the same
// time: an untagged FETCH does not say which command it answers.
type Conn struct {
}

// Dial connects, signs in and enables CONDSTORE and QRESYNC where the server
// has them. When ctx ends, Dial closes the connection and returns its cause;
// afterwards ctx has no hold on the connection.
func Dial(ctx context.Context, cfg Config) (*Conn, error) { panic("unwritten") }

// Run runs one or several commands of imapclient. fn must have waited for them
// when it returns. When ctx ends meanwhile the connection is closed, which is
// the only way to interrupt imapclient, and Run returns context.Cause(ctx).
// Every other error is a *fault.Error with op as what was being done; errors
// that are one already, and those that fn made up itself while the connection
// is alive, are returned as they are.
func (c *Conn) Run(ctx context.Context, op string, fn func(*imapclient.Client) error) error {
	panic("unwritten")
}

// Do sends a command of our own and waits for its end. It takes the untagged
// responses named in take ("LIST", "FETCH", "VANISHED", "OK"; "*" for all but
// BYE) away from imapclient and gives them to on, in order, on the caller's
// goroutine. on must not use the connection. An error of on is returned as it
// is, after the rest of the answer has been read and dropped.
//
// The reply is valid also with an error: NO and BAD are errors, as Fault maps
// them. When ctx ends meanwhile the connection is closed.
func (c *Conn) Do(ctx context.Context, cmd *Command, on func(*Response) error, take ...string) (Reply, error) {
	panic("unwritten")
}

// Said returns the status responses of the latest Run or Do, tagged ones and
// untagged ones with a code, as far as imapclient loses them: READ-ONLY,
// MODIFIED, NOMODSEQ, ALERT, the text of a tagged OK. At most the last 64.
func (c *Conn) Said() []Reply { panic("unwritten") }

// Fault turns an error of imapclient into a *fault.Error: a NO by its response
// code, a BAD, a dropped connection. See Run for which errors stay as they are.
func (c *Conn) Fault(op string, err error) error { panic("unwritten") }

// Has reports whether the server has a capability that was not ignored, also
// when another one implies it. QRESYNC and CONDSTORE are reported only if
// they could be enabled.
func (c *Conn) Has(name imap.Cap) bool { panic("unwritten") }

// Caps returns the capabilities, as imapclient sees them.
func (c *Conn) Caps() imap.CapSet { panic("unwritten") }

// ServerID returns what the server told about itself (RFC 2971), keys in lower
// case; nil when it told nothing.
func (c *Conn) ServerID() map[string]string { panic("unwritten") }

// Alive reports whether the connection can still be used, as far as is known
// without asking the server.
func (c *Conn) Alive() bool { panic("unwritten") }

// Err returns why the connection is dead, nil while it is alive.
func (c *Conn) Err() error { panic("unwritten") }

// Done is closed when the connection is dead.
func (c *Conn) Done() <-chan struct{} { panic("unwritten") }

// Close signs out where that can be done at once, closes the connection and
// waits for its goroutines. It may be called more than once.
func (c *Conn) Close() error { panic("unwritten") }
