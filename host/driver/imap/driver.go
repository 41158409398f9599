package imap

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// DefaultConnections is how many connections a Driver makes at most, where
// Options do not say.
const DefaultConnections = 3

// Options says where the mail is and how to get at it.
type Options struct {
	// Conn is how every connection is made.
	Conn conn.Config
	// Connections is how many connections there are at most; 0 means
	// DefaultConnections. With one, content that is read goes through a
	// temporary file, so that whoever gets it can use the store meanwhile.
	Connections int
	// Namespace is the prefix of the personal namespace ("INBOX."), which
	// folder names are shown without. Empty asks the server (RFC 2342).
	Namespace string
	// Path is a folder ("Mail") below which all folders but the inbox lie. They
	// are shown without it, and others are not shown.
	Path string
	// Separator is the character between the levels of a server's folder names
	// when the server tells a wrong one. Empty asks the server.
	Separator string
	// SubscribedOnly leaves out folders without subscription; the inbox stays.
	SubscribedOnly bool
	// MaxAppend is the size in octets of the largest message to deliver. What
	// the server says (APPENDLIMIT, RFC 7889) holds too; 0 is that alone.
	MaxAppend int64
	// ReadOnly opens folders with EXAMINE, and makes every method that writes
	// fail with fault.ReadOnly.
	ReadOnly bool
	// TempDir is where content is kept that does not fit into memory while it
	// passes; empty means os.TempDir.
	TempDir string
	// Log gets warnings and debug lines; nil drops them.
	Log *slog.Logger
}

// Driver is the mail of one IMAP account. See driver.Store for its methods.
type Driver struct {
	opts   Options
	log    *slog.Logger
	pool   *pool
	names  *names
	facts  facts
	noGUID atomic.Bool // the server does not tell X-GUID

	serverLimit atomic.Int64 // see limit
	collector   *collector   // small messages to be delivered
	texts       sync.Pool    // of *smallText

	chunk, large int // the constants, but in tests
}

var (
	_ driver.Store         = (*Driver)(nil)
	_ driver.FolderMaker   = (*Driver)(nil)
	_ driver.FolderRemover = (*Driver)(nil)
	_ driver.FolderRenamer = (*Driver)(nil)
)

// New returns a Driver. It does no I/O.
func New(opts Options) (*Driver, error) {
	switch {
	case opts.Connections < 0:
		return nil, fault.New(fault.Config, "", "connections is %d", opts.Connections).WithHint("at least 1")
	case len([]rune(opts.Separator)) > 1:
		return nil, fault.New(fault.Config, "", "separator %q is not one character", opts.Separator)
	case opts.MaxAppend < 0:
		return nil, fault.New(fault.Config, "", "max_append is %d", opts.MaxAppend)
	}
	if opts.Connections == 0 {
		opts.Connections = DefaultConnections
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Conn.Log == nil {
		opts.Conn.Log = opts.Log
	}
	if opts.Conn.Untagged == nil {
		opts.Conn.Untagged = alerts(opts.Log)
	}
	d := &Driver{opts: opts, log: opts.Log, collector: newCollector(), chunk: chunk, large: large}
	d.names = newNames(opts)
	d.pool = newPool(opts.Connections, d.log, d.dial)
	return d, nil
}

// alerts logs what a server wants its user to see (RFC 9051 section 7.1).
func alerts(log *slog.Logger) func(*conn.Response) {
	return func(r *conn.Response) {
		if r.Status != nil && r.Status.Code == "ALERT" {
			log.Warn("the server wants you to know: " + r.Status.Text)
		}
	}
}
