package conn

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
)

// Conn is one signed-in connection. Its methods may be called from any
// goroutine, but commands whose answers look alike must not run at the same
// time: an untagged FETCH does not say which command it answers.
type Conn struct {
	life    *life
	traffic *traffic
	in      *inbound
	out     *outbound
	client  *imapclient.Client
	log     *slog.Logger

	caps     capabilities
	rev2     bool // imapclient takes the server for one of IMAP4rev2 only
	serverID map[string]string
	spaces   *Response
	tags     atomic.Uint64
	filled   chan struct{} // the filler has ended
	closing  sync.Once
}

// newConn starts imapclient on a connection that is signed in.
func newConn(s *session) (*Conn, error) {
	s.meter.endSetup()
	_, rev1 := s.caps.set[imap.CapIMAP4rev1]
	_, rev2 := s.caps.set[imap.CapIMAP4rev2]
	enc := encoding{
		utf8:         rev2 && !rev1 || slices.Contains(s.enabled, string(imap.CapUTF8Accept)),
		literalPlus:  s.caps.has(imap.CapLiteralPlus),
		literalMinus: s.caps.has(imap.CapLiteralMinus),
	}
	l, t, caps := newLife(s.meter), newTraffic(s.meter.touch), s.caps.forClient()
	t.timing = s.cfg.Timing
	c := &Conn{
		life: l, traffic: t, log: s.log,
		caps: s.caps, rev2: rev2 && !rev1, serverID: s.serverID, spaces: s.spaces,
		out:    newOutbound(s.stream, l, t, enc, s.trace),
		filled: make(chan struct{}),
	}
	c.in = &inbound{
		fill: newFiller(), life: l, meter: s.meter, traffic: t, out: c.out, trace: s.trace,
		conf:  inboundConfig{caps: caps, utf8: enc.utf8, untagged: s.cfg.Untagged},
		timer: time.NewTimer(0),
		ready: []byte("* PREAUTH [CAPABILITY " + caps + "] signed in\r\n"),
	}
	go func() {
		defer close(c.filled)
		if err := fault.Contain("read from the server", func() error { c.in.fill.run(s.br, l.dead); return nil }); err != nil {
			l.end(err)
		}
	}()
	c.client = imapclient.New(&wire{c: c, Conn: s.stream}, nil)
	if err := c.client.WaitGreeting(); err != nil {
		_ = c.Close() // the greeting is ours; its failure is the error to tell
		return nil, fault.Wrap(fault.Internal, "start the IMAP client", err)
	}
	return c, nil
}

// wire is the net.Conn that imapclient is given. Its deadlines are those of
// imapclient, which are not kept: see meter and inbound.wait.
type wire struct {
	net.Conn // for the addresses
	c        *Conn
}

func (w *wire) Read(p []byte) (int, error)  { return w.c.in.Read(p) }
func (w *wire) Write(p []byte) (int, error) { return w.c.out.Write(p) }

// Close is called by imapclient, when it ends: if nothing else was the cause,
// then an answer that it could not read.
func (w *wire) Close() error {
	w.c.life.end(fault.New(fault.Protocol, connOp, "an answer of the server could not be understood"))
	return nil
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// begin starts a use of the connection. It ends the connection when ctx ends,
// until stop is called.
func (c *Conn) begin(ctx context.Context) (stop func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := c.life.err(); err != nil {
		return nil, err
	}
	c.traffic.forget()
	over := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(over)
		c.life.end(fault.New(fault.Network, connOp, "the connection was closed because a command on it was cancelled").AsTemporary())
	})
	return func() {
		if !cancel() {
			<-over
		}
	}, nil
}

// Run runs one or several commands of imapclient. fn must have waited for them,
// and read what they return to its end, when it returns. When ctx ends
// meanwhile the connection is closed, which is the only way to interrupt
// imapclient, and Run returns context.Cause(ctx). Every other error is a
// *fault.Error with op as what was being done; errors that are one already, and
// those that fn made up itself while the connection is alive, are returned as
// they are.
func (c *Conn) Run(ctx context.Context, op string, fn func(*imapclient.Client) error) error {
	stop, err := c.begin(ctx)
	if err != nil {
		return c.failed(ctx, op, "", err)
	}
	defer stop()
	if err := fn(c.client); err != nil {
		return c.failed(ctx, op, "", err)
	}
	return nil
}

// Said returns the status responses since the latest Run or Do began, tagged
// ones and untagged ones with a code: READ-ONLY, MODIFIED, NOMODSEQ, ALERT, the
// text of a tagged OK, which imapclient loses. At most the last 64.
func (c *Conn) Said() []Reply { return c.traffic.allSaid() }

// Has reports whether the server has a capability that was not ignored, also
// when another one implies it. QRESYNC is reported only if it is enabled.
func (c *Conn) Has(name imap.Cap) bool { return c.caps.has(name) }

// Ignores reports whether something is not to be used, capability or not.
func (c *Conn) Ignores(name imap.Cap) bool { return c.caps.ignored(string(name)) }

// Caps returns the capabilities that were not ignored.
func (c *Conn) Caps() imap.CapSet { return c.caps.set.Copy() }

// UTF8 reports whether folder names are UTF-8, as they are where UTF8=ACCEPT was
// enabled (RFC 9755), and for a server that speaks nothing but IMAP4rev2.
func (c *Conn) UTF8() bool { return c.in.conf.utf8 }

// DecodeName returns the UTF-8 form of a folder name as this server writes it,
// and false when it has none: see the function of the same name.
func (c *Conn) DecodeName(raw string) (string, bool) {
	if c.UTF8() {
		return raw, utf8.ValidString(raw) && !strings.ContainsFunc(raw, isControl)
	}
	return DecodeName(raw)
}

// ServerID returns what the server told about itself (RFC 2971), keys in lower
// case; nil when it told nothing. The caller must not change it.
func (c *Conn) ServerID() map[string]string { return c.serverID }

// Namespaces returns the answer to NAMESPACE (RFC 2342), with which the
// connection began; nil where the server gave none.
func (c *Conn) Namespaces() *Response { return c.spaces }

// Alive reports whether the connection can still be used, as far as is known
// without asking the server.
func (c *Conn) Alive() bool { return c.life.err() == nil }

// Err returns why the connection is dead, nil while it is alive.
func (c *Conn) Err() error { return c.life.err() }

// Done is closed when the connection is dead.
func (c *Conn) Done() <-chan struct{} { return c.life.dead }

// Close signs out where that can be done at once, closes the connection and
// waits for its goroutines. It may be called more than once; commands in
// progress fail.
func (c *Conn) Close() error {
	c.closing.Do(func() {
		if c.Alive() {
			c.logout()
			c.life.endWell(fault.New(fault.Stopped, connOp, "the connection was closed"))
		}
		_ = c.client.Close() // it tells what ended it, which is known by now
		<-c.filled
		c.in.close()
	})
	return nil
}

// logout says goodbye when nothing else is going on. The answer would be waited
// for in vain by everybody who wants to be done.
func (c *Conn) logout() {
	if c.traffic.isBusy() || len(c.out.gate) > 0 || c.out.enter() != nil {
		return
	}
	defer c.out.leave()
	c.traffic.timing.Count(timing.Commands, 1)
	tag := newRequest(c.tags.Add(1), nil).tag
	_ = c.out.sendLine([]byte(tag + " LOGOUT\r\n")) // the connection is over in any case
}
