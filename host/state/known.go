package state

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

// Known is what the rows tell of a message on one side. It is a small part of a row:
// enough to see that nothing happened to a message.
type Known struct {
	Key   mail.Key
	Flags mail.Flags
	// Odd is Row.Odd: the row tells more.
	Odd bool
}

func knownOf(r Row, side Side) Known { return Known{Key: r.Key(side), Flags: r.Flags, Odd: r.Odd()} }

// Both read in the order in which rows are mostly made: by the keys of the near side,
// the rows of a large folder would be read from all over the database. Which of them are
// odd is asked first, of an index: to look at those columns of all takes as long again.
const (
	knownFar = `SELECT id, far, flags FROM messages
		WHERE folder = (SELECT id FROM folders WHERE far = ?) AND far IS NOT NULL ORDER BY far`
	knownNear = `SELECT id, near, flags FROM messages
		WHERE folder = (SELECT id FROM folders WHERE far = ?) AND near IS NOT NULL ORDER BY far`
	oddRows = `SELECT id FROM messages WHERE folder = (SELECT id FROM folders WHERE far = ?) AND ` + ofOdd
)

// Known hands out what is known of the messages of a side, as Load does with rows.
func (d *DB) Known(ctx context.Context, folder string, side Side, fn func([]Known) error) error {
	var refused error // by fn; it goes back as it is
	err := d.read(ctx, opLoad, func(conn *sqlite.Conn) error {
		return snapshot(conn, func() error {
			odd := map[int64]bool{}
			err := ask(conn, oddRows, folder, func(row *sqlite.Stmt) error {
				odd[row.ColumnInt64(0)] = true
				return nil
			})
			if err != nil {
				return err
			}
			refused, err = known(conn, folder, side, odd, fn)
			return err
		})
	})
	if refused != nil {
		return refused
	}
	return inFolder(err, folder)
}

func known(conn *sqlite.Conn, folder string, side Side, odd map[int64]bool, fn func([]Known) error) (refused, err error) {
	query := knownFar
	if side == Near {
		query = knownNear
	}
	batch := make([]Known, 0, batchRows)
	hand := func() error {
		if refused = fn(batch); refused != nil {
			return errRefused
		}
		batch = make([]Known, 0, batchRows)
		return nil
	}
	flags, text := flagReader{}, make([]byte, 256)
	err = ask(conn, query, folder, func(row *sqlite.Stmt) error {
		k := Known{Key: mail.Key(row.ColumnText(1)), Odd: odd[row.ColumnInt64(0)]}
		if row.ColumnLen(2) <= len(text) {
			k.Flags = flags.readBytes(text[:row.ColumnBytes(2, text)])
		} else {
			k.Flags = flags.read(row.ColumnText(2))
		}
		if batch = append(batch, k); len(batch) < batchRows {
			return nil
		}
		return hand()
	})
	if err == nil && len(batch) > 0 {
		err = hand()
	}
	return refused, err
}

// ask calls fn with each row of a query about a folder.
func ask(conn *sqlite.Conn, query, folder string, fn func(row *sqlite.Stmt) error) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	stmt.BindText(1, folder)
	return eachRow(stmt, func() error { return fn(stmt) })
}
