package maildir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// RenameFolder renames the directory of a folder, with everything in it: mail,
// the table of keywords, the epoch, files of other programs. Where folders lie
// within their parents that takes those below along; where they lie side by side
// (Maildir++, a separator) each directory is renamed, the folder's own last, so
// that a rename that was cut short can be asked for again.
func (s *Store) RenameFolder(ctx context.Context, from, to string) error {
	const op = "rename folder"
	from, to = foldInbox(from), foldInbox(to)
	ctx, done, err := s.begin(ctx, op, from)
	if err != nil {
		return err
	}
	defer done()
	if err := s.toWrite(ctx, op, from); err != nil {
		return err
	}
	f, err := s.folder(op, mail.Ref{Name: from})
	if err != nil {
		return err
	}
	target, err := s.layout.dir(to)
	if err != nil {
		return err
	}
	switch {
	case f.dir == s.layout.inbox || target == s.layout.inbox:
		return fault.New(fault.Refused, op, "the inbox stays what it is").InFolder(from)
	case strings.HasPrefix(to, from+"/"):
		return fault.New(fault.BadName, op, "%q lies below it", to).InFolder(from)
	}
	dirs, err := s.renaming(f.dir, target)
	if err != nil {
		return ioFault(op, from, err)
	}
	open, err := s.closeFolders(op, from, dirs)
	if err != nil {
		return err
	}
	defer open()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// From here on it goes to its end: renaming takes no time worth a question.
	if err := s.prepareDir(ctx, op, from, filepath.Dir(target)); err != nil {
		return err
	}
	return ioFault(op, from, s.renameDirs(op, from, dirs))
}

// dirRename is a directory and the one it becomes.
type dirRename struct{ from, to string }

// renaming returns the directories to rename, the folder's own last.
func (s *Store) renaming(from, to string) ([]dirRename, error) {
	var out []dirRename
	if mark := s.layout.flatMark(); mark != "" {
		entries, err := os.ReadDir(filepath.Dir(from))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			tail, below := strings.CutPrefix(e.Name(), filepath.Base(from)+mark)
			if !below || tail == "" || !isDir(filepath.Dir(from), e) {
				continue
			}
			target := to + mark + tail
			if len(filepath.Base(target)) > maxComponent {
				return nil, fault.New(fault.BadName, "", "the name of %s, which is below it, would be too long for a directory", e.Name())
			}
			out = append(out, dirRename{filepath.Join(filepath.Dir(from), e.Name()), target})
		}
	}
	out = append(out, dirRename{from, to})
	for _, d := range out {
		if err := renamable(d); err != nil {
			return nil, err
		}
	}
	if inside(s.layout.inbox, from) || inside(s.layout.root, from) {
		return nil, fault.New(fault.Unsupported, "", "the inbox lies in its directory")
	}
	return out, nil
}

// renamable says why a directory cannot get another name.
func renamable(d dirRename) error {
	here, err := os.Lstat(d.from)
	if err != nil {
		return err
	}
	if here.Mode()&os.ModeSymlink != 0 && filepath.Dir(d.from) != filepath.Dir(d.to) {
		if link, err := os.Readlink(d.from); err != nil || !filepath.IsAbs(link) {
			return fault.New(fault.Unsupported, "", "%s is a link, which would not lead there from elsewhere", d.from)
		}
	}
	there, err := os.Lstat(d.to)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if os.SameFile(here, there) {
		return nil // another spelling, on a file system that does not tell them apart
	}
	if entries, err := os.ReadDir(d.to); there.IsDir() && err == nil && len(entries) == 0 {
		return nil // left by a folder that was removed
	}
	return fault.New(fault.Exists, "", "%s is there already", d.to)
}

// inside reports whether a path is a directory or in it.
func inside(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// prepareDir makes the directory in which a folder gets its new place.
func (s *Store) prepareDir(ctx context.Context, op, folder, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ioFault(op, folder, err)
	}
	return s.sameSpelling(ctx, op, folder, dir)
}

// renameDirs renames directories, all of them or none as far as that can be.
func (s *Store) renameDirs(op, folder string, dirs []dirRename) error {
	touched := map[string]bool{}
	for i, d := range dirs {
		if err := renameDir(d); err != nil {
			for _, done := range slices.Backward(dirs[:i]) {
				_ = renameDir(dirRename{done.to, done.from}) // the first failure is the one to tell
			}
			if errors.Is(err, syscall.EXDEV) {
				return fault.New(fault.Unsupported, op, "%s is on another file system", d.to).InFolder(folder)
			}
			return err
		}
		touched[filepath.Dir(d.from)], touched[filepath.Dir(d.to)] = true, true
	}
	for dir := range touched {
		for ; ; dir = filepath.Dir(dir) {
			if err := s.disk.Dirs(dir); err != nil {
				return err
			}
			if dir == s.opts.Path || dir == s.opts.Inbox || dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return nil
}

// renameDir renames a directory. One that has the name already is removed if it
// is empty, and kept otherwise.
func renameDir(d dirRename) error {
	here, err := os.Lstat(d.from)
	if err != nil {
		return err
	}
	if there, err := os.Lstat(d.to); err == nil && !os.SameFile(here, there) {
		if !there.IsDir() {
			return fault.New(fault.Exists, "", "%s is there already", d.to)
		}
		if err := os.Remove(d.to); err != nil && !missing(err) {
			return fault.New(fault.Exists, "", "%s is there already", d.to)
		}
	}
	return os.Rename(d.from, d.to)
}

// closeFolders keeps deliveries out of directories, and waits for the changes and
// readings there, until open is called. That forgets what is remembered of the
// folders.
func (s *Store) closeFolders(op, name string, dirs []dirRename) (open func(), err error) {
	covered := func(path string) bool {
		return slices.ContainsFunc(dirs, func(d dirRename) bool { return inside(path, d.from) || inside(path, d.to) })
	}
	s.mu.Lock()
	if s.closed != nil {
		s.mu.Unlock()
		return nil, fault.New(fault.Busy, op, "another folder is being renamed").InFolder(name).AsTemporary()
	}
	for d := range s.pending {
		if covered(d.dir) {
			s.mu.Unlock()
			return nil, fault.New(fault.Busy, op, "messages are being delivered to it").InFolder(name)
		}
	}
	s.closed = covered
	var known []*folder
	for dir, f := range s.folders {
		if covered(dir) {
			known = append(known, f)
		}
	}
	s.mu.Unlock()
	for _, f := range known { // nobody else holds more than one
		f.renames.Lock()
	}
	return func() {
		s.unspell(covered)
		s.mu.Lock()
		s.closed = nil
		for dir := range s.folders {
			if covered(dir) {
				delete(s.folders, dir)
			}
		}
		s.indexed = slices.DeleteFunc(s.indexed, func(i indexed) bool { return covered(i.f.dir) })
		s.mu.Unlock()
		for _, f := range known {
			f.renames.Unlock()
		}
	}, nil
}
