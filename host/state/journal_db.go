package state

import (
	"context"
	"encoding/json"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

// BeginRun notes a run that is about to change something.
func (d *DB) BeginRun(ctx context.Context, kind string) (id int64, err error) {
	err = d.write(ctx, opWriteJournal, true, func(w *writer) error {
		stmt, err := w.conn.Prepare("INSERT INTO runs (id, kind, began) VALUES ((SELECT coalesce(max(id), 0) FROM runs) + 1, ?1, ?2)")
		if err != nil {
			return err
		}
		stmt.BindText(1, kind)
		stmt.BindInt64(2, time.Now().Unix())
		if err := execute(stmt); err != nil {
			return err
		}
		id = w.conn.LastInsertRowID()
		return nil
	})
	return id, err
}

// EndRun notes how a run ended.
func (d *DB) EndRun(ctx context.Context, run int64, outcome string) error {
	return d.write(ctx, opWriteJournal, true, func(w *writer) error {
		stmt, err := w.conn.Prepare("UPDATE runs SET ended = ?2, outcome = ?3 WHERE id = ?1")
		if err != nil {
			return err
		}
		stmt.BindInt64(1, run)
		stmt.BindInt64(2, time.Now().Unix())
		stmt.BindText(3, outcome)
		return execute(stmt)
	})
}

// Prune forgets old runs, but the newest: its number is not given twice.
func (d *DB) Prune(ctx context.Context, before time.Time) error {
	// Mostly there is none, and a look is cheaper than to write nothing.
	old := false
	err := d.glance(ctx, opJournal, func(conn *sqlite.Conn) error {
		// A clock that was wrong may have made the first run one of tomorrow.
		stmt, err := conn.Prepare("SELECT began < ?1 OR began > ?2 FROM runs ORDER BY id LIMIT 1")
		if err != nil {
			return err
		}
		stmt.BindInt64(1, before.Unix())
		stmt.BindInt64(2, time.Now().Unix())
		return eachRow(stmt, func() error { old = stmt.ColumnBool(0); return nil })
	})
	if err != nil || !old {
		return err
	}
	return d.write(ctx, opWriteJournal, true, func(w *writer) error {
		const old = "(SELECT id FROM runs WHERE began < ?1 AND id < (SELECT max(id) FROM runs))"
		for _, query := range []string{"DELETE FROM journal WHERE run IN " + old, "DELETE FROM runs WHERE id IN " + old} {
			if err := w.exec(query, before.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Runs returns the runs, newest first.
func (d *DB) Runs(ctx context.Context, limit int) ([]Run, error) {
	var out []Run
	err := d.read(ctx, opJournal, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare("SELECT id, kind, began, ended, outcome FROM runs ORDER BY id DESC LIMIT ?1")
		if err != nil {
			return err
		}
		if limit <= 0 {
			limit = -1
		}
		stmt.BindInt64(1, int64(limit))
		err = eachRow(stmt, func() error {
			out = append(out, Run{ID: stmt.ColumnInt64(0), Kind: stmt.ColumnText(1), Began: readDate(stmt, 2),
				Ended: readDate(stmt, 3), Outcome: stmt.ColumnText(4)})
			return nil
		})
		if err != nil {
			return err
		}
		counts, err := conn.Prepare("SELECT op, side, count(*) FROM journal WHERE run = ?1 GROUP BY op, side ORDER BY op, side")
		if err != nil {
			return err
		}
		for i := range out {
			counts.BindInt64(1, out[i].ID)
			err := eachRow(counts, func() error {
				out[i].Events = append(out[i].Events, Count{counts.ColumnText(0), sideOf(counts.ColumnText(1)), counts.ColumnInt64(2)})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func sideOf(word string) Side {
	switch word {
	case Far.String():
		return Far
	case Near.String():
		return Near
	}
	return 0
}

func sideWord(s Side) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

// log writes events as part of a change.
func (w *writer) log(folder string, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	stmt, err := w.conn.Prepare(`INSERT INTO journal
		(run, at, folder, message, op, side, far, near, message_id, before, after, date, other, spool, reason, was)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)`)
	if err != nil {
		return err
	}
	for _, e := range events {
		stmt.BindInt64(1, e.Run)
		stmt.BindInt64(2, e.At.Unix())
		stmt.BindText(3, folder)
		bindID(stmt, 4, e.Row)
		for i, text := range []string{e.Op, sideWord(e.Side), string(e.Far), string(e.Near)} {
			stmt.BindText(i+5, text)
		}
		bindKey(stmt, 9, mail.Key(e.MessageID))
		stmt.BindText(10, e.Before.String())
		stmt.BindText(11, e.After.String())
		bindDate(stmt, 12, e.Date)
		for i, text := range []string{e.Other, e.Spool, e.Reason} {
			stmt.BindText(i+13, text)
		}
		bindID(stmt, 16, e.Was)
		if err := execute(stmt); err != nil {
			return err
		}
	}
	return nil
}

func bindID(stmt *sqlite.Stmt, param int, id int64) {
	if id == 0 {
		stmt.BindNull(param)
		return
	}
	stmt.BindInt64(param, id)
}

// Events hands out events in the order in which they were written.
func (d *DB) Events(ctx context.Context, q Query, fn func([]Event) error) error {
	var refused error
	err := d.read(ctx, opJournal, func(conn *sqlite.Conn) error {
		query, args := q.sql()
		stmt, err := conn.Prepare(query)
		if err != nil {
			return err
		}
		for i, arg := range args {
			switch arg := arg.(type) {
			case int64:
				stmt.BindInt64(i+1, arg)
			case string:
				stmt.BindText(i+1, arg)
			}
		}
		var batch []Event
		flags := flagReader{}
		err = eachRow(stmt, func() error {
			batch = append(batch, readEvent(stmt, flags))
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
	return err
}

// sql is the statement for a query, and its parameters.
func (q Query) sql() (string, []any) {
	query := `SELECT id, run, at, folder, message, op, side, far, near, message_id, before, after, date, other, spool, reason, was
		FROM journal WHERE 1`
	var args []any
	if q.Run != 0 {
		query += " AND run = ?"
		args = append(args, q.Run)
	}
	if len(q.Rows) > 0 {
		query += " AND message IN (SELECT value FROM json_each(?))"
		text, _ := json.Marshal(q.Rows) // numbers can always be written
		args = append(args, string(text))
	}
	if q.MessageID != "" {
		query += " AND message_id = ?"
		args = append(args, q.MessageID)
	}
	return query + " ORDER BY id", args
}

func readEvent(stmt *sqlite.Stmt, flags flagReader) Event {
	return Event{
		ID: stmt.ColumnInt64(0), Run: stmt.ColumnInt64(1), At: readDate(stmt, 2), Folder: stmt.ColumnText(3), Row: stmt.ColumnInt64(4),
		Op: stmt.ColumnText(5), Side: sideOf(stmt.ColumnText(6)),
		Far: mail.Key(stmt.ColumnText(7)), Near: mail.Key(stmt.ColumnText(8)), MessageID: stmt.ColumnText(9),
		Before: flags.read(stmt.ColumnText(10)), After: flags.read(stmt.ColumnText(11)), Date: readDate(stmt, 12),
		Other: stmt.ColumnText(13), Spool: stmt.ColumnText(14), Reason: stmt.ColumnText(15), Was: stmt.ColumnInt64(16),
	}
}
