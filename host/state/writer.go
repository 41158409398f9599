package state

import (
	"context"
	"errors"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
)

// writer is the one connection that changes the database.
type writer struct {
	conn   *sqlite.Conn
	lastID int64  // highest ID ever given to a row or an intent
	wal    string // the file of the write-ahead log
	begun  bool   // there is something in it
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
	if err = w.beginLog(ctx); err == nil {
		if later {
			err = w.relaxed(ctx, syncLater, fn)
		} else {
			err = w.transaction(ctx, fn)
		}
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
	syncNever = "PRAGMA synchronous = OFF"
)

// relaxed is a transaction that is durable with the next one that is not, or when the
// database is closed.
func (w *writer) relaxed(ctx context.Context, how string, fn func(*writer) error) error {
	if err := run(w.conn, how); err != nil {
		return err
	}
	return errors.Join(w.transaction(ctx, fn), run(w.conn, syncEach))
}

// beginLog writes to a write-ahead log that is empty, without a sync. SQLite syncs the
// header of a log before anything follows it: what an earlier log left behind it must
// not be taken for a part of this one. In a new file there is nothing, and the first
// commit that is synced takes the header along.
func (w *writer) beginLog(ctx context.Context) error {
	if w.begun {
		return nil
	}
	w.begun = true
	if info, err := os.Stat(w.wal); err == nil && info.Size() > 0 {
		return nil
	}
	return w.relaxed(ctx, syncNever, func(w *writer) error {
		return writeInfo(w.conn, map[string]string{keyWritten: time.Now().UTC().Format(time.RFC3339Nano)})
	})
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
