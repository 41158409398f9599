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

// levels is the table of arrows: a package may import those of the levels below
// its own, and its own sub-packages where they have no line of their own. A new
// package gets its place here.
var levels = [][]string{
	{"host/mail"},
	{"host/fault"},
	{"host/wire", "host/driver", "host/naming"},
	{"host/predicate", "host/worker", "host/driver/memory", "host/driver/maildir", "host/driver/imap"},
	{"host/driver/drivertest"},
	{"host/endpoint"},
	{"host/repository", "host/state"},
	{"host/engine"},
	{"host/topology", "host/script", "scripts"},
	{"luaapi"},
	{"cmd/imapfw"},
}

// only says who may import a package and what is below it, where the arrows
// alone would let more do it. "" is nobody but tests.
var only = []struct {
	path    string
	allowed []string
	why     string
}{
	{module + "/host/driver/imap", []string{"host/topology", "luaapi", "cmd"}, "everybody else speaks to a driver.Store"},
	{module + "/host/driver/maildir", []string{"host/topology", "luaapi", "cmd"}, "everybody else speaks to a driver.Store"},
	{module + "/host/driver/memory", []string{"host/topology", "luaapi", "cmd"}, "everybody else speaks to a driver.Store"},
	{module + "/host/driver/imap/conn", []string{"host/driver/imap"}, "it is the inside of the driver"},
	{module + "/host/driver/imap/imaptest", []string{"cmd"}, "it is for tests and for the demo"},
	{module + "/host/driver/imap/imaptest/dovecot", nil, "it is for tests"},
	{module + "/host/driver/drivertest", nil, "it is for tests"},
	{module + "/host/state/statetest", nil, "it is for tests"},
	{"github.com/yuin/gopher-lua", []string{"luaapi", "host/script"}, "the rest of the host knows no Lua"},
	{"github.com/emersion/go-imap", []string{"host/driver/imap"}, "the rest of the host knows no IMAP"},
	{"github.com/emersion/go-sasl", []string{"host/driver/imap"}, "signing in is the driver's"},
	{"github.com/emersion/go-maildir", []string{"host/driver/maildir"}, "the rest of the host knows no Maildir"},
	{"zombiezen.com/go/sqlite", []string{"host/state"}, "the rest of the host asks a state.Store"},
	{"modernc.org", []string{"host/state"}, "the rest of the host asks a state.Store"},
	{"github.com/spf13/cobra", []string{"cmd"}, "the command line is in cmd"},
	{"github.com/vbauerster/mpb", []string{"cmd"}, "the screen is the command's"},
	{"github.com/stretchr/testify", nil, "it is for tests"},
	{"pgregory.net/rapid", nil, "it is for tests"},
	{"go.uber.org/goleak", nil, "it is for tests"},
	{"os/signal", []string{"cmd"}, "signals are the command's"},
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

// place returns the line of the table that a package belongs to, and its level.
func place(name string) (entry string, level int) {
	level = -1
	for i, names := range levels {
		for _, n := range names {
			if within(name, n) && len(n) > len(entry) {
				entry, level = n, i
			}
		}
	}
	return entry, level
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
		entry, level := place(p.name())
		if entry == "" {
			t.Errorf("%s has no place in the table of arrows: give it one in arch_test.go", p.name())
			continue
		}
		for _, path := range p.Imports {
			name, ours := strings.CutPrefix(path, module+"/")
			if !ours {
				continue
			}
			to, toLevel := place(name)
			if to != entry && toLevel >= level {
				t.Errorf("%s imports %s, which is not below it: see the table of arrows in arch_test.go", p.name(), name)
			}
		}
		for _, path := range append(p.TestImports, p.XTestImports...) {
			name, ours := strings.CutPrefix(path, module+"/")
			if _, toLevel := place(name); ours && toLevel > level && !isTestPackage(name) {
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
