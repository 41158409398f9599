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

// Rows are mostly made in the order of the far side, and read in it: by the keys of the
// near side, those of a large folder would come from all over the database. An index
// leads there, but takes twice as long as reading all the rows there are, so it is left
// aside where most of them are of this folder. Which of them are odd is asked first, of
// an index: to look at those columns of all takes as long again.
const (
	knownFar       = `SELECT flags, far FROM messages WHERE folder = ?1 AND far IS NOT NULL ORDER BY far`
	knownNear      = `SELECT flags, near FROM messages WHERE folder = ?1 AND near IS NOT NULL ORDER BY far`
	knownFarOfAll  = `SELECT flags, far FROM messages NOT INDEXED WHERE folder = ?1 AND far IS NOT NULL`
	knownNearOfAll = `SELECT flags, near FROM messages NOT INDEXED WHERE folder = ?1 AND near IS NOT NULL`
	oddFar         = `SELECT far FROM messages WHERE folder = ?1 AND ` + ofOdd
	oddNear        = `SELECT near FROM messages WHERE folder = ?1 AND ` + ofOdd
)

// Known hands out what is known of the messages of a side, as Load does with rows.
func (d *DB) Known(ctx context.Context, folder string, side Side, fn func([]Known) error) error {
	var refused error // by fn; it goes back as it is
	err := d.read(ctx, opLoad, func(conn *sqlite.Conn) error {
		return snapshot(conn, func() error {
			id, most, err := shareOf(conn, folder)
			if err != nil || id == 0 {
				return err
			}
			queries := [...]string{Far: knownFar, Near: knownNear}
			if most {
				queries = [...]string{Far: knownFarOfAll, Near: knownNearOfAll}
			}
			odd := map[mail.Key]bool{}
			err = ask(conn, [...]string{Far: oddFar, Near: oddNear}[side], id, func(row *sqlite.Stmt) error {
				odd[mail.Key(row.ColumnText(0))] = true
				return nil
			})
			if err == nil {
				refused, err = known(conn, queries[side], id, odd, fn)
			}
			return err
		})
	})
	if refused != nil {
		return refused
	}
	return inFolder(err, folder)
}

// shareOf returns the number of a folder, 0 where there is none, and whether it has most
// of all the rows.
func shareOf(conn *sqlite.Conn, folder string) (id int64, most bool, err error) {
	stmt, err := conn.Prepare("SELECT id, 2*messages >= (SELECT sum(messages) FROM folders) FROM folders WHERE far = ?")
	if err != nil {
		return 0, false, err
	}
	stmt.BindText(1, folder)
	err = eachRow(stmt, func() error {
		id, most = stmt.ColumnInt64(0), stmt.ColumnBool(1)
		return nil
	})
	return id, most, err
}

func known(conn *sqlite.Conn, query string, folder int64, odd map[mail.Key]bool, fn func([]Known) error) (refused, err error) {
	batch, keys, ends := make([]Known, 0, batchRows), []byte(nil), make([]int, 0, batchRows)
	hand := func() error {
		all, from := string(keys), 0 // one piece of memory for all the keys of a batch
		for i := range batch {
			batch[i].Key, from = mail.Key(all[from:ends[i]]), ends[i]
			batch[i].Odd = odd[batch[i].Key]
		}
		if refused = fn(batch); refused != nil {
			return errRefused
		}
		batch, keys, ends = make([]Known, 0, batchRows), keys[:0], ends[:0]
		return nil
	}
	flags, text := flagReader{}, make([]byte, 1024)
	err = ask(conn, query, folder, func(row *sqlite.Stmt) error {
		var k Known
		if n := row.ColumnBytes(0, text); n < len(text) {
			k.Flags = flags.readBytes(text[:n])
		} else {
			k.Flags = flags.read(row.ColumnText(0)) // there may be more
		}
		if n := row.ColumnBytes(1, text); n < len(text) {
			keys = append(keys, text[:n]...)
		} else {
			keys = append(keys, row.ColumnText(1)...)
		}
		batch, ends = append(batch, k), append(ends, len(keys))
		if len(batch) < batchRows {
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
func ask(conn *sqlite.Conn, query string, folder int64, fn func(row *sqlite.Stmt) error) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, folder)
	return eachRow(stmt, func() error { return fn(stmt) })
}
