package state

import (
	"context"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

// Commit applies a change in one transaction and syncs it to the disk.
func (d *DB) Commit(ctx context.Context, folder string, c *Change) error {
	if err := c.check(folder); err != nil {
		return err
	}
	var newIntents, newRows []int64
	err := d.write(ctx, opCommit, func(w *writer) (err error) {
		newIntents, newRows, err = w.apply(folder, c)
		return err
	})
	if err != nil {
		return inFolder(err, folder)
	}
	c.fillIn(newIntents, newRows)
	return nil
}

func (w *writer) apply(folder string, c *Change) (newIntents, newRows []int64, err error) {
	before := w.lastID
	id, err := w.record(folder, c)
	if err != nil || id == 0 {
		return nil, nil, err
	}
	if newIntents, err = w.intend(id, c.Intend); err != nil {
		return nil, nil, err
	}
	if err := w.remove("DELETE FROM intents WHERE id = ?1 AND folder = ?2", id, c.Settle); err != nil {
		return nil, nil, err
	}
	// Rows that go make room for rows that come, whose keys they may have.
	if err := w.remove("DELETE FROM messages WHERE id = ?1 AND folder = ?2", id, c.Drop); err != nil {
		return nil, nil, err
	}
	if err := w.replace(folder, id, c.replaced()); err != nil {
		return nil, nil, err
	}
	if newRows, err = w.insert(folder, id, c.Put); err != nil {
		return nil, nil, err
	}
	if w.lastID != before {
		err = writeInfo(w.conn, map[string]string{keyLastID: strconv.FormatInt(w.lastID, 10)})
	}
	return newIntents, newRows, err
}

// record brings the folder's own record up to date and returns its number, 0
// when the change leaves no such folder.
func (w *writer) record(folder string, c *Change) (int64, error) {
	id, err := w.folderID(folder)
	if err != nil {
		return 0, err
	}
	if c.Forget && id != 0 {
		for _, query := range []string{
			"DELETE FROM messages WHERE folder = ?", "DELETE FROM intents WHERE folder = ?", "DELETE FROM folders WHERE id = ?",
		} {
			if err := w.exec(query, id); err != nil {
				return 0, err
			}
		}
		id = 0
	}
	if id == 0 {
		if c.Folder == nil && !c.adds() {
			return 0, nil
		}
		stmt, err := w.conn.Prepare("INSERT INTO folders (far) VALUES (?)")
		if err != nil {
			return 0, err
		}
		stmt.BindText(1, folder)
		if err := execute(stmt); err != nil {
			return 0, err
		}
		id = w.conn.LastInsertRowID()
	}
	if c.Folder == nil {
		return id, nil
	}
	return id, w.updateFolder(id, folder, *c.Folder)
}

func (w *writer) updateFolder(id int64, folder string, f Folder) error {
	stmt, err := w.conn.Prepare(`UPDATE folders SET far = ?2, near = ?3, far_epoch = ?4, near_epoch = ?5,
		far_cursor = ?6, near_cursor = ?7, policy = ?8 WHERE id = ?1`)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, id)
	for i, text := range []string{f.Far, f.Near, f.FarEpoch, f.NearEpoch, string(f.FarCursor), string(f.NearCursor), f.Policy} {
		stmt.BindText(i+2, text)
	}
	err = execute(stmt)
	if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
		return folderExists(folder, f.Far)
	}
	return err
}

func (w *writer) folderID(folder string) (id int64, err error) {
	stmt, err := w.conn.Prepare("SELECT id FROM folders WHERE far = ?")
	if err != nil {
		return 0, err
	}
	stmt.BindText(1, folder)
	err = eachRow(stmt, func() error { id = stmt.ColumnInt64(0); return nil })
	return id, err
}

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

func (w *writer) remove(query string, folderID int64, ids []int64) error {
	for _, id := range ids {
		if err := w.exec(query, id, folderID); err != nil {
			return err
		}
	}
	return nil
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
	same, err := w.conn.Prepare(`UPDATE messages SET flags = ?5, size = ?6, date = ?7, ident = ?8
		WHERE id = ?1 AND folder = ?2 AND far IS ?3 AND near IS ?4`)
	if err != nil {
		return err
	}
	other, err := w.conn.Prepare(`UPDATE messages SET far = ?3, near = ?4, flags = ?5, size = ?6, date = ?7, ident = ?8
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
	stmt, err := w.conn.Prepare(`INSERT INTO messages (id, folder, far, near, flags, size, date, ident)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`)
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
