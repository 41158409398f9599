package state

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

func (w *writer) intend(folderID int64, intents []Intent) (ids []int64, err error) {
	stmt, err := w.conn.Prepare(`INSERT INTO intents (id, folder, side, source, target, next, epoch, flags, size, date, ident)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`)
	if err != nil {
		return nil, err
	}
	for _, in := range intents {
		w.lastID++
		stmt.BindInt64(1, w.lastID)
		stmt.BindInt64(2, folderID)
		stmt.BindText(3, in.To.String())
		stmt.BindText(4, string(in.Source))
		stmt.BindText(5, string(in.Target))
		stmt.BindText(6, string(in.Next))
		stmt.BindText(7, in.Epoch)
		stmt.BindText(8, in.Flags.String())
		bindSize(stmt, 9, in.Size)
		bindDate(stmt, 10, in.Date)
		stmt.BindText(11, in.Ident)
		if err := execute(stmt); err != nil {
			return nil, err
		}
		ids = append(ids, w.lastID)
	}
	return ids, nil
}

// remove executes a statement for each ID, and returns how many rows it removed.
func (w *writer) remove(query string, folderID int64, ids []int64) (removed int, err error) {
	for _, id := range ids {
		if err := w.exec(query, id, folderID); err != nil {
			return 0, err
		}
		removed += w.conn.Changes()
	}
	return removed, nil
}

// replace puts rows in the place of those with their IDs.
func (w *writer) replace(folder string, folderID int64, rows []Row) error {
	err := w.update(folder, folderID, rows)
	if sqlite.ErrCode(err) != sqlite.ResultConstraintUnique {
		return err
	}
	// Rows may hand their keys to each other, in any order: all of them give up
	// theirs first. A key that is still taken then is taken by another row.
	for _, r := range rows {
		if err := w.exec("UPDATE messages SET far = NULL, near = NULL WHERE id = ?1 AND folder = ?2", r.ID, folderID); err != nil {
			return err
		}
	}
	return w.update(folder, folderID, rows)
}

// update writes rows over their old selves. The usual change keeps both keys:
// then it leaves the indexes alone, which are most of the work.
func (w *writer) update(folder string, folderID int64, rows []Row) error {
	same, err := w.conn.Prepare(`UPDATE messages SET flags = ?5, size = ?6, date = ?7, ident = ?8, status = ?9, note = ?10,
		far_only = ?11, near_only = ?12
		WHERE id = ?1 AND folder = ?2 AND far IS ?3 AND near IS ?4`)
	if err != nil {
		return err
	}
	other, err := w.conn.Prepare(`UPDATE messages SET far = ?3, near = ?4, flags = ?5, size = ?6, date = ?7, ident = ?8, status = ?9, note = ?10,
		far_only = ?11, near_only = ?12
		WHERE id = ?1 AND folder = ?2`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, stmt := range []*sqlite.Stmt{same, other} {
			if err := putRow(stmt, folder, folderID, r); err != nil {
				return err
			}
			if w.conn.Changes() > 0 {
				break
			}
		}
		if w.conn.Changes() == 0 {
			return noSuchRow(folder, r)
		}
	}
	return nil
}

func (w *writer) insert(folder string, folderID int64, rows []Row) (ids []int64, err error) {
	stmt, err := w.conn.Prepare(`INSERT INTO messages (id, folder, far, near, flags, size, date, ident, status, note, far_only, near_only)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.ID != 0 {
			continue
		}
		w.lastID++
		r.ID = w.lastID
		if err := putRow(stmt, folder, folderID, r); err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// putRow executes a statement whose parameters are the columns of messages.
func putRow(stmt *sqlite.Stmt, folder string, folderID int64, r Row) error {
	stmt.BindInt64(1, r.ID)
	stmt.BindInt64(2, folderID)
	bindKey(stmt, 3, r.Far)
	bindKey(stmt, 4, r.Near)
	stmt.BindText(5, r.Flags.String())
	bindSize(stmt, 6, r.Size)
	bindDate(stmt, 7, r.Date)
	stmt.BindText(8, r.Ident)
	stmt.BindText(9, string(r.Status))
	stmt.BindText(10, r.Note)
	stmt.BindText(11, r.FarOnly.String())
	stmt.BindText(12, r.NearOnly.String())
	err := execute(stmt)
	if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
		return pairedTwice(folder, r, err)
	}
	return err
}

// exec executes a statement whose parameters are numbers.
func (w *writer) exec(query string, params ...int64) error {
	stmt, err := w.conn.Prepare(query)
	if err != nil {
		return err
	}
	for i, p := range params {
		stmt.BindInt64(i+1, p)
	}
	return execute(stmt)
}

func bindKey(stmt *sqlite.Stmt, param int, k mail.Key) {
	if k == "" {
		stmt.BindNull(param)
		return
	}
	stmt.BindText(param, string(k))
}

func bindSize(stmt *sqlite.Stmt, param int, size int64) {
	if size < 0 {
		stmt.BindNull(param)
		return
	}
	stmt.BindInt64(param, size)
}

func bindDate(stmt *sqlite.Stmt, param int, t time.Time) {
	if t.IsZero() {
		stmt.BindNull(param)
		return
	}
	stmt.BindInt64(param, t.Unix())
}
