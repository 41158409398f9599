// Package imapfw_test holds the tests of the whole tree: here, that its arrows
// point one way. docs/ARCHITECTURE.md tells why each package is where it is.
package imapfw_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/imapfw/imapfw"

// arrows is the table of docs/ARCHITECTURE.md: a package may import the packages
// of its line, what those may import, mail and fault, and its own sub-packages
// where they have no line of their own. A new package gets a line here.
var arrows = map[string][]string{
	"host/mail":                 {},
	"host/fault":                {},
	"host/wire":                 {},
	"host/lifetime":             {},
	"host/worker":               {"host/wire", "host/lifetime"},
	"host/naming":               {},
	"host/predicate":            {"host/naming"},
	"host/timing":               {},
	"host/driver":               {"host/timing", "host/lifetime"},
	"host/driver/memory":        {"host/driver"},
	"host/durable":              {"host/timing"},
	"host/driver/maildir":       {"host/driver", "host/durable"},
	"host/driver/imap":          {"host/driver"},
	"host/driver/drivertest":    {"host/driver"},
	"host/driver/imap/imaptest": {},
	"host/endpoint":             {"host/driver", "host/worker", "host/naming", "host/predicate"},
	"host/repository":           {"host/endpoint"},
	"host/state":                {"host/endpoint"},
	"host/spool":                {"host/durable"},
	"host/engine":               {"host/repository", "host/state", "host/spool"},
	"host/topology":             {"host/worker"},
	"host/script":               {"host/worker"},
	"scripts":                   {},
	"luaapi":                    {"host/engine", "host/topology", "host/script", "host/driver/memory", "host/driver/maildir", "host/driver/imap", "scripts"},
	"cmd/imapfw":                {"luaapi", "host/driver/imap/imaptest"},
	"bench":                     {"host/driver/imap/imaptest"},
}

// only says who may import a package and what is below it, where the arrows do
// not say it; nil is nobody but tests.
var only = []struct {
	path    string
	allowed []string
	why     string
}{
	{module + "/host/driver/imap/conn", []string{"host/driver/imap", "luaapi"}, "it is the inside of the driver; luaapi fills in its configuration"},
	{module + "/host/driver/imap/imaptest", []string{"cmd"}, "it is for tests and for the demo"},
	{module + "/host/driver/imap/imaptest/dovecot", []string{"bench"}, "it is for tests and measurements"},
	{module + "/host/driver/drivertest", nil, "it is for tests"},
	{module + "/host/state/statetest", nil, "it is for tests"},
	{"github.com/yuin/gopher-lua", []string{"luaapi", "host/script"}, "the rest of the host knows no Lua"},
	{"github.com/emersion/go-imap", []string{"host/driver/imap", "bench"}, "the rest of the host knows no IMAP; the bench looks at servers by itself"},
	{"github.com/emersion/go-sasl", []string{"host/driver/imap"}, "signing in is the driver's"},
	{"github.com/emersion/go-maildir", []string{"host/driver/maildir"}, "the rest of the host knows no Maildir"},
	{"zombiezen.com/go/sqlite", []string{"host/state"}, "the rest of the host asks a state.Store"},
	{"modernc.org", []string{"host/state"}, "the rest of the host asks a state.Store"},
	{"github.com/spf13/cobra", []string{"cmd"}, "the command line is in cmd"},
	{"github.com/vbauerster/mpb", []string{"cmd"}, "the screen is the command's"},
	{"github.com/stretchr/testify", nil, "it is for tests"},
	{"pgregory.net/rapid", nil, "it is for tests"},
	{"go.uber.org/goleak", nil, "it is for tests"},
	{"os/signal", []string{"cmd", "bench"}, "signals are the command's"},
	{"testing", nil, "it is for tests"},
}

// testPackages are made of test code although they have files of their own.
var testPackages = []string{
	"host/driver/drivertest", "host/driver/imap/imaptest", "host/state/statetest",
}

// goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles", "./...")
	cmd.Env = append(cmd.Environ(), "GOPROXY=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		require.NoError(t, dec.Decode(&p))
		if p.ImportPath != module {
			all = append(all, p)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// within reports whether a package is the one at root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// line returns the line of the table that a package belongs to.
func line(name string) (entry string) {
	for e := range arrows {
		if within(name, e) && len(e) > len(entry) {
			entry = e
		}
	}
	return entry
}

// reaches reports whether the arrows lead from one line of the table to another.
func reaches(from, to string) bool {
	if from == to || to == "host/mail" || to == "host/fault" {
		return true
	}
	for _, next := range arrows[from] {
		if reaches(next, to) {
			return true
		}
	}
	return false
}

func isTestPackage(name string) bool {
	for _, t := range testPackages {
		if within(name, t) {
			return true
		}
	}
	return false
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		from := line(p.name())
		if from == "" {
			t.Errorf("%s has no line in the table of arrows: give it one in arch_test.go", p.name())
			continue
		}
		for _, path := range p.Imports {
			if name, ours := strings.CutPrefix(path, module+"/"); ours && !reaches(from, line(name)) {
				t.Errorf("%s imports %s, against the table of arrows in arch_test.go", p.name(), name)
			}
		}
		for _, path := range append(p.TestImports, p.XTestImports...) {
			name, ours := strings.CutPrefix(path, module+"/")
			if to := line(name); ours && to != from && reaches(to, from) && !isTestPackage(name) && from != "host/mail" && from != "host/fault" {
				t.Errorf("a test of %s imports %s, which is above it", p.name(), name)
			}
		}
	}
}

func TestWhoImportsWhat(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			rule := -1
			for i, o := range only {
				if within(path, o.path) && (rule < 0 || len(o.path) > len(only[rule].path)) {
					rule = i
				}
			}
			if rule >= 0 && !mayImport(p.name(), path, rule) {
				t.Errorf("%s imports %s: %s", p.name(), path, only[rule].why)
			}
		}
	}
}

func mayImport(name, path string, rule int) bool {
	if isTestPackage(name) || within(module+"/"+name, only[rule].path) {
		return true
	}
	for _, a := range only[rule].allowed {
		if within(name, a) {
			return true
		}
	}
	return false
}
