package maildir

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
)

// batch is the number of messages handed out at once.
const batch = 1000

// Changes reads the names of a folder's files. It opens none of them: sizes are
// -1 and dates are zero. When the folder stands where the cursor says, nothing
// is read at all. When its names are those that the cursor's mark is of, which it
// is after a run that changed something itself, nothing is handed out. Else
// everything is, since file names hold no history.
func (s *Store) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	const op = "read folder"
	ctx, done, err := s.begin(ctx, op, ref.Name)
	if err != nil {
		return mail.Result{}, err
	}
	defer done()
	f, err := s.folder(op, ref)
	if err != nil {
		return mail.Result{}, err
	}
	epoch := f.epochNow()
	if since != "" {
		cursor, err := s.folderCursor(f)
		if err != nil {
			return mail.Result{}, ioFault(op, ref.Name, err)
		}
		if cursor == since.Place() {
			return mail.Result{Epoch: epoch, Cursor: since}, nil
		}
	}
	list, err := s.scanIn(ctx, op, f, mail.Ref{Name: ref.Name, Epoch: epoch}, looked{since: since})
	if err != nil {
		return mail.Result{}, ioFault(op, ref.Name, err)
	}
	if list.same {
		return mail.Result{Epoch: epoch, Cursor: list.cursor}, nil
	}
	for key, files := range list.doubles {
		f.warn(s.log, key, "several files have the same name before the flags; only one of them is kept in step", "files", len(files))
	}

	res := mail.Result{Epoch: epoch, Cursor: list.cursor, Complete: true, Unsure: list.unsure}
	words := s.wordReader(f)
	metas := make([]mail.Meta, 0, min(batch, len(list.entries)))
	for i, e := range list.entries {
		flags, err := words.flags(parseName(e.name, s.opts.InfoSeparator[0]).letters)
		if err != nil {
			return mail.Result{}, ioFault(op, ref.Name, err)
		}
		key := mail.Key(e.key())
		res.Present.Add(key)
		metas = append(metas, mail.Meta{Key: key, Flags: flags, Size: -1})
		if len(metas) == batch || i == len(list.entries)-1 {
			if ctx.Err() != nil {
				return mail.Result{}, context.Cause(ctx)
			}
			if err := fn(metas); err != nil {
				return mail.Result{}, err
			}
			metas = metas[:0]
		}
	}
	return res, nil
}

// scanIn reads a folder, and makes sure that it was this one: one that is renamed
// or removed meanwhile reads like an empty one.
func (s *Store) scanIn(ctx context.Context, op string, f *folder, ref mail.Ref, what looked) (listing, error) {
	f.renames.RLock()
	defer f.renames.RUnlock()
	list, err := s.scan(ctx, f, what)
	if err == nil {
		_, _, err = s.lookUp(op, ref)
	}
	return list, err
}

// folderCursor says where a folder stands without reading it.
func (s *Store) folderCursor(f *folder) (mail.Cursor, error) {
	t, err := f.times()
	if err != nil {
		return "", err
	}
	now, err := s.lock.now()
	if err != nil {
		return "", err
	}
	return s.cursor(t, now, t.settled(now)), nil
}
