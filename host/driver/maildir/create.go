package maildir

import (
	"context"
	"os"
	"path/filepath"

	gomaildir "github.com/emersion/go-maildir"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// CreateFolder makes the directories of a folder. Those above it become
// directories only: they can be made folders when there is mail for them.
func (s *Store) CreateFolder(ctx context.Context, name string) error {
	const op = "create folder"
	ctx, done, err := s.begin(ctx, op, name)
	if err != nil {
		return err
	}
	defer done()
	if err := s.toWrite(ctx, op, name); err != nil {
		return err
	}
	dir, err := s.layout.dir(name)
	if err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Join(dir, "cur")); err == nil && info.IsDir() {
		return s.sameSpelling(ctx, op, name, dir)
	}
	return ioFault(op, name, s.makeFolder(ctx, name, dir))
}

// makeFolder makes cur/ last: without it, a directory is no folder. So the
// folder has its epoch from its first moment.
func (s *Store) makeFolder(ctx context.Context, name, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := s.sameSpelling(ctx, "create folder", name, dir); err != nil {
		return err
	}
	// What may be there is of a folder that was removed.
	if err := writeEpoch(dir, newEpoch()); err != nil {
		return err
	}
	if err := gomaildir.Dir(dir).Init(); err != nil {
		return err
	}
	for ; ; dir = filepath.Dir(dir) {
		if err := s.disk.Dirs(dir); err != nil {
			return err
		}
		if dir == s.opts.Path || dir == s.opts.Inbox || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// Subscribe does nothing: a Maildir has no subscriptions.
func (s *Store) Subscribe(ctx context.Context, name string) error {
	_, done, err := s.begin(ctx, "subscribe", name)
	if err != nil {
		return err
	}
	done()
	return nil
}

// RemoveFolder removes a folder without mail. Folders below it stay, and so do
// files of other programs.
func (s *Store) RemoveFolder(ctx context.Context, name string) error {
	const op = "remove folder"
	ctx, done, err := s.begin(ctx, op, name)
	if err != nil {
		return err
	}
	defer done()
	if err := s.toWrite(ctx, op, name); err != nil {
		return err
	}
	f, err := s.folder(op, mail.Ref{Name: name})
	if err != nil {
		return err
	}
	if f.dir == s.layout.inbox {
		return fault.New(fault.Refused, op, "the inbox stays").InFolder(name)
	}
	f.renames.Lock()
	defer f.renames.Unlock()
	for _, sub := range []string{"tmp", "new", "cur"} {
		names, err := allNames(ctx, filepath.Join(f.dir, sub))
		if err != nil {
			return ioFault(op, name, err)
		}
		if len(names) > 0 {
			return fault.New(fault.Refused, op, "there are %d files in its %s/", len(names), sub).InFolder(name)
		}
	}
	// Each step refuses to remove what came in the meantime; the folder is one
	// until cur/ goes, which goes last.
	for _, sub := range []string{"tmp", "new", "cur"} {
		err := os.Remove(filepath.Join(f.dir, sub))
		if err != nil && !missing(err) {
			_ = gomaildir.Dir(f.dir).Init()
			return fault.New(fault.Refused, op, "something came into its %s/", sub).InFolder(name)
		}
	}
	s.unspell(func(dir string) bool { return dir == f.dir })
	for _, ours := range []string{epochFile, wordsFile} {
		if err := os.Remove(filepath.Join(f.dir, ours)); err != nil && !missing(err) {
			return ioFault(op, name, err)
		}
	}
	// What is left keeps the directory: folders below, or files that are not ours.
	if err := os.Remove(f.dir); err != nil && !notEmpty(err) && !missing(err) {
		return ioFault(op, name, err)
	}
	return ioFault(op, name, s.disk.Dirs(f.dir, filepath.Dir(f.dir)))
}
