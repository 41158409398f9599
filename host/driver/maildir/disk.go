package maildir

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/timing"
)

// disk makes files durable. There are two ways for a batch: one syncfs(2), which
// costs the same for a thousand files as for one but also writes what everybody
// else has in memory, and fsync(2) for each, several at a time. It takes the one
// that was cheaper lately.
type disk struct {
	off    bool // the user leaves it to the system
	syncfs bool // syncfs(2) is there, and can be believed
	timing *timing.Recorder

	mu      sync.Mutex
	systems map[uint64]*os.File // one open directory for each file system
	whole   time.Duration       // what a syncfs took lately
	each    time.Duration       // what a file took lately when synced alone
}

// Where nothing was measured yet.
const (
	guessWhole = 3 * time.Millisecond
	guessEach  = time.Millisecond
)

// syncers is how many files are synced at a time.
const syncers = 16

func newDisk(o Options) *disk {
	return &disk{off: o.NoFsync, syncfs: canSyncFS(), timing: o.Timing, systems: map[uint64]*os.File{}, whole: guessWhole, each: guessEach}
}

// watch is called before the first file of a batch is written to dir: a file
// system tells of writes that failed only those who had it open meanwhile.
func (d *disk) watch(folder *folder) error {
	if d.off || !d.syncfs || folder.watched.Load() {
		return nil
	}
	dir := folder.dir
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	id, ok := idOf(info)
	if !ok {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.systems[id.dev] == nil {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		d.systems[id.dev] = f
	}
	folder.watched.Store(true)
	return nil
}

// files makes the content of files in dir durable.
func (d *disk) files(ctx context.Context, dir string, paths []string) error {
	if d.off || len(paths) == 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	id, _ := idOf(info)
	d.mu.Lock()
	system := d.systems[id.dev]
	wholesale := system != nil && d.whole < d.each*time.Duration(len(paths))
	d.mu.Unlock()

	span := d.timing.Begin(timing.Sync)
	defer span.End()
	begun := time.Now()
	if wholesale && syncFS(system) == nil {
		d.timing.Count(timing.Syncs, 1)
		d.learn(&d.whole, time.Since(begun))
		d.learn(&d.each, guessEach)
		return nil
	}
	d.timing.Count(timing.Syncs, int64(len(paths)))
	// Also after a syncfs that failed: what failed may not have been ours.
	if err := syncEach(ctx, paths); err != nil {
		return err
	}
	d.learn(&d.each, time.Since(begun)/time.Duration(len(paths)))
	d.learn(&d.whole, guessWhole)
	return nil
}

// learn notes what something cost. More is believed at once, less bit by bit.
// What was not tried counts as little: so it is forgotten slowly, and gets another
// try.
func (d *disk) learn(cost *time.Duration, now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now > *cost {
		*cost = now
	} else {
		*cost -= (*cost - now) / 16
	}
}

func syncEach(ctx context.Context, paths []string) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(syncers)
	for _, path := range paths {
		all.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := syncPath(path); !missing(err) {
				return err
			}
			return nil // renaming it will tell for this one message
		})
	}
	return all.Wait()
}

// syncPath makes a file's content, or a directory's entries, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// syncDirs makes what was created, renamed and removed in directories durable.
func (s *Store) syncDirs(dirs ...string) error {
	if s.disk.off {
		return nil
	}
	span := s.disk.timing.Begin(timing.Sync)
	defer span.End()
	for _, dir := range dirs {
		s.disk.timing.Count(timing.Syncs, 1)
		if err := syncPath(dir); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

func (d *disk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.systems {
		_ = f.Close() // a directory open for reading has nothing to lose
	}
	d.systems = map[uint64]*os.File{}
}
