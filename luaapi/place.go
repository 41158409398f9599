package luaapi

import (
	"os"
	"path/filepath"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// place is where a repository has its mail.
type place struct {
	state.Place
	exclusive string // what no other repository may use, in words
}

// lanesOf is how many calls an endpoint takes at once: as many as it has
// connections.
func lanesOf(d *script.Def, endpoints int) int {
	if d.Kind != kindImap {
		return 4
	}
	return max(int(number(d.Options, "connections"))/max(endpoints, 1), 1)
}

// placeOf returns where a store has its mail. Paths are absolute.
func placeOf(kind string, options wire.Map) (place, error) {
	switch kind {
	case kindImap:
		// Not the port: a server has several, and a tunnel has another one each time.
		return place{Place: state.Place{Host: text(options, "host"), User: text(options, "user"), Path: text(options, "path")}}, nil
	case kindMaildir:
		path, err := absolute(text(options, "path"))
		return place{Place: state.Place{Path: path}, exclusive: "Maildir " + path}, err
	}
	name := text(options, "name")
	return place{Place: state.Place{Host: "memory", Path: name}, exclusive: "memory " + name}, nil
}

func absolute(path string) (string, error) {
	path, err := expandHome(path)
	if err != nil {
		return "", err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", fault.Wrap(fault.IO, "find "+path, err)
	}
	return full, nil
}

// stateFolder is where the state of an account is by default.
func stateFolder(name string) (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" || !filepath.IsAbs(base) {
		home, err := expandHome("~/.local/state")
		if err != nil {
			return "", err
		}
		base = home
	}
	return filepath.Join(base, "imapfw", name), nil
}

// withoutSecrets is what a script may see of the options of a store.
func withoutSecrets(options wire.Map) wire.Map {
	out := wire.Map{}
	for name, v := range options {
		if name != "password" && name != "password_command" {
			out[name] = v
		}
	}
	return out
}

func text(m wire.Map, name string) string {
	s, _ := m[name].(string)
	return s
}

func number(m wire.Map, name string) int64 {
	n, _ := m[name].(int64)
	return n
}
