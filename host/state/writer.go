package state

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"
)

// writer is the one connection that changes the database.
type writer struct {
	conn   *sqlite.Conn
	lastID int64 // highest ID ever given to a row or an intent
}

// write calls fn within a transaction that is durable when write returns nil, or
// with a later one, see Change; and undone when it returns an error.
func (d *DB) write(ctx context.Context, op string, later bool, fn func(*writer) error) error {
	ctx, done, err := d.begin(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if d.readOnly {
		return refuseWrite(op)
	}
	var w *writer
	select {
	case w = <-d.writer:
		defer func() { d.writer <- w }()
	case <-ctx.Done():
		return stopped(ctx, op)
	}
	if later {
		err = w.later(ctx, fn)
	} else {
		err = w.transaction(ctx, fn)
	}
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		return stopped(ctx, op)
	}
	return d.fault(op, err)
}

// How a commit waits for the disk. The write-ahead log is written in order: a
// commit that is synced takes all those before it along.
const (
	syncEach  = "PRAGMA synchronous = FULL"
	syncLater = "PRAGMA synchronous = NORMAL"
)

// later is a transaction that is durable with the next one, or when the database
// is closed.
func (w *writer) later(ctx context.Context, fn func(*writer) error) error {
	if err := run(w.conn, syncLater); err != nil {
		return err
	}
	return errors.Join(w.transaction(ctx, fn), run(w.conn, syncEach))
}

func (w *writer) transaction(ctx context.Context, fn func(*writer) error) (err error) {
	lastID := w.lastID
	w.conn.SetInterrupt(ctx.Done())
	defer func() {
		w.conn.SetInterrupt(nil)
		if err != nil {
			w.lastID = lastID
			// SQLite has undone some failures itself.
			if w.conn.AutocommitEnabled() {
				return
			}
			if undo := run(w.conn, "ROLLBACK"); undo != nil {
				err = errors.Join(err, undo)
			}
		}
	}()
	if err := run(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := fn(w); err != nil {
		return err
	}
	// From here on only the disk decides: a commit that is interrupted would
	// leave nobody knowing whether it happened.
	w.conn.SetInterrupt(nil)
	return run(w.conn, "COMMIT")
}

// run executes a statement that has no parameters and no result.
func run(conn *sqlite.Conn, query string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}
