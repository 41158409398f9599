package maildir

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// found is a folder that is there.
type found struct {
	name, dir string
	why       string // it cannot be kept in step
}

// maxDepth ends the walk through directories that hold each other.
const maxDepth = 64

// walker finds the folders on disk. A directory is a folder when it has a cur/.
type walker struct {
	ctx    context.Context
	layout layout
	timing *timing.Recorder
	found  []found
	names  map[string]bool
	seen   map[fileID]string // the name a directory was first seen by
	links  []found           // links to directories, followed at the end
}

// folders lists the folders, ordered by name. One that cannot be kept in step
// says why.
func (l layout) folders(ctx context.Context, count *timing.Recorder) ([]found, error) {
	w := &walker{ctx: ctx, layout: l, timing: count, names: map[string]bool{}, seen: map[fileID]string{}}
	if err := w.walk(); err != nil {
		return nil, err
	}
	// A directory that is also linked to is known by its own name.
	for len(w.links) > 0 {
		link := w.links[0]
		w.links = w.links[1:]
		var err error
		if l.separator != "" || l.kind == MaildirPP {
			err = w.add(link.name, link.dir, link.why)
		} else {
			err = w.tree(link.dir, link.name, link.why, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(w.found, func(a, b found) int { return strings.Compare(a.name, b.name) })
	return w.found, nil
}

func (w *walker) walk() error {
	l := w.layout
	switch {
	case l.separator != "":
		if err := w.add(mail.Inbox, l.inbox, ""); err != nil {
			return err
		}
		return w.flat(l.root, func(dir string) bool { return dir[0] != '.' && !structural(dir) })
	case l.kind == MaildirPP:
		if err := w.add(mail.Inbox, l.inbox, ""); err != nil {
			return err
		}
		return w.flat(l.inbox, func(dir string) bool { return dir[0] == '.' && len(dir) > 1 })
	}
	if l.inbox != l.root {
		if err := w.tree(l.inbox, mail.Inbox, "", 0); err != nil {
			return err
		}
		return w.tree(l.root, "", "", 0)
	}
	// The root is the inbox: its directory is both.
	if err := w.tree(l.root, "", "", 0); err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Join(l.inbox, "cur")); err == nil && info.IsDir() {
		w.found = append(w.found, found{name: mail.Inbox, dir: l.inbox})
	}
	return nil
}

// flat adds the directories of one level.
func (w *walker) flat(dir string, is func(string) bool) error {
	entries, err := w.read(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !is(e.Name()) || !isDir(dir, e) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if path == w.layout.inbox {
			continue
		}
		name, why := w.layout.flatName(e.Name())
		if e.Type()&fs.ModeSymlink != 0 {
			w.links = append(w.links, found{name, path, why})
		} else if err := w.add(name, path, why); err != nil {
			return err
		}
	}
	return nil
}

// tree adds a directory, if it is a folder, and what is below it.
func (w *walker) tree(dir, name, why string, depth int) error {
	entries, err := w.read(dir)
	if name != "" && forbidden(err) {
		return w.unreadable(name, dir, err)
	}
	if err != nil || depth > maxDepth {
		return err
	}
	isFolder := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "cur" })
	if again, err := w.enter(name, dir, why, isFolder && name != ""); err != nil || again {
		return err
	}
	if name != "" {
		name += "/"
	}
	dotted := w.layout.kind == Legacy && name != ""
	for _, e := range entries {
		level, hidden := strings.CutPrefix(e.Name(), ".")
		if hidden != dotted || level == "" || structural(e.Name()) || !isDir(dir, e) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if path == w.layout.inbox || path == w.layout.root {
			continue
		}
		text, unreadable := w.layout.decode(level)
		if unreadable == "" {
			unreadable = why
		}
		if e.Type()&fs.ModeSymlink != 0 {
			w.links = append(w.links, found{name + text, path, unreadable})
		} else if err := w.tree(path, name+text, unreadable, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// add adds a directory if it is a folder.
func (w *walker) add(name, dir, why string) error {
	info, err := os.Stat(filepath.Join(dir, "cur"))
	if forbidden(err) {
		return w.unreadable(name, dir, err)
	}
	if err != nil || !info.IsDir() {
		return nil
	}
	if err := w.foreign(dir); err != nil {
		return err
	}
	_, err = w.enter(name, dir, why, true)
	return err
}

// unreadable notes a directory that we may not look into. It is there, and so
// may be folders below it: they must not be taken for removed.
func (w *walker) unreadable(name, dir string, err error) error {
	_, enterErr := w.enter(name, dir, cannotRead(err), true)
	return enterErr
}

func cannotRead(err error) string { return fmt.Sprintf("its directory cannot be read: %v", err) }

// enter notes a directory, which may be a folder, and reports whether it was
// seen already: by a symbolic link a message could otherwise be in two folders,
// and be copied twice.
func (w *walker) enter(name, dir, why string, isFolder bool) (again bool, err error) {
	info, err := os.Stat(dir)
	switch {
	case missing(err):
		return true, nil
	case forbidden(err):
		why, isFolder = cannotRead(err), true
	case err != nil:
		return true, ioFault("list folders", name, err)
	default:
		id, ok := idOf(info)
		if first, twice := w.seen[id]; ok && twice {
			again, why = true, fmt.Sprintf("it is the same directory as the folder %q", first)
		} else if ok {
			w.seen[id] = name
		}
	}
	if !isFolder {
		return again, nil
	}
	if canonical, err := w.layout.dir(name); why == "" && (err != nil || canonical != dir) {
		why = fmt.Sprintf("its directory %q does not match its name", dir)
	}
	if w.names[name] {
		name += " (" + dir + ")"
	}
	w.names[name] = true
	w.found = append(w.found, found{name, dir, why})
	return again, nil
}

// read lists a directory that may go away meanwhile.
func (w *walker) read(dir string) ([]fs.DirEntry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, context.Cause(w.ctx)
	}
	w.timing.Count(timing.Directories, 1)
	entries, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, ioFault("list folders", "", err)
	}
	return entries, w.foreign(dir)
}

// foreign refuses a directory below the root that is itself the root of another
// account: two accounts would write to the same folders.
func (w *walker) foreign(dir string) error {
	if dir == w.layout.root {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(dir, stampFile)); err == nil {
		return fault.New(fault.Config, "list folders", "%s is the root of another account", dir).
			WithHint("give each account a path that does not contain the other; if that account is no more, remove %s", filepath.Join(dir, stampFile))
	}
	return nil
}

// isDir reports whether an entry is a directory, or a link to one.
func isDir(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}
