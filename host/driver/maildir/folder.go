package maildir

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// folder is what the driver remembers of a folder. It is kept from one call to
// the next; what is on disk is looked at again in every call.
type folder struct {
	name, dir string

	// renames is held while the driver itself renames files here, and shared by
	// those who read the directory, so that they never race with ourselves.
	renames sync.RWMutex

	watched atomic.Bool // by the disk, see durable.Disk

	mu      sync.Mutex // guards what follows
	epoch   string
	index   []entry            // as last read, ordered by key
	raw     bool               // it is not ordered yet, since nobody needed it
	ends    *ends              // in the place of index: what follows the keys; nil: there is index
	doubles map[string][]entry // see listing
	reading int                // number of the reading that the index is from
	used    uint32             // the letters a to z in file names, as bits
	warned  map[string]bool
}

// folder returns a folder that is there, in the epoch that was pinned.
func (s *Store) folder(op string, ref mail.Ref) (*folder, error) {
	f, _, err := s.lookUp(op, ref)
	return f, err
}

// folderToChange returns a folder that is about to be changed: its epoch is
// written down, see epochFile.
func (s *Store) folderToChange(ctx context.Context, op string, ref mail.Ref) (*folder, error) {
	if err := s.toWrite(ctx, op, ref.Name); err != nil {
		return nil, err
	}
	f, marked, err := s.lookUp(op, ref)
	if err != nil || marked {
		return f, err
	}
	return f, ioFault(op, ref.Name, writeEpoch(f.dir, f.epochNow()))
}

// folderKnown returns a folder without looking at the disk, where it was looked
// up before and a later step looks again.
func (s *Store) folderKnown(op string, ref mail.Ref) (*folder, error) {
	if dir, err := s.layout.dir(ref.Name); err == nil && ref.Epoch != "" {
		s.mu.Lock()
		f := s.folders[dir]
		s.mu.Unlock()
		if f != nil && f.epochNow() == ref.Epoch {
			return f, nil
		}
	}
	return s.folder(op, ref)
}

func (s *Store) lookUp(op string, ref mail.Ref) (*folder, bool, error) {
	dir, err := s.layout.dir(ref.Name)
	if err != nil {
		return nil, false, err
	}
	info, err := os.Stat(filepath.Join(dir, "cur"))
	if missing(err) || err == nil && !info.IsDir() {
		return nil, false, fault.New(fault.NotFound, op, "no such folder").InFolder(ref.Name)
	}
	if err != nil {
		return nil, false, ioFault(op, ref.Name, err)
	}
	epoch, marked, err := readEpoch(dir)
	if err != nil {
		return nil, false, ioFault(op, ref.Name, err)
	}
	if ref.Epoch != "" && ref.Epoch != epoch {
		return nil, false, fault.New(fault.EpochChanged, op, "the folder was removed and made again").InFolder(ref.Name)
	}
	s.mu.Lock()
	f := s.folders[dir]
	if f == nil {
		f = &folder{name: ref.Name, dir: dir, warned: map[string]bool{}}
		s.folders[dir] = f
	}
	s.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epoch != epoch {
		f.epoch = epoch
		f.forget()
	}
	return f, marked, nil
}

func (f *folder) epochNow() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}

func (f *folder) usedLetters() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used
}

// path returns where an entry's file is.
func (f *folder) path(e entry) string { return f.dir + e.sub() + e.name }

// warn tells something odd about a message, once.
func (f *folder) warn(log *slog.Logger, key, text string, args ...any) {
	f.mu.Lock()
	told := f.warned[key]
	f.warned[key] = true
	f.mu.Unlock()
	if !told {
		log.Warn(text, append([]any{"folder", f.name, "message", key}, args...)...)
	}
}
