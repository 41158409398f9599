package luaapi

import (
	"fmt"
	"net"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// The kinds of stores, as kinds of definitions and as types of endpoints.
const (
	kindImap    = "imap"
	kindMaildir = "maildir"
	kindMemory  = "memory"
	kindState   = "state"
)

const defaultTimeout = 30 * time.Second

// imapTable declares the options of api.imap and api.ImapEndpoint.
func imapTable(name string) *options.Table {
	return &options.Table{
		Name: name, Class: "imapfw.ImapOptions",
		Doc: "A mailbox on an IMAP server.",
		Options: []options.Option{
			{Name: "host", Type: options.Text(), Required: true, Help: "name or address of the server"},
			{Name: "port", Type: options.Int(1, 65535), DefaultText: "993, or 143 with tls = \"starttls\" or \"none\"", Help: "of the server"},
			{Name: "user", Type: options.Text(), Required: true, Help: "who signs in"},
			{Name: "tls", Type: options.AnyOf(options.Enum("implicit", "starttls", "none"), options.Sub(tlsTable())),
				Default: "implicit", Help: "how the connection is encrypted"},
			{Name: "insecure", Type: options.Bool(), Default: false,
				Help: "allow tls = \"none\" to a host that is not this machine: everybody on the way can read the password"},
			{Name: "password", Type: secretType(), Secret: true, Help: "the password, or better where it comes from"},
			{Name: "password_command", Type: options.Text(),
				Help: "a command whose first line of output is the password; the same as api.secret.command"},
			{Name: "authzid", Type: options.String(), Help: "whom to act as, where it is not user"},
			{Name: "auth", Type: options.ListOf(options.Enum("PLAIN", "LOGIN", "LOGIN-COMMAND")),
				Help: "the ways to sign in that may be used, the best first; all of them by default"},
			{Name: "timeout", Type: options.Age(), Default: defaultTimeout, Help: "how long a command may go without progress"},
			{Name: "connections", Type: options.Int(1, 32), Default: int64(3), Help: "how many connections there are at most"},
			{Name: "compress", Type: options.AnyOf(options.Enum("auto"), options.Bool()), Default: "auto",
				Help: "compress what goes over the line (COMPRESS=DEFLATE): \"auto\" does where the round trip and the rate say that it saves time, never on this machine"},
			{Name: "without", Type: options.ListOf(options.String()), Help: "capabilities of the server that are not to be used"},
			{Name: "namespace", Type: options.String(), Help: "prefix of the personal namespace; the server is asked by default"},
			{Name: "path", Type: options.String(), Help: "the folder below which all folders but the inbox lie"},
			{Name: "separator", Type: options.String(), Check: oneCharacter,
				Help: "between the levels of folder names, when the server tells a wrong one"},
			{Name: "subscribed_only", Type: options.Bool(), Default: false, Help: "leave out folders without subscription"},
			{Name: "retries", Type: options.Int(0, 20), Default: int64(3),
				Help: "how often a request is tried again that failed for a reason that may pass: half a second later, then twice as long each time, or when the server asks for it"},
			{Name: "max_append", Type: options.Size(), Help: "size of the largest message to deliver; what the server says holds too"},
		},
		Check: checkImap,
	}
}

// tlsTable declares the options of `tls` as a table.
func tlsTable() *options.Table {
	return &options.Table{
		Name: "tls", Class: "imapfw.TlsOptions",
		Doc: "How a connection is encrypted, and whom it trusts.",
		Options: []options.Option{
			{Name: "mode", Type: options.Enum("implicit", "starttls", "none"), Default: "implicit", Help: "how the connection is encrypted"},
			{Name: "ca_file", Type: options.String(), Help: "PEM file of authorities to trust"},
			{Name: "system_ca", Type: options.Bool(), Default: true, Help: "trust the authorities of the system too"},
			{Name: "fingerprint", Type: options.String(), Check: isFingerprint,
				Help: "SHA-256 digest of the server's certificate, which then alone decides"},
			{Name: "cert", Type: options.String(), Help: "PEM file of the client's certificate"},
			{Name: "key", Type: options.String(), Help: "PEM file of its key"},
			{Name: "min", Type: options.Enum("1.0", "1.1", "1.2", "1.3"), Default: "1.2", Help: "the lowest version of TLS"},
			{Name: "server_name", Type: options.String(), Help: "the name the certificate must be for, where it is not host"},
		},
		Check: func(m wire.Map) []error {
			if (m["cert"] == nil) != (m["key"] == nil) {
				return []error{problem("cert", "cert and key belong together")}
			}
			return nil
		},
	}
}

// checkImap refuses options that contradict each other.
func checkImap(m wire.Map) []error {
	var errs []error
	if m["password"] != nil && m["password_command"] != nil {
		errs = append(errs, problem("password_command", "password is given too: keep one of them"))
	}
	if m["password"] == nil && m["password_command"] == nil {
		errs = append(errs, problem("password_command", "no password: say where it comes from, with password_command = \"...\" or password = api.secret..."))
	}
	host, _ := m["host"].(string)
	insecure, _ := m["insecure"].(bool)
	if tlsMode(m) == "none" && !insecure && host != "" && !isLoopback(host) {
		errs = append(errs, problem("tls",
			"%q would be sent the password in the clear; if that is what you want, add insecure = true", host))
	}
	return errs
}

func tlsMode(m wire.Map) string {
	switch t := m["tls"].(type) {
	case string:
		return t
	case wire.Map:
		mode, _ := t["mode"].(string)
		return mode
	}
	return ""
}

// isLoopback reports whether a host is this machine, without asking anybody.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

func imapFunction(name string) function {
	f := storeFunction(name, imapTable("api."+name), kindImap, func(m wire.Map) {
		switch value := m["password"].(type) {
		case string:
			m["password"] = &secret{kind: secretLiteral, value: value}
		case nil:
			if command, ok := m["password_command"].(string); ok {
				m["password"] = &secret{kind: secretCommand, value: command}
			}
		}
	})
	f.power = "net"
	return f
}

// storeFunction is a constructor of definitions of stores.
func storeFunction(name string, table *options.Table, kind string, settle func(wire.Map)) function {
	return function{
		name: name, params: "options: " + table.Class, returns: "imapfw.Store", doc: table.Doc,
		call: table.Constructor(func(L *lua.LState, m wire.Map) lua.LValue {
			if settle != nil {
				settle(m)
			}
			return script.NewDef(L, kind, m).Value()
		}),
	}
}

// storeType is the type of options that take a store.
func storeType() options.Type {
	return options.Object("a store", "imapfw.Store", isStore)
}

func isStore(v any) bool {
	d, ok := v.(*script.Def)
	return ok && (d.Kind == kindImap || d.Kind == kindMaildir || d.Kind == kindMemory)
}

// problem is an error about one option of a table.
func problem(option, format string, args ...any) error {
	return options.Problem(option, fmt.Errorf(format, args...))
}

func oneCharacter(v any) error {
	if s, ok := v.(string); ok && len([]rune(s)) != 1 {
		return fmt.Errorf("%q is not one character", s)
	}
	return nil
}

func isFingerprint(v any) error {
	digits := strings.ReplaceAll(fmt.Sprint(v), ":", "")
	for _, c := range digits {
		if !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return fmt.Errorf("it is not written in hexadecimal digits")
		}
	}
	if len(digits) != 64 {
		return fmt.Errorf("a SHA-256 digest has 64 hexadecimal digits, this has %d", len(digits))
	}
	return nil
}
