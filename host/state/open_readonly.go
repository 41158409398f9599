package state

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

// OpenReadOnly opens the state for reading. It makes no file and changes none,
// does not wait for an instance that is at work, and reads a state that is not
// there as an empty one.
func (d *DB) OpenReadOnly(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open {
		return fault.New(fault.Internal, opOpen, "it is open already")
	}
	if ctx.Err() != nil {
		return stopped(ctx, opOpen)
	}
	path := d.opts.path()
	d.readOnly, d.absent = true, false
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.Size() == 0:
		d.absent = true
		d.started()
		return nil
	case err != nil:
		return d.fault(opOpen, err)
	}
	if err := d.openReader(ctx, path); err != nil {
		return d.fault(opOpen, err)
	}
	d.started()
	return nil
}

// openReader finds the way to read the database without a trace.
func (d *DB) openReader(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	d.source, d.flags = path, sqlite.OpenReadOnly
	// Reading a database in WAL mode makes files beside it, unless SQLite is
	// told that nobody changes it. That is so while we have the lock and no
	// write-ahead log of a crashed run is left.
	d.lock = shareLock(path)
	if d.lock != nil && !exists(path+"-wal") {
		u := url.URL{Scheme: "file", Path: abs, RawQuery: "immutable=1"}
		d.source, d.flags = u.String(), sqlite.OpenReadOnly|sqlite.OpenURI
	}
	conn, err := d.dial()
	if err == nil {
		conn.SetInterrupt(ctx.Done())
		err = d.checkReadable(conn, path)
		conn.SetInterrupt(nil)
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err != nil {
		if d.lock != nil {
			err = errors.Join(err, releaseLock(d.lock))
			d.lock = nil
		}
		return err
	}
	d.idle = append(d.idle, conn)
	return nil
}

func (d *DB) checkReadable(conn *sqlite.Conn, path string) error {
	version, err := checkVersion(conn, path)
	if err != nil {
		return err
	}
	if known := len(schema().Migrations); version < known {
		return fault.New(fault.Config, opOpen, "%s is of an older imapfw (its schema is %d, this imapfw needs %d)", path, version, known).
			WithHint("a run that is not a dry run brings it up to date")
	}
	_, err = verify(conn, d.opts.Identity, path)
	return err
}
