package state

import (
	"cmp"
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/mail"
)

// Wanted says which rows of a folder are looked for.
type Wanted struct {
	// Far and Near are the keys of messages on either side.
	Far, Near mail.KeySet
	// Last is how many of the rows with the highest keys are wanted, on each side,
	// of those that have an identity.
	Last int
}

// Found is what Find returns.
type Found struct {
	// Rows are those that were wanted, each once, and all those that are odd; in
	// no order.
	Rows []Row
	// Messages is how many rows the folder has in all.
	Messages int
}

// Odd reports whether there is more to a row than that two messages are copies of
// each other. The others of a folder need no look while nothing happens to their
// messages.
func (r Row) Odd() bool {
	return r.Status != StatusPair || r.Note != "" || r.Far == "" || r.Near == "" ||
		r.FarOnly != (mail.Flags{}) || r.NearOnly != (mail.Flags{})
}

const (
	rowColumns = `id, far, near, flags, size, date, ident, status, note, far_only, near_only`
	// ofOdd is Row.Odd. It is, word for word, the condition of the index messages_odd.
	ofOdd = `(status <> '' OR note <> '' OR far IS NULL OR near IS NULL OR far_only <> '' OR near_only <> '')`

	findOdd      = `SELECT ` + rowColumns + ` FROM messages WHERE folder = ?1 AND ` + ofOdd
	findFar      = `SELECT ` + rowColumns + ` FROM messages WHERE folder = ?1 AND far = ?2`
	findNear     = `SELECT ` + rowColumns + ` FROM messages WHERE folder = ?1 AND near = ?2`
	findLastFar  = `SELECT ` + rowColumns + ` FROM messages WHERE folder = ?1 AND ident <> '' ORDER BY far DESC LIMIT ?2`
	findLastNear = `SELECT ` + rowColumns + ` FROM messages WHERE folder = ?1 AND ident <> '' ORDER BY near DESC LIMIT ?2`
)

// Find reads few rows of a folder of any size: each by an index.
func (d *DB) Find(ctx context.Context, folder string, wanted Wanted) (Found, error) {
	var found Found
	err := d.glance(ctx, opLoad, func(conn *sqlite.Conn) error {
		return snapshot(conn, func() (err error) {
			found, err = find(conn, folder, wanted)
			return err
		})
	})
	if err != nil {
		return Found{}, inFolder(err, folder)
	}
	return found, nil
}

func find(conn *sqlite.Conn, folder string, wanted Wanted) (out Found, err error) {
	stmt, err := conn.Prepare("SELECT id, messages FROM folders WHERE far = ?")
	if err != nil {
		return out, err
	}
	stmt.BindText(1, folder)
	id := int64(0)
	if err := eachRow(stmt, func() error {
		id, out.Messages = stmt.ColumnInt64(0), stmt.ColumnInt(1)
		return nil
	}); err != nil || id == 0 {
		return out, err
	}
	seen, flags := map[int64]bool{}, flagReader{}
	ask := func(query string, bind func(*sqlite.Stmt)) error {
		stmt, err := conn.Prepare(query)
		if err != nil {
			return err
		}
		stmt.BindInt64(1, id)
		bind(stmt)
		return eachRow(stmt, func() error {
			if row := readRow(stmt, flags); !seen[row.ID] {
				seen[row.ID] = true
				out.Rows = append(out.Rows, row)
			}
			return nil
		})
	}
	if err := ask(findOdd, func(*sqlite.Stmt) {}); err != nil {
		return out, err
	}
	for _, side := range []struct {
		keys          mail.KeySet
		byKey, latest string
	}{{wanted.Far, findFar, findLastFar}, {wanted.Near, findNear, findLastNear}} {
		for key := range side.keys.All() {
			if err := ask(side.byKey, func(s *sqlite.Stmt) { s.BindText(2, string(key)) }); err != nil {
				return out, err
			}
		}
		if wanted.Last == 0 {
			continue
		}
		if err := ask(side.latest, func(s *sqlite.Stmt) { s.BindInt64(2, int64(wanted.Last)) }); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Among is Find in all the rows of a folder, for a Store that has no index.
func (wanted Wanted) Among(rows []Row) Found {
	out := Found{Messages: len(rows)}
	chosen := make([]bool, len(rows))
	for i, row := range rows {
		chosen[i] = row.Odd() || row.Far != "" && wanted.Far.Contains(row.Far) || row.Near != "" && wanted.Near.Contains(row.Near)
	}
	for _, side := range []Side{Far, Near} {
		for _, i := range lastOf(rows, side, wanted.Last) {
			chosen[i] = true
		}
	}
	for i, row := range rows {
		if chosen[i] {
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

// lastOf returns where the rows are that have the highest keys of a side.
func lastOf(rows []Row, side Side, n int) []int {
	var order []int
	for i := range rows {
		if rows[i].Ident != "" {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return -cmp.Compare(rows[a].Key(side), rows[b].Key(side)) })
	return order[:min(n, len(order))]
}
