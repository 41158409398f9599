package maildir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// delivery is a message between Deliver and Commit: a file in tmp/, which no
// mail reader looks at.
type delivery struct {
	store *Store
	dir   string // of the folder
	key   mail.Key
	flags mail.Flags
}

// Reserve chooses the keys of n messages.
func (s *Store) Reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	_, done, err := s.begin(ctx, "reserve keys", ref.Name)
	if err != nil {
		return mail.Reservation{}, err
	}
	defer done()
	f, err := s.folderToChange(ctx, "reserve keys", ref)
	if err != nil {
		return mail.Reservation{}, err
	}
	r := mail.Reservation{Epoch: f.epochNow(), Keys: make([]mail.Key, n)}
	for i := range r.Keys {
		r.Keys[i] = s.keys.next()
	}
	return r, nil
}

// Deliver writes a message into tmp/, with LF line ends. Nothing else of it is
// changed.
func (s *Store) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	const op = "deliver"
	ctx, done, err := s.begin(ctx, op, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.toWrite(ctx, op, ref.Name); err != nil {
		return nil, err
	}
	f, err := s.folderKnown(op, ref)
	if err != nil {
		return nil, err
	}
	d := &delivery{store: s, dir: f.dir, key: m.Key, flags: m.Flags}
	if d.key == "" {
		d.key = s.keys.next()
	} else if !usable(d.key, s.opts.InfoSeparator[0]) {
		return nil, fault.New(fault.Internal, op, "the key %q cannot name a file", d.key).InFolder(ref.Name)
	}
	if err := s.prepare(f, d); err != nil {
		return nil, ioFault(op, ref.Name, err)
	}
	written := false
	defer func() {
		if !written {
			d.Abort()
		}
	}()
	if err := d.write(ctx, m.Date, body); err != nil {
		return nil, ioFault(op, ref.Name, err)
	}
	written = true
	s.opts.Timing.Count(timing.Files, 1)
	return d, nil
}

// prepare notes that there will be a file to clean up, before there is.
func (s *Store) prepare(f *folder, d *delivery) error {
	if err := s.lock.mark(textDirty); err != nil {
		return err
	}
	if !f.watched.Load() {
		if err := s.disk.Watch(f.dir); err != nil {
			return err
		}
		f.watched.Store(true)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil && s.closed(d.dir) {
		return fault.New(fault.Busy, "deliver", "the folder is being renamed").AsTemporary()
	}
	s.pending[d] = struct{}{}
	return nil
}

func (d *delivery) tmp() string { return d.dir + "/tmp/" + tmpName(d.key) }

func (d *delivery) write(ctx context.Context, date time.Time, body mail.Body) error {
	file, err := createTmp(d.tmp())
	if err != nil {
		return err
	}
	defer file.Close() // also when the body's reader panics; closing twice does no harm
	err = d.store.copyBody(ctx, file, body)
	if err == nil && !date.IsZero() {
		err = setDate(file, mail.StorableDate(date))
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

func createTmp(path string) (*tmpFile, error) {
	for try := 0; ; try++ {
		file, err := openTmp(path)
		switch {
		case err == nil || try > 0:
			return file, err
		case missing(err): // a folder without tmp/
			err = os.Mkdir(filepath.Dir(path), 0o700)
		case errors.Is(err, os.ErrExist):
			// The name is ours and we hold the lock: it was left by a run that
			// was killed.
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
}

// Abort removes the file. What cannot be removed is, when the next Store opens.
func (d *delivery) Abort() { d.discard() }

// discard removes the file of a delivery that is not ended yet, and reports
// whether it is away.
func (d *delivery) discard() bool {
	if !d.take() {
		return true
	}
	err := os.Remove(d.tmp())
	return err == nil || missing(err)
}

// take ends a delivery: it is the caller's now. It returns false when it was
// ended before.
func (d *delivery) take() bool {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	_, open := d.store.pending[d]
	delete(d.store.pending, d)
	return open
}
