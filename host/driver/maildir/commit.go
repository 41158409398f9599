package maildir

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Commit makes a batch durable and then visible: first what is in the files,
// then, by renaming them into cur/, their names. Killed at any point, it leaves
// whole messages or none.
func (s *Store) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	const op = "commit"
	// Whatever happens, the deliveries are ended.
	defer func() {
		for _, d := range ds {
			d.Abort()
		}
	}()
	ctx, done, err := s.begin(ctx, op, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := s.folderToChange(ctx, op, ref)
	if err != nil {
		return nil, err
	}
	mine := make([]*delivery, len(ds))
	var files, words []string
	for i, one := range ds {
		d, ok := one.(*delivery)
		if !ok || d.store != s || d.dir != f.dir {
			return nil, fault.New(fault.Internal, op, "a delivery is not of this folder").InFolder(ref.Name)
		}
		mine[i] = d
		files = append(files, d.tmp())
		words = append(words, d.flags.Keywords()...)
	}
	if len(mine) == 0 {
		return nil, nil
	}
	letters, err := s.giveLetters(ctx, f, words)
	if err == nil {
		_, err = s.disk.Files(ctx, f.dir, files)
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, ioFault(op, ref.Name, err)
	}

	// From here on it goes to its end: renaming takes no time worth a question.
	placed := make([]mail.Placed, len(mine))
	f.renames.Lock()
	for i, d := range mine {
		placed[i] = s.publish(f, d, &letters)
	}
	f.renames.Unlock()
	return placed, ioFault(op, ref.Name, s.disk.Dirs(f.dir+"/cur"))
}

// publish gives one file its name in cur/.
func (s *Store) publish(f *folder, d *delivery, letters *table) mail.Placed {
	refused := func(err error) mail.Placed {
		e := ioFault("deliver", f.name, err)
		var known *fault.Error
		if errors.As(e, &known) {
			known.Key = string(d.key)
		}
		return mail.Placed{Err: e}
	}
	s.mu.Lock()
	_, open := s.pending[d]
	s.mu.Unlock()
	if !open {
		return refused(fault.New(fault.Internal, "deliver", "it was aborted or committed before"))
	}
	if e, _, ok := s.lookup(f, d.key); ok {
		if _, err := os.Lstat(f.path(e)); err == nil {
			return refused(&os.PathError{Op: "deliver", Path: f.path(e), Err: fs.ErrExist})
		}
	}
	own := string(letters.lettersOf(d.flags))
	name := filename{key: string(d.key)}.with(own, s.opts.InfoSeparator[0])
	to := f.dir + "/cur/" + name
	if err := renameNew(d.tmp(), to); err != nil {
		return refused(err) // and Commit drops the file
	}
	d.take()
	kept := letters.flagsOf(own)
	return mail.Placed{Key: d.key, Flags: kept, Dropped: d.flags.Minus(kept), Mark: markOf(name)}
}
