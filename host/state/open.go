package state

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/imapfw/imapfw/host/fault"
)

// Open locks the state, and makes it or brings its schema up to date. A second
// instance gets fault.Busy, a state of another account or of a later imapfw
// fault.Config; both are left as they are.
func (d *DB) Open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open {
		return fault.New(fault.Internal, opOpen, "it is open already")
	}
	if ctx.Err() != nil {
		return stopped(ctx, opOpen)
	}
	path := d.opts.path()
	if err := makeDir(d.opts.Dir); err != nil {
		return d.fault(opOpen, err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return d.fault(opOpen, err)
	}
	w, err := d.openWriter(ctx, path)
	if err != nil {
		return d.fault(opOpen, errors.Join(err, releaseLock(lock)))
	}
	d.lock = lock
	d.writer = make(chan *writer, 1)
	d.writer <- w
	d.source, d.flags = path, sqlite.OpenReadOnly
	d.readOnly, d.absent = false, false
	d.started()
	return nil
}

// started marks the state open. d.mu is held.
func (d *DB) started() {
	// The lifetime of an open state is not that of the call which opened it.
	d.life, d.end = context.WithCancel(context.Background())
	d.pending.Store(0)
	d.open = true
}

// openWriter opens the database, which the caller has locked.
func (d *DB) openWriter(ctx context.Context, path string) (*writer, error) {
	// SQLite would make the file readable for others, and gives the mode of the
	// database to the files that it makes beside it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, wal: path + "-wal"}
	if err := d.prepare(ctx, w, path); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

func (d *DB) prepare(ctx context.Context, w *writer, path string) error {
	w.conn.SetBusyTimeout(d.busyWait)
	// Whose it is comes before anything is written to it.
	version, err := checkVersion(w.conn, path)
	known := false
	if err == nil && version > 0 {
		known, err = verify(w.conn, d.opts.Identity, path)
	}
	if err != nil {
		return err
	}
	mode, err := sqlitex.ResultText(w.conn.Prep("PRAGMA journal_mode = WAL"))
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fault.New(fault.Unsupported, opOpen, "the file system of %s has no shared memory for a write-ahead log", path).
			WithHint("keep the state on a local disk")
	}
	// With NORMAL, a transaction that was reported as done could be gone after
	// a power failure.
	if err := run(w.conn, syncEach); err != nil {
		return err
	}
	if version < len(schema().Migrations) {
		if err := migrate(ctx, w.conn); err != nil {
			return err
		}
	}
	if !known {
		if err := w.transaction(ctx, func(w *writer) error { return claim(w.conn, d.opts.Identity, path) }); err != nil {
			return err
		}
	}
	w.lastID, err = lastID(w.conn)
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// makeDir makes the state folder for its owner only. Each entry is made durable
// too, or a power failure could take the whole state away.
func makeDir(dir string) error {
	dir = filepath.Clean(dir)
	if exists(dir) {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that cannot sync a folder
	}
	return errors.Join(err, f.Close())
}
