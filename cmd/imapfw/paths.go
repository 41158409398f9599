package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/luaapi"
)

// userFolder is where the user's file, apps and contrib scripts are.
func (g *global) userFolder() string { return filepath.Join(xdg.ConfigHome, "imapfw") }

// defaultFile is what is synced when nothing else is said.
func (g *global) defaultFile() (string, error) {
	file := filepath.Join(g.userFolder(), "init.lua")
	if _, err := os.Stat(file); err != nil {
		return "", fault.New(fault.Config, "", "there is no %s", file).
			WithHint("write one, see README.md, or name a file: imapfw sync FILE")
	}
	return file, nil
}

// isPath reports whether an argument names a file rather than an account or an
// app.
func isPath(arg string) bool {
	if strings.HasSuffix(arg, ".lua") || strings.ContainsRune(arg, filepath.Separator) {
		return true
	}
	info, err := os.Stat(filepath.Join(arg, "init.lua"))
	return err == nil && !info.IsDir()
}

// fileAndAccounts reads the arguments of commands that are about whole accounts.
func (g *global) fileAndAccounts(args []string) (file string, accounts []string, err error) {
	s, err := g.selects(args)
	for name := range s.folders {
		return "", nil, fault.New(fault.Config, "", "this is about whole accounts").WithHint("name %s only", name)
	}
	return s.file, s.accounts, err
}

// app is where an app was found: on the machine, or among the shipped ones.
type app struct {
	path string
	in   fs.FS // nil for the machine's file system
}

// findApp finds an app by path or by name: among the user's apps first, then
// among the shipped ones.
func (g *global) findApp(arg string) (app, error) {
	if isPath(arg) {
		_, err := os.Stat(arg)
		return app{path: arg}, fault.Wrap(fault.Config, "", err)
	}
	found, err := luaapi.FindApp(arg, g.userFolder())
	return app{path: found.Path, in: found.FS}, err
}
