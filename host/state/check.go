package state

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

// Checker is the optional ability of a Store to look for damage in itself.
type Checker interface {
	// Check reads everything and returns fault.IO when it does not fit
	// together. It changes nothing.
	Check(ctx context.Context) error
}

// maxProblems is how many of the problems that were found an error tells.
const maxProblems = 5

// Check reads the whole database.
func (d *DB) Check(ctx context.Context) error {
	const op = "check state"
	return d.read(ctx, op, func(conn *sqlite.Conn) error {
		var problems []string
		stmt, err := conn.Prepare(fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems))
		if err != nil {
			return err
		}
		err = eachRow(stmt, func() error {
			if text := stmt.ColumnText(0); text != "ok" {
				problems = append(problems, text)
			}
			return nil
		})
		if err != nil {
			return err
		}
		stmt, err = conn.Prepare("PRAGMA foreign_key_check")
		if err != nil {
			return err
		}
		err = eachRow(stmt, func() error {
			if len(problems) < maxProblems {
				problems = append(problems, fmt.Sprintf("row %d of %s is in no folder", stmt.ColumnInt64(1), stmt.ColumnText(0)))
			}
			return nil
		})
		if err != nil || len(problems) == 0 {
			return err
		}
		return fault.New(fault.IO, op, "%s is damaged: %s", d.opts.path(), strings.Join(problems, "; ")).WithHint("%s", repairHint)
	})
}
