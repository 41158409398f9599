package luaapi

import (
	"os"
	"path/filepath"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// The kinds of secrets.
const (
	secretLiteral = "literal"
	secretCommand = "command"
	secretFile    = "file"
	secretEnv     = "env"
	secretNetrc   = "netrc"
	secretPrompt  = "prompt"
	secretKeyring = "keyring"
)

// secret says where a password comes from. It is resolved in the worker that
// signs in, and nowhere else; see secrets. Nothing about it is ever printed but
// its kind.
type secret struct {
	kind  string
	value string // command, path, name, host, text, or service
	user  string // of a keyring
}

// DataKind is part of script.Datum.
func (*secret) DataKind() string { return "secret" }

// Data is part of script.Datum.
func (s *secret) Data() (any, error) {
	return wire.Map{"kind": s.kind, "value": s.value, "user": s.user}, nil
}

func (s secret) String() string   { return "<secret>" }
func (s secret) GoString() string { return "<secret>" }

// secretOf reads the plain form.
func secretOf(v wire.Value) (*secret, error) {
	f := readMap(v)
	s := &secret{kind: f.text("kind"), value: f.text("value"), user: f.text("user")}
	return s, f.err
}

func secretObject() object[*secret] {
	return object[*secret]{
		name:   "Secret",
		doc:    "Where a password comes from. It is found out in the worker that signs in, and is never shown.",
		string: func(*secret) string { return "<secret>" },
	}
}

// secretType is the type of the option `password`.
func secretType() options.Type {
	return options.AnyOf(options.String(), options.Object("a secret", "imapfw.Secret", func(v any) bool {
		_, ok := v.(*secret)
		return ok
	}))
}

func secretFunctions() []function {
	make := func(kind, param, power, doc string) function {
		return function{name: "secret." + kind, params: param + ": string", returns: "imapfw.Secret", doc: doc, power: power,
			call: func(L *lua.LState) int {
				value := L.CheckString(1)
				if value == "" {
					script.ArgError(L, 1, "it is empty")
				}
				L.Push(script.New(L, &secret{kind: kind, value: value}))
				return 1
			}}
	}
	return []function{
		make(secretCommand, "command", "exec", "The first line that a command prints. It runs once per run, by sh -c."),
		make(secretFile, "path", "secrets", "The first line of a file that only its owner can read."),
		make(secretEnv, "name", "secrets", "An environment variable."),
		make(secretNetrc, "host", "secrets", "The password of a host in ~/.netrc."),
		make(secretPrompt, "text", "secrets", "Asks on the terminal, once per run."),
		{name: "secret.keyring", power: "secrets", params: "service: string, user: string", returns: "imapfw.Secret",
			doc: "The password of a user in the keyring of the desktop: of the Secret Service by secret-tool, of macOS by security.",
			call: func(L *lua.LState) int {
				L.Push(script.New(L, &secret{kind: secretKeyring, value: L.CheckString(1), user: L.CheckString(2)}))
				return 1
			}},
	}
}

// expandHome puts the home folder in place of a leading "~/". It is done in the
// worker that uses the path: its home is what counts.
func expandHome(path string) (string, error) {
	if path != "~" && (len(path) < 2 || path[:2] != "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.Config, "", "%q cannot be found: %v", path, err)
	}
	return filepath.Join(home, path[1:]), nil
}
