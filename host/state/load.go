package state

import (
	"context"
	"errors"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

// Folders returns all the folders, ordered by far name.
func (d *DB) Folders(ctx context.Context) ([]Folder, error) {
	var out []Folder
	err := d.glance(ctx, opFolders, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`SELECT far, near, far_epoch, near_epoch, far_cursor, near_cursor, policy, far_id, near_id, messages,
			(SELECT count(*) FROM intents WHERE folder = folders.id),
			(SELECT count(*) FROM messages WHERE folder = folders.id AND status = 'refused' AND status <> ''),
			(SELECT count(*) FROM messages WHERE folder = folders.id AND status = 'ambiguous' AND status <> '')
			FROM folders ORDER BY far`)
		if err != nil {
			return err
		}
		return eachRow(stmt, func() error {
			out = append(out, Folder{
				Far:        stmt.ColumnText(0),
				Near:       stmt.ColumnText(1),
				FarEpoch:   stmt.ColumnText(2),
				NearEpoch:  stmt.ColumnText(3),
				FarCursor:  mail.Cursor(stmt.ColumnText(4)),
				NearCursor: mail.Cursor(stmt.ColumnText(5)),
				Policy:     stmt.ColumnText(6),
				FarID:      stmt.ColumnText(7),
				NearID:     stmt.ColumnText(8),
				Messages:   stmt.ColumnInt(9),
				Open:       stmt.ColumnInt(10),
				Refused:    stmt.ColumnInt(11),
				Ambiguous:  stmt.ColumnInt(12),
			})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// loadFar and loadNear read in the order of an index, so nothing is sorted and
// memory does not grow with the folder.
const (
	loadFar = `SELECT ` + rowColumns + ` FROM messages
		WHERE folder = (SELECT id FROM folders WHERE far = ?) ORDER BY far, id`
	loadNear = `SELECT ` + rowColumns + ` FROM messages
		WHERE folder = (SELECT id FROM folders WHERE far = ?) ORDER BY near, id`
)

// errRefused ends a statement whose reader gave up.
var errRefused = errors.New("the reader gave up")

// Load hands out the rows of a folder as of one moment: the statement is one
// read transaction for as long as it is stepped.
func (d *DB) Load(ctx context.Context, folder string, by Side, fn func([]Row) error) error {
	query := loadFar
	if by == Near {
		query = loadNear
	}
	var refused error // by fn; it goes back as it is
	err := d.read(ctx, opLoad, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(query)
		if err != nil {
			return err
		}
		stmt.BindText(1, folder)
		var batch []Row
		flags := flagReader{}
		err = eachRow(stmt, func() error {
			if batch == nil {
				batch = make([]Row, 0, batchRows)
			}
			batch = append(batch, readRow(stmt, flags))
			if len(batch) < batchRows {
				return nil
			}
			full := batch
			batch = nil
			if refused = fn(full); refused != nil {
				return errRefused
			}
			return nil
		})
		if err == nil && len(batch) > 0 {
			refused = fn(batch)
		}
		return err
	})
	if refused != nil {
		return refused
	}
	return inFolder(err, folder)
}

func readRow(stmt *sqlite.Stmt, flags flagReader) Row {
	return Row{
		ID:     stmt.ColumnInt64(0),
		Far:    mail.Key(stmt.ColumnText(1)),
		Near:   mail.Key(stmt.ColumnText(2)),
		Flags:  flags.read(stmt.ColumnText(3)),
		Size:   readSize(stmt, 4),
		Date:   readDate(stmt, 5),
		Ident:  stmt.ColumnText(6),
		Status: Status(stmt.ColumnText(7)),
		Note:   stmt.ColumnText(8),

		FarOnly:  flags.read(stmt.ColumnText(9)),
		NearOnly: flags.read(stmt.ColumnText(10)),
	}
}

// Intents returns the open deliveries of a folder, oldest first.
func (d *DB) Intents(ctx context.Context, folder string) ([]Intent, error) {
	var out []Intent
	err := d.read(ctx, opIntents, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`SELECT id, side, source, target, next, epoch, flags, size, date, ident FROM intents
			WHERE folder = (SELECT id FROM folders WHERE far = ?) ORDER BY id`)
		if err != nil {
			return err
		}
		stmt.BindText(1, folder)
		flags := flagReader{}
		return eachRow(stmt, func() error {
			to := Far
			if stmt.ColumnText(1) == Near.String() {
				to = Near
			}
			out = append(out, Intent{
				ID:     stmt.ColumnInt64(0),
				To:     to,
				Source: mail.Key(stmt.ColumnText(2)),
				Target: mail.Key(stmt.ColumnText(3)),
				Next:   mail.Key(stmt.ColumnText(4)),
				Epoch:  stmt.ColumnText(5),
				Flags:  flags.read(stmt.ColumnText(6)),
				Size:   readSize(stmt, 7),
				Date:   readDate(stmt, 8),
				Ident:  stmt.ColumnText(9),
			})
			return nil
		})
	})
	if err != nil {
		return nil, inFolder(err, folder)
	}
	return out, nil
}

// eachRow calls fn for each row of a statement's result.
func eachRow(stmt *sqlite.Stmt, fn func() error) error {
	for {
		row, err := stmt.Step()
		if err != nil {
			return err
		}
		if !row {
			return stmt.Reset()
		}
		if err := fn(); err != nil {
			return err
		}
	}
}

// flagReader reads sets of flags as Flags.String writes them. A mailbox has few
// different ones: each is parsed once.
type flagReader map[string]mail.Flags

// maxFlagSets bounds a flagReader where every message has keywords of its own.
const maxFlagSets = 4096

func (r flagReader) read(text string) mail.Flags {
	if text == "" {
		return mail.Flags{}
	}
	f, ok := r[text]
	if !ok {
		f = mail.NewFlags(strings.Split(text, " ")...)
		if len(r) == maxFlagSets {
			clear(r)
		}
		r[text] = f
	}
	return f
}

// readBytes is read for a text that is not to be copied.
func (r flagReader) readBytes(text []byte) mail.Flags {
	if f, ok := r[string(text)]; ok {
		return f
	}
	return r.read(string(text))
}

func readSize(stmt *sqlite.Stmt, col int) int64 {
	if stmt.ColumnIsNull(col) {
		return -1
	}
	return stmt.ColumnInt64(col)
}

func readDate(stmt *sqlite.Stmt, col int) time.Time {
	if stmt.ColumnIsNull(col) {
		return time.Time{}
	}
	return time.Unix(stmt.ColumnInt64(col), 0).UTC()
}
