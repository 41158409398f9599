// Package durable brings what was written to the disk: files, many at a time, and
// the entries of directories.
package durable

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/timing"
)

// Disk makes files durable. There are two ways for a batch: one syncfs(2), which
// costs the same for a thousand files as for one but also writes what everybody
// else has in memory, and fsync(2) for each, several at a time. It takes the one
// that was cheaper lately. Its methods may be called from several goroutines.
type Disk struct {
	off    bool // the user leaves it to the system
	syncfs bool // syncfs(2) is there, and can be believed
	timing *timing.Recorder

	mu      sync.Mutex
	systems map[uint64]*os.File // one open directory for each file system
	whole   time.Duration       // what a syncfs took lately
	each    time.Duration       // what a file took lately when synced alone

	// wholesale is held by a syncfs. failed: one has told of a write that failed, and
	// tells it once. From then on each file has to tell by itself.
	wholesale sync.Mutex
	failed    bool
}

// Where nothing was measured yet.
const (
	guessWhole = 3 * time.Millisecond
	guessEach  = time.Millisecond
)

// syncers is how many files are synced at a time.
const syncers = 16

// New returns a disk; it does no I/O. With off, nothing is done at all: the user
// leaves it to the system when files reach the disk. The recorder may be nil.
func New(off bool, timing *timing.Recorder) *Disk {
	return &Disk{off: off, syncfs: canSyncFS(), timing: timing, systems: map[uint64]*os.File{}, whole: guessWhole, each: guessEach}
}

// Watch is called before the first file of a batch is written to dir: a file
// system tells of writes that failed only those who had it open meanwhile.
func (d *Disk) Watch(dir string) error {
	if d.off || !d.syncfs {
		return nil
	}
	dev, err := device(dir)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.systems[dev] == nil {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		if !answersForAll(f) {
			return f.Close()
		}
		d.systems[dev] = f
	}
	return nil
}

// device tells the file system that a directory is on.
func device(dir string) (uint64, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, &os.PathError{Op: "stat", Path: dir, Err: errors.ErrUnsupported}
	}
	return uint64(st.Dev), nil // its type differs between systems
}

// Files makes the content of files in dir durable. A file that is not there any
// more is no error. It reports whether everything else on that file system is durable
// too, the entries of directories included.
func (d *Disk) Files(ctx context.Context, dir string, paths []string) (everything bool, err error) {
	if d.off || len(paths) == 0 {
		return d.off, nil
	}
	dev, err := device(dir)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	system := d.systems[dev]
	wholesale := system != nil && d.whole < d.each*time.Duration(len(paths))
	d.mu.Unlock()

	span := d.timing.Begin(timing.Sync)
	defer span.End()
	begun := time.Now()
	if wholesale && d.all(system) {
		d.timing.Count(timing.Syncs, 1)
		d.learn(&d.whole, time.Since(begun))
		d.learn(&d.each, guessEach)
		return true, nil
	}
	d.timing.Count(timing.Syncs, int64(len(paths)))
	if err := syncEach(ctx, paths, (*os.File).Sync); err != nil {
		return false, err
	}
	d.learn(&d.each, time.Since(begun)/time.Duration(len(paths)))
	d.learn(&d.whole, guessWhole)
	return false, nil
}

// all brings everything that was written to a file system to the disk. It reports
// false where that failed, of which it is told only once, whosever file it was.
func (d *Disk) all(system *os.File) bool {
	d.wholesale.Lock()
	defer d.wholesale.Unlock()
	d.failed = d.failed || syncFS(system) != nil
	return !d.failed
}

// learn notes what something cost. More is believed at once, less bit by bit.
// What was not tried counts as little: so it is forgotten slowly, and gets another
// try.
func (d *Disk) learn(cost *time.Duration, now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now > *cost {
		*cost = now
	} else {
		*cost -= (*cost - now) / 16
	}
}

// Linked makes the content of files durable that were there before and got one more
// name, which is for Dirs to make durable. Mostly it is on the disk for long, and to ask
// for it takes no time: a syncfs(2) would wait for whatever others are writing.
func (d *Disk) Linked(ctx context.Context, paths []string) error {
	if d.off || len(paths) == 0 {
		return nil
	}
	span := d.timing.Begin(timing.Sync)
	defer span.End()
	d.timing.Count(timing.Syncs, int64(len(paths)))
	return syncEach(ctx, paths, syncData)
}

func syncEach(ctx context.Context, paths []string, how func(*os.File) error) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(syncers)
	for _, path := range paths {
		all.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := syncPath(path, how); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil // whoever wants it will find out
		})
	}
	return all.Wait()
}

// File makes the content of one open file durable.
func (d *Disk) File(f *os.File) error {
	if d.off {
		return nil
	}
	d.timing.Count(timing.Syncs, 1)
	return f.Sync()
}

// Data makes what was written over an open file durable, but for its times.
func (d *Disk) Data(f *os.File) error {
	if d.off {
		return nil
	}
	span := d.timing.Begin(timing.Sync)
	defer span.End()
	d.timing.Count(timing.Syncs, 1)
	return syncData(f)
}

// Dirs makes what was created, renamed and removed in directories durable. A
// directory that is not there any more is no error.
func (d *Disk) Dirs(dirs ...string) error {
	if d.off {
		return nil
	}
	span := d.timing.Begin(timing.Sync)
	defer span.End()
	for _, dir := range dirs {
		d.timing.Count(timing.Syncs, 1)
		if err := syncPath(dir, (*os.File).Sync); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncPath makes a file's content, or a directory's entries, durable.
func syncPath(path string, how func(*os.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(how(f), f.Close())
}

// Close lets go of the file systems that are watched. The disk can be used on.
func (d *Disk) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.systems {
		_ = f.Close() // a directory open for reading has nothing to lose
	}
	d.systems = map[uint64]*os.File{}
}
