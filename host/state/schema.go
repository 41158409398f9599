package state

import (
	"context"
	_ "embed"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/imapfw/imapfw/host/fault"
)

// applicationID marks the database as ours ("imfw"); file(1) shows it.
const applicationID = 0x696d6677

//go:embed schema1.sql
var schema1 string

//go:embed schema2.sql
var schema2 string

//go:embed schema3.sql
var schema3 string

//go:embed schema4.sql
var schema4 string

//go:embed schema5.sql
var schema5 string

//go:embed schema6.sql
var schema6 string

// schema returns the way from an empty database to the present one. A migration
// that was ever released is not edited: what changes is a new one after it.
func schema() sqlitemigration.Schema {
	return sqlitemigration.Schema{
		AppID:      applicationID,
		Migrations: []string{schema1, schema2, schema3, schema4, schema5, schema6},
	}
}

// checkVersion refuses a database that is not ours, or that a later imapfw
// wrote. It changes nothing. It returns the version of the schema that is there,
// 0 for an empty file.
func checkVersion(conn *sqlite.Conn, path string) (version int, err error) {
	app, err := sqlitex.ResultInt(conn.Prep("PRAGMA application_id"))
	if err != nil {
		return 0, err
	}
	tables, err := sqlitex.ResultInt(conn.Prep("SELECT count(*) FROM sqlite_master"))
	if err != nil {
		return 0, err
	}
	if app != applicationID && (app != 0 || tables > 0) {
		return 0, fault.New(fault.Config, opOpen, "%s is a database of another program", path).
			WithHint("give the account a state folder of its own")
	}
	version, err = sqlitex.ResultInt(conn.Prep("PRAGMA user_version"))
	if err != nil {
		return 0, err
	}
	if known := len(schema().Migrations); version > known {
		return 0, fault.New(fault.Config, opOpen,
			"%s was written by a later imapfw (its schema is %d, this imapfw knows %d)", path, version, known).
			WithHint("run the later imapfw again, or give the account another state folder: its first run pairs what is there")
	}
	return version, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func migrate(ctx context.Context, conn *sqlite.Conn) error {
	return sqlitemigration.Migrate(ctx, conn, schema())
}
