package state

import (
	"context"
	"strconv"

	"zombiezen.com/go/sqlite"
)

// Commit applies a change in one transaction, and syncs it to the disk unless it says Later.
func (d *DB) Commit(ctx context.Context, folder string, c *Change) error {
	if err := c.check(folder); err != nil {
		return err
	}
	var newIntents, newRows []int64
	err := d.write(ctx, opCommit, c.Later, func(w *writer) (err error) {
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
	if err != nil {
		return nil, nil, err
	}
	if id == 0 { // there is no such folder, and nothing to put into one
		return nil, nil, w.log(folder, c.settleJournal(nil))
	}
	if newIntents, err = w.intend(id, c.Intend); err != nil {
		return nil, nil, err
	}
	if _, err := w.remove("DELETE FROM intents WHERE id = ?1 AND folder = ?2", id, c.Settle); err != nil {
		return nil, nil, err
	}
	// Rows that go make room for rows that come, whose keys they may have.
	dropped, err := w.remove("DELETE FROM messages WHERE id = ?1 AND folder = ?2", id, c.Drop)
	if err != nil {
		return nil, nil, err
	}
	if err := w.replace(folder, id, c.replaced()); err != nil {
		return nil, nil, err
	}
	if newRows, err = w.insert(folder, id, c.Put); err != nil {
		return nil, nil, err
	}
	if more := len(newRows) - dropped; more != 0 {
		if err := w.exec("UPDATE folders SET messages = messages + ?1 WHERE id = ?2", int64(more), id); err != nil {
			return nil, nil, err
		}
	}
	if err := w.log(folder, c.settleJournal(newRows)); err != nil {
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
	switch {
	case c.Folder == nil && c.rows():
		return id, w.exec(unmark, id)
	case c.Folder == nil:
		return id, nil
	case c.rows():
		return id, w.updateFolder(id, folder, c.Folder.unmarked())
	}
	return id, w.updateFolder(id, folder, *c.Folder)
}

// unmark is Folder.unmarked for the record that is there.
const unmark = `UPDATE folders SET far_cursor = substr(far_cursor, 1, instr(far_cursor || '#', '#') - 1),
	near_cursor = substr(near_cursor, 1, instr(near_cursor || '#', '#') - 1)
	WHERE id = ?1 AND (instr(far_cursor, '#') OR instr(near_cursor, '#'))`

func (w *writer) updateFolder(id int64, folder string, f Folder) error {
	stmt, err := w.conn.Prepare(`UPDATE folders SET far = ?2, near = ?3, far_epoch = ?4, near_epoch = ?5,
		far_cursor = ?6, near_cursor = ?7, policy = ?8, far_id = ?9, near_id = ?10 WHERE id = ?1`)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, id)
	for i, text := range []string{f.Far, f.Near, f.FarEpoch, f.NearEpoch, string(f.FarCursor), string(f.NearCursor), f.Policy, f.FarID, f.NearID} {
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
