package state

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
)

// The keys of the table info. Those of an identity are in identityFields.
const (
	keyAccountID = "account_id"
	keyRun       = "run"
	keyPending   = "pending"
	keyFarMark   = "far_mark"
	keyNearMark  = "near_mark"
	keyLastID    = "last_id"
	keyWritten   = "written"
)

// identityFields is how an identity is written down.
func identityFields(id Identity) map[string]string {
	return map[string]string{
		"account":  id.Account,
		"far_host": id.Far.Host, "far_user": id.Far.User, "far_path": id.Far.Path,
		"near_host": id.Near.Host, "near_user": id.Near.User, "near_path": id.Near.Path,
	}
}

// Info returns what is kept about the account. Where there is no state yet, its
// account is a new one.
func (d *DB) Info(ctx context.Context) (Info, error) {
	info := Info{Account: newAccountID()}
	err := d.glance(ctx, opInfo, func(conn *sqlite.Conn) error {
		values, err := readInfo(conn)
		if err != nil || values[keyAccountID] == "" {
			return err // it was cut short while it was made
		}
		info.Account = values[keyAccountID]
		if info.Run, err = number(values, keyRun); err != nil {
			return err
		}
		if info.Pending, err = number(values, keyPending); err != nil {
			return err
		}
		// A state from before there were marks of each side marked both.
		info.FarMark, info.NearMark = info.Run, info.Run
		for key, mark := range map[string]*int64{keyFarMark: &info.FarMark, keyNearMark: &info.NearMark} {
			if values[key] == "" {
				continue
			}
			if *mark, err = number(values, key); err != nil {
				return err
			}
		}
		return nil
	})
	return info, err
}

// SetInfo replaces what is kept about the account.
func (d *DB) SetInfo(ctx context.Context, info Info) error {
	later := info.Pending <= d.pending.Load() // it is durable already
	err := d.write(ctx, opSetInfo, later, func(w *writer) error {
		return writeInfo(w.conn, map[string]string{
			keyAccountID: info.Account,
			keyRun:       strconv.FormatInt(info.Run, 10),
			keyPending:   strconv.FormatInt(info.Pending, 10),
			keyFarMark:   strconv.FormatInt(info.FarMark, 10),
			keyNearMark:  strconv.FormatInt(info.NearMark, 10),
		})
	})
	if err == nil && !later {
		d.pending.Store(info.Pending)
	}
	return err
}

// claim records whose state this is in a state that is new, and checks it in
// one that is not.
func claim(conn *sqlite.Conn, id Identity, path string) error {
	known, err := verify(conn, id, path)
	if err != nil || known {
		return err
	}
	values := identityFields(id)
	values[keyAccountID] = newAccountID()
	values[keyRun], values[keyPending], values[keyLastID] = "0", "0", "0"
	return writeInfo(conn, values)
}

// verify refuses a state of another identity. It reports whether the state has
// one at all.
func verify(conn *sqlite.Conn, id Identity, path string) (known bool, err error) {
	values, err := readInfo(conn)
	if err != nil || values[keyAccountID] == "" {
		return false, err
	}
	recorded := Identity{
		Account: values["account"],
		Far:     Place{values["far_host"], values["far_user"], values["far_path"]},
		Near:    Place{values["near_host"], values["near_user"], values["near_path"]},
	}
	if recorded == id || recorded.withoutPorts() == id {
		return true, nil
	}
	e := fault.New(fault.Config, opOpen, "%s is the state of another account: %s", path, difference(recorded, id)).
		WithHint("undo that change, or give the account another state folder: its first run pairs what is there")
	e.Account = id.Account
	return true, e
}

// withoutPorts returns id as it is recorded today; earlier, ports were too.
func (id Identity) withoutPorts() Identity {
	for _, p := range []*Place{&id.Far, &id.Near} {
		if at := strings.LastIndexByte(p.Host, ':'); at > 0 && strings.Trim(p.Host[at+1:], "0123456789") == "" {
			p.Host = p.Host[:at]
		}
	}
	return id
}

// difference says in which way two identities are not the same.
func difference(recorded, now Identity) string {
	switch {
	case recorded.Far != now.Far:
		return "its far side is " + recorded.Far.String() + ", not " + now.Far.String()
	case recorded.Near != now.Near:
		return "its near side is " + recorded.Near.String() + ", not " + now.Near.String()
	}
	return "its name is " + strconv.Quote(recorded.Account) + ", not " + strconv.Quote(now.Account)
}

func readInfo(conn *sqlite.Conn) (map[string]string, error) {
	stmt, err := conn.Prepare("SELECT key, value FROM info")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for {
		row, err := stmt.Step()
		if err != nil {
			return nil, err
		}
		if !row {
			return values, stmt.Reset()
		}
		values[stmt.ColumnText(0)] = stmt.ColumnText(1)
	}
}

func writeInfo(conn *sqlite.Conn, values map[string]string) error {
	stmt, err := conn.Prepare("INSERT INTO info (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		stmt.BindText(1, key)
		stmt.BindText(2, values[key])
		if err := execute(stmt); err != nil {
			return err
		}
	}
	return nil
}

// lastID returns the highest ID that was ever given.
func lastID(conn *sqlite.Conn) (int64, error) {
	values, err := readInfo(conn)
	if err != nil {
		return 0, err
	}
	return number(values, keyLastID)
}

func number(values map[string]string, key string) (int64, error) {
	n, err := strconv.ParseInt(values[key], 10, 64)
	if err != nil {
		return 0, fault.New(fault.IO, opInfo, "%q in the table info is no number: %q", key, values[key]).
			WithHint("the database was changed by another program; run imapfw state check")
	}
	return n, nil
}

// execute runs a statement that has no result, and makes it ready for the next
// time.
func execute(stmt *sqlite.Stmt) error {
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}
