package state

import (
	"log/slog"
	"path/filepath"
)

// DefaultFile is the name of the database in an account's state folder.
const DefaultFile = "state.db"

// Options say where a state is and whose.
type Options struct {
	// Dir is the account's state folder. Open makes it, for its owner only.
	Dir string
	// File is the name of the database in Dir; DefaultFile when empty.
	File string
	// Identity is whose state it is. It is recorded when the state is made, and
	// a state of another identity is refused ever after.
	Identity Identity
	// Log gets what the user should know and no error can say. Nil is silent.
	Log *slog.Logger
}

// Exists reports whether the state was made already.
func (o Options) Exists() bool { return exists(o.path()) }

func (o Options) path() string {
	file := o.File
	if file == "" {
		file = DefaultFile
	}
	return filepath.Join(o.Dir, file)
}

// Identity is what makes a state belong to one account and to no other.
type Identity struct {
	Account   string // the account's name
	Far, Near Place
}

// Place is where one side keeps its mail. Fields that a kind of store has not
// are empty; an account without a near side has an empty Place there.
type Place struct {
	Host, User string
	Path       string // absolute; the caller has made it so
}

func (p Place) String() string {
	switch {
	case p == Place{}:
		return "nothing"
	case p.Host == "":
		return p.Path
	case p.Path == "":
		return p.User + "@" + p.Host
	}
	return p.User + "@" + p.Host + ":" + p.Path
}
