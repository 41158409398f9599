package luaapi

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/scripts"
)

// App is where an app was found: what RunOptions.App and AppFS want.
type App struct {
	Path string
	FS   fs.FS // nil: the machine's file system
}

// FindApp looks an app up by its name: in the user's folder, then among the
// shipped ones.
func FindApp(name, user string) (App, error) {
	path, fsys, found := script.FindApp(user, scripts.FS, name)
	if !found {
		return App{}, fault.New(fault.Config, "", "there is no app %q", name).
			WithHint("apps are %s and the shipped ones", filepath.Join(user, "apps", "NAME.lua"))
	}
	return App{path, fsys}, nil
}

// Report is what Check found out about an app that it found no mistake in.
type Report struct {
	Accounts []string
	Main     bool     // it has a main function of its own
	Modules  []string // their files
	Warnings []string
}

// Check loads an app twice, each time in a state of its own, and compares what
// was defined; then it declares the workers of its accounts, without starting
// any. It reads no mail and runs no main. The error tells every mistake.
func Check(ctx context.Context, opt RunOptions) (Report, error) {
	p, bundle, app, err := opt.declared(ctx)
	if p != nil {
		defer p.state.Close()
	}
	if err != nil {
		return Report{}, err
	}
	r := Report{Main: app.def.Options["main"] != nil}
	for _, src := range bundle.Sources() {
		r.Modules = append(r.Modules, src.File)
	}
	for _, a := range p.accounts {
		r.Accounts = append(r.Accounts, a.name)
		if err := a.declare(); err != nil {
			return Report{}, inAccount(err, a.name)
		}
	}
	r.Warnings = warnings(app, opt)
	return r, nil
}

// declared loads an app and makes the program of a run that starts nothing.
func (o RunOptions) declared(ctx context.Context) (*program, *script.Bundle, *subject, error) {
	bundle, err := Load(ctx, o)
	if err != nil {
		return nil, nil, nil, err
	}
	p := newProgram(o)
	p.state, err = bundle.NewState(ctx, script.Options{Worker: mainWorker, Phase: script.Main, Log: o.logger(), Print: o.Print, Host: p})
	if err != nil {
		return nil, nil, nil, err
	}
	var app *subject
	err = p.state.Do(ctx, func(L *lua.LState) (err error) {
		if app, err = appOf(p.state); err == nil {
			p.accounts, err = app.selected(p, o.Accounts)
		}
		return err
	})
	return p, bundle, app, err
}

// warnings tells what is no mistake but may be one.
func warnings(app *subject, opt RunOptions) []string {
	var out []string
	for _, account := range app.accounts {
		for _, side := range []string{"far", "near"} {
			d := storeOf(account.Options[side])
			if d == nil {
				continue
			}
			if s, ok := d.Options["password"].(*secret); ok && s.kind == secretLiteral && opt.AppFS == nil {
				if why := exposed(opt.App); why != "" {
					out = append(out, fmt.Sprintf("%s: the password is written in the file, which %s: use password_command", d.At, why))
				}
			}
		}
	}
	return out
}

// exposed tells in which way others may read a file; "" when they cannot.
func exposed(path string) string {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, "init.lua")
		info, err = os.Stat(path)
	}
	if err != nil {
		return ""
	}
	if info.Mode().Perm()&0o044 != 0 {
		return "others can read"
	}
	full, err := filepath.Abs(path)
	for dir := filepath.Dir(full); err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return "is in a git work tree"
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return ""
}

// Topology returns the workers that an app declares and starts, without starting
// any. An app with a main function of its own is run with a ctx that starts
// nothing, hears of no error, and waits for nothing.
func Topology(ctx context.Context, opt RunOptions) (topology.Graph, error) {
	p, _, app, err := opt.declared(ctx)
	if p != nil {
		defer p.state.Close()
	}
	if err != nil {
		return topology.Graph{}, err
	}
	err = p.state.Do(ctx, func(L *lua.LState) error {
		main, err := app.main(L, p.state)
		if err != nil {
			return err
		}
		_, err = main.Call(L, 0, script.New(L, p))
		return err
	})
	if err != nil {
		return topology.Graph{}, err
	}
	return topology.NewGraph(p.started), nil
}
