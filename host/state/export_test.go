package state

import (
	"fmt"
	"time"
)

// LimitPages makes the database as full as a disk after n pages; 0 takes the
// limit away. The state is open for writing.
func (d *DB) LimitPages(n int) error {
	if n == 0 {
		n = 1 << 30
	}
	w := <-d.writer
	defer func() { d.writer <- w }()
	stmt, _, err := w.conn.PrepareTransient(fmt.Sprintf("PRAGMA max_page_count = %d", n))
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return firstOf(err, stmt.Finalize())
}

// WaitForOthers sets how long another program is waited for.
func (d *DB) WaitForOthers(limit time.Duration) { d.busyWait = limit }

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// SchemaVersion is the number of the present schema.
func SchemaVersion() int { return len(schema().Migrations) }
