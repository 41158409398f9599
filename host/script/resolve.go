package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// resolver finds the files of modules: beside the app, in the user's folder,
// among the shipped scripts.
type resolver struct {
	roots  []root
	grants map[string][]string
	homes  map[string]home // of contrib scripts and apps, by "contrib/NAME"
}

// root is a folder modules are looked for in.
type root struct {
	fsys    fs.FS
	display string // prefix of file names in messages
	shipped bool
}

// home is where a contrib script or an app was found: its files all come from
// there.
type home struct {
	root   root
	powers []string
}

// newResolver opens the app: a file, or a folder with init.lua.
func newResolver(cfg Config) (*resolver, *source, error) {
	fsys, file, name, dir, err := openApp(cfg)
	if err != nil {
		return nil, nil, err
	}
	r := &resolver{grants: cfg.Grants, homes: map[string]home{}}
	r.roots = append(r.roots, root{fsys: fsys, display: dir, shipped: cfg.AppFS != nil})
	if cfg.User != "" {
		r.roots = append(r.roots, root{fsys: os.DirFS(cfg.User), display: cfg.User})
	}
	if cfg.Embedded != nil {
		r.roots = append(r.roots, root{fsys: cfg.Embedded, display: "imapfw", shipped: true})
	}
	code, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, fault.Wrap(fault.IO, "read app "+cfg.App, err)
	}
	return r, &source{Name: name, File: filepath.Join(dir, file), Code: code}, nil
}

// openApp returns the app's folder, its file in it, its name, and the folder as
// the user wrote it.
func openApp(cfg Config) (fsys fs.FS, file, name, dir string, err error) {
	whole, app := cfg.AppFS, filepath.Clean(cfg.App)
	stat := os.Stat
	if whole != nil {
		stat = func(p string) (fs.FileInfo, error) { return fs.Stat(whole, filepath.ToSlash(p)) }
	}
	info, err := stat(app)
	if err != nil {
		return nil, "", "", "", openError(cfg.App, err)
	}
	dir, file = filepath.Split(app)
	dir = filepath.Clean(dir)
	if info.IsDir() {
		dir, file = app, "init.lua"
		if _, err := stat(filepath.Join(dir, file)); err != nil {
			return nil, "", "", "", fault.New(fault.NotFound, "open app "+cfg.App, "the folder has no init.lua")
		}
	}
	name = strings.TrimSuffix(file, ".lua")
	if file == "init.lua" {
		abs := dir
		if whole == nil {
			if abs, err = filepath.Abs(dir); err != nil {
				return nil, "", "", "", fault.Wrap(fault.IO, "open app "+cfg.App, err)
			}
		}
		name = filepath.Base(abs)
	}
	if whole == nil {
		return os.DirFS(dir), file, name, dir, nil
	}
	if fsys, err = fs.Sub(whole, filepath.ToSlash(dir)); err != nil {
		return nil, "", "", "", fault.Wrap(fault.IO, "open app "+cfg.App, err)
	}
	return fsys, file, name, dir, nil
}

func openError(app string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "open app "+app, "no such file")
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Permission, "open app "+app, "permission denied")
	}
	return fault.Wrap(fault.IO, "open app "+app, err)
}

// FindApp looks an app up by name: apps/NAME.lua or apps/NAME/init.lua in the
// user's folder, then among the shipped ones. It returns what Config.App and
// Config.AppFS want.
func FindApp(user string, embedded fs.FS, name string) (app string, fsys fs.FS, found bool) {
	if !moduleName.MatchString(name) || strings.Contains(name, ".") {
		return "", nil, false
	}
	for _, p := range []string{"apps/" + name + ".lua", "apps/" + name + "/init.lua"} {
		if user != "" {
			file := filepath.Join(user, filepath.FromSlash(p))
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return file, nil, true
			}
		}
	}
	for _, p := range []string{"apps/" + name + ".lua", "apps/" + name + "/init.lua"} {
		if embedded != nil {
			if info, err := fs.Stat(embedded, p); err == nil && info.Mode().IsRegular() {
				return p, embedded, true
			}
		}
	}
	return "", nil, false
}

var moduleName = regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$`)

// find returns the module's source, without compiling it. It lists what was
// tried in its error.
func (r *resolver) find(name string) (*source, error) {
	rest, kind := name, ""
	for _, k := range []string{"contrib", "apps"} {
		if after, ok := strings.CutPrefix(name, "imapfw."+k+"."); ok {
			rest, kind = after, k
		} else if strings.HasPrefix(name, k+".") {
			return nil, fault.New(fault.Config, "", "module %q not found", name).
				WithHint("write require \"imapfw.%s\"", name)
		}
	}
	if kind == "" && (name == "imapfw" || strings.HasPrefix(name, "imapfw.")) {
		return nil, fault.New(fault.Config, "", "there is no module %q", name)
	}
	rel := strings.ReplaceAll(rest, ".", "/")
	if kind == "" {
		return r.search(name, r.roots, rel, "", nil)
	}
	short, _, _ := strings.Cut(rest, ".")
	h, err := r.home(kind, short)
	if err != nil {
		return nil, err
	}
	contrib := ""
	if kind == "contrib" {
		contrib = short
	}
	src, err := r.search(name, []root{h.root}, kind+"/"+rel, contrib, h.powers)
	if err == nil && (h.root.shipped || contrib != "") && h.root.display != r.roots[0].display {
		// Not the app's own folder: where it lies on the disk says nothing.
		src.File = strings.TrimPrefix(src.File, h.root.display+string(filepath.Separator))
	}
	return src, err
}

// home finds the folder of a contrib script or an app, and what it may do.
func (r *resolver) home(kind, name string) (home, error) {
	key := kind + "/" + name
	if h, ok := r.homes[key]; ok {
		return h, nil
	}
	for _, root := range r.roots {
		if !isFile(root.fsys, key+".lua") && !isFile(root.fsys, key+"/init.lua") {
			continue
		}
		h := home{root: root}
		if kind == "contrib" {
			powers, err := r.powers(root, name)
			if err != nil {
				return home{}, err
			}
			h.powers = powers
		}
		r.homes[key] = h
		return h, nil
	}
	err := fault.New(fault.Config, "", "there is no %s script %q", strings.TrimSuffix(kind, "s"), name)
	if kind == "contrib" {
		return home{}, err.WithHint("imapfw contrib list shows what is installed")
	}
	return home{}, err
}

func (r *resolver) powers(root root, name string) ([]string, error) {
	if !root.shipped {
		return r.grants[name], nil
	}
	file := "contrib/" + name + "/contrib.lua"
	text, err := fs.ReadFile(root.fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.IO, "read "+file, err)
	}
	m, err := ParseManifest(file, text)
	if err != nil {
		return nil, err
	}
	return m.Needs, nil
}

// search reads rel.lua or rel/init.lua from the first root that has it.
func (r *resolver) search(name string, roots []root, rel, contrib string, powers []string) (*source, error) {
	var tried []string
	for _, root := range roots {
		for _, p := range []string{rel + ".lua", rel + "/init.lua"} {
			display := filepath.Join(root.display, filepath.FromSlash(p))
			if !isFile(root.fsys, p) {
				tried = append(tried, display)
				continue
			}
			code, err := fs.ReadFile(root.fsys, p)
			if err != nil {
				return nil, fault.Wrap(fault.IO, "read module "+display, err)
			}
			return &source{Name: name, File: display, Code: code, Contrib: contrib, Powers: powers}, nil
		}
	}
	return nil, fault.New(fault.Config, "", "module %q not found", name).WithHint("looked for %s", strings.Join(tried, ", "))
}

func isFile(fsys fs.FS, p string) bool {
	info, err := fs.Stat(fsys, path.Clean(p))
	return err == nil && info.Mode().IsRegular()
}

// findPath looks a module up along package.path (imapfilter mode only).
func findPath(name, packagePath, dir string) (*source, error) {
	rel := strings.ReplaceAll(name, ".", string(filepath.Separator))
	var tried []string
	for _, template := range strings.Split(packagePath, ";") {
		if template == "" {
			continue
		}
		file := strings.ReplaceAll(template, "?", rel)
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		code, err := os.ReadFile(file)
		if err == nil {
			return &source{Name: name, File: file, Code: code}, nil
		}
		tried = append(tried, file)
	}
	return nil, fault.New(fault.Config, "", "module %q not found", name).WithHint("looked for %s", fmt.Sprint(strings.Join(tried, ", ")))
}
