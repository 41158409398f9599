package state

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

// DB is the Store of an ordinary account: an SQLite database in a folder of its
// own, which the sqlite3 shell can read at any time. See docs/state.md.
//
// There is one connection for writing and as many for reading as there are
// calls that read: a Load that waits for its callback must keep neither a
// Commit nor another Load from going on.
type DB struct {
	opts     Options
	log      *slog.Logger
	busyWait time.Duration

	mu       sync.Mutex // guards what follows; a call holds it for no I/O
	open     bool
	readOnly bool
	absent   bool   // opened for reading where there is no state yet
	source   string // what readers open
	flags    sqlite.OpenFlags
	idle     []*sqlite.Conn // readers, last used last
	lock     *flock.Flock
	calls    sync.WaitGroup // calls under way
	pending  atomic.Int64   // the highest Pending that this DB made durable
	life     context.Context
	end      context.CancelFunc

	// writer holds the connection for writing while nobody uses it: to take it
	// out is to have it.
	writer chan *writer
}

// New returns the state that opts describe. It does no I/O.
func New(opts Options) *DB {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &DB{opts: opts, log: log, busyWait: busyWait}
}

const (
	// maxIdle is how many connections for reading are kept for the next call.
	maxIdle = 4
	// busyWait is how long a call waits for another program that holds the
	// database (an sqlite3 shell): SQLite has no limit of its own.
	busyWait = 2 * time.Second
)

// Close waits for calls under way, reading ones being cut short, and gives the
// lock back. A callback of Load must not call it.
func (d *DB) Close() error {
	d.mu.Lock()
	if !d.open {
		d.mu.Unlock()
		return nil
	}
	d.open = false
	d.mu.Unlock()
	d.end()
	d.calls.Wait()

	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, conn := range d.idle {
		errs = append(errs, conn.Close())
	}
	d.idle = nil
	// The writer is the last to close: it moves the write-ahead log into the
	// database and removes it.
	if d.writer != nil {
		errs = append(errs, (<-d.writer).conn.Close())
		d.writer = nil
	}
	if d.lock != nil {
		errs = append(errs, releaseLock(d.lock))
		d.lock = nil
	}
	return d.fault("close state", errors.Join(errs...))
}

// begin notes a call, so that Close waits for it. The context it returns ends
// when ctx does or the state is closed.
func (d *DB) begin(ctx context.Context, op string) (context.Context, func(), error) {
	if ctx.Err() != nil {
		return nil, nil, stopped(ctx, op)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.open {
		return nil, nil, notOpen(op)
	}
	d.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.life, func() { cancel(fault.New(fault.Stopped, op, "the state was closed")) })
	return ctx, func() {
		stop()
		cancel(nil)
		d.calls.Done()
	}, nil
}

// read calls fn with a connection for reading that is its own meanwhile. Where
// there is no state, fn is not called.
func (d *DB) read(ctx context.Context, op string, fn func(*sqlite.Conn) error) error {
	ctx, done, err := d.begin(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if d.absent {
		return nil
	}
	conn, err := d.reader()
	if err != nil {
		return d.fault(op, err)
	}
	err = d.ask(ctx, op, conn, fn)
	d.putBack(conn)
	return err
}

// glance is read for what is over at once. It takes the connection of the writer
// when nobody writes: a run in which nothing changed opens no other.
func (d *DB) glance(ctx context.Context, op string, fn func(*sqlite.Conn) error) error {
	ctx, done, err := d.begin(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	select {
	case w := <-d.writer:
		defer func() { d.writer <- w }()
		return d.ask(ctx, op, w.conn, fn)
	default:
		return d.read(ctx, op, fn)
	}
}

func (d *DB) ask(ctx context.Context, op string, conn *sqlite.Conn, fn func(*sqlite.Conn) error) error {
	conn.SetInterrupt(ctx.Done())
	err := fn(conn)
	conn.SetInterrupt(nil) // also ends a statement that fn gave up on
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		return stopped(ctx, op)
	}
	return d.fault(op, err)
}

// snapshot has all the statements of fn see the same. Each would take and give back
// its locks otherwise, which costs as much as finding a row.
func snapshot(conn *sqlite.Conn, fn func() error) (err error) {
	if err := run(conn, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		conn.SetInterrupt(nil)
		if undo := run(conn, "ROLLBACK"); err == nil {
			err = undo
		}
	}()
	return fn()
}

func (d *DB) reader() (*sqlite.Conn, error) {
	d.mu.Lock()
	if n := len(d.idle); n > 0 {
		conn := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.mu.Unlock()
		return conn, nil
	}
	d.mu.Unlock()
	return d.dial()
}

// dial opens one more connection for reading.
func (d *DB) dial() (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(d.source, d.flags)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(d.busyWait)
	return conn, nil
}

func (d *DB) putBack(conn *sqlite.Conn) {
	d.mu.Lock()
	keep := len(d.idle) < maxIdle
	if keep {
		d.idle = append(d.idle, conn)
	}
	d.mu.Unlock()
	if !keep {
		if err := conn.Close(); err != nil {
			d.log.Warn("closing a connection to the state", "error", err)
		}
	}
}
