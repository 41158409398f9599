package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/scripts"
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

// fileAndAccounts splits the arguments of sync.
func (g *global) fileAndAccounts(args []string) (file string, accounts []string, err error) {
	for _, arg := range args {
		switch {
		case !isPath(arg):
			accounts = append(accounts, arg)
		case file != "":
			return "", nil, fault.New(fault.Config, "", "two files: %s and %s", file, arg).WithHint("sync one at a time")
		default:
			file = arg
		}
	}
	if file == "" {
		file, err = g.defaultFile()
		return file, accounts, err
	}
	_, err = os.Stat(file)
	return file, accounts, fault.Wrap(fault.Config, "", err)
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
	for _, candidate := range []string{arg + ".lua", filepath.Join(arg, "init.lua")} {
		file := filepath.Join(g.userFolder(), "apps", candidate)
		if _, err := os.Stat(file); err == nil {
			return app{path: file}, nil
		}
	}
	if shipped := path.Join("apps", arg); fs.ValidPath(shipped) {
		if _, err := fs.Stat(scripts.FS, path.Join(shipped, "init.lua")); err == nil {
			return app{path: shipped, in: scripts.FS}, nil
		}
	}
	return app{}, fault.New(fault.Config, "", "%q is neither a command nor an app", arg).
		WithHint("apps are looked up in %s, and among the shipped ones", filepath.Join(g.userFolder(), "apps"))
}
