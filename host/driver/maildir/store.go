package maildir

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/durable"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
)

// Store is a driver.Store on a Maildir, with the abilities FolderMaker,
// FolderRemover, FolderRenamer and Stamper. Only one Store, in whatever process, is open on a
// root at a time.
type Store struct {
	opts   Options
	layout layout
	log    *slog.Logger
	keys   *keyMaker
	disk   *durable.Disk

	copiers *sync.Pool // of *copier
	names   func(ctx context.Context, dir string) ([]string, error)

	mostNames int // the constant, but in tests

	mu       sync.Mutex // guards what follows
	life     context.Context
	end      context.CancelCauseFunc
	lock     *rootLock
	folders  map[string]*folder
	indexed  []indexed              // the last one was read last
	pending  map[*delivery]struct{} // files in tmp/ that nobody has ended
	closed   func(dir string) bool  // directories that are being renamed
	spelled  map[string]bool        // directories that are called as we call them
	inFlight sync.WaitGroup

	words    account    // the letters of keywords
	stamping sync.Mutex // held while the stamp is replaced
	taking   sync.Mutex // held while the root is locked
}

var (
	_ driver.Store         = (*Store)(nil)
	_ driver.FolderMaker   = (*Store)(nil)
	_ driver.FolderRemover = (*Store)(nil)
	_ driver.FolderRenamer = (*Store)(nil)
	_ driver.Stamper       = (*Store)(nil)
)

// New returns a store for a Maildir. Open tells what is wrong with the options.
func New(opts Options) *Store { return &Store{opts: opts, names: allNames, mostNames: mostNames} }

// Open looks at the root, and locks it: fault.Busy when another Store is open on
// it. A root that is missing or that was never written by a Store stays as it is,
// and is locked by the first call that writes something; missing, it reads like
// an empty one.
func (s *Store) Open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	opts, err := s.opts.complete()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life != nil {
		return fault.New(fault.Internal, "open maildir", "it is open already")
	}
	if err := checkRoot(opts); err != nil {
		return err
	}
	s.opts, s.layout, s.log, s.lock = opts, newLayout(opts), opts.Log, newRootLock(opts.Path)
	s.keys, s.disk = newKeyMaker(opts.InfoSeparator), durable.New(opts.NoFsync, opts.Timing)
	s.copiers = newCopiers()
	s.folders, s.pending, s.indexed = map[string]*folder{}, map[*delivery]struct{}{}, nil
	s.spelled = map[string]bool{}
	s.words = account{path: filepath.Join(opts.Path, accountWords)}
	if !opts.ReadOnly && s.lock.there() {
		if err := s.take(ctx); err != nil {
			return err
		}
	}
	s.life, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	return nil
}

// take locks the root, and cleans up after a driver that was killed in it. Once
// it is locked there is nothing more to do.
func (s *Store) take(ctx context.Context) error {
	s.taking.Lock()
	defer s.taking.Unlock()
	crashed, err := s.lock.take()
	if err != nil || !crashed {
		return err
	}
	if err = s.clearUnfinished(ctx); err == nil {
		err = s.lock.mark(textClean)
	}
	if err != nil {
		_ = s.lock.release()
	}
	return ioFault("open maildir", "", err)
}

// toWrite is called before anything is written.
func (s *Store) toWrite(ctx context.Context, op, folder string) error {
	if s.opts.ReadOnly {
		return fault.New(fault.ReadOnly, op, "the maildir is open for reading only").InFolder(folder)
	}
	return s.take(ctx)
}

// checkRoot looks whether the root can be one.
func checkRoot(o Options) error {
	refuse := func(format string, args ...any) *fault.Error {
		return fault.New(fault.Config, "open maildir", format, args...)
	}
	if info, err := os.Stat(o.Path); err == nil && !info.IsDir() {
		return refuse("%s is no directory", o.Path)
	}
	for dir := filepath.Dir(o.Path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, stampFile)); err == nil {
			return refuse("%s is inside of %s, the root of another account", o.Path, dir).
				WithHint("give each account a path that does not contain the other; if that account is no more, remove %s", filepath.Join(dir, stampFile))
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if o.Inbox != o.Path {
		if info, err := os.Stat(filepath.Join(o.Path, "cur")); err == nil && info.IsDir() {
			return refuse("%s is itself a Maildir, and its mail would not be seen", o.Path).
				WithHint(`make it the inbox with inbox = path; if its folders have names like .Sent, with subfolders = "maildir++"`)
		}
	}
	return nil
}

// Close ends what is under way, drops deliveries that nobody has committed, and
// gives the root back.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.life == nil {
		s.mu.Unlock()
		return nil
	}
	s.life = nil
	s.end(fault.New(fault.Stopped, "", "the maildir is closed"))
	s.mu.Unlock()
	s.inFlight.Wait()

	s.mu.Lock()
	left := slices.Collect(maps.Keys(s.pending))
	s.mu.Unlock()
	clean := true
	for _, d := range left {
		clean = d.discard() && clean
	}
	var err error
	if clean {
		err = s.lock.mark(textClean)
	}
	s.disk.Close()
	if lerr := s.lock.release(); err == nil {
		err = lerr
	}
	return ioFault("close maildir", "", err)
}

// begin starts a call: it returns a context that also ends with Close, and what
// to call when the call is over.
func (s *Store) begin(ctx context.Context, op, folder string) (context.Context, func(), error) {
	s.mu.Lock()
	life := s.life
	if life == nil {
		s.mu.Unlock()
		return nil, nil, fault.New(fault.Stopped, op, "the maildir is not open").InFolder(folder)
	}
	if ctx.Err() != nil {
		s.mu.Unlock()
		return nil, nil, context.Cause(ctx)
	}
	s.inFlight.Add(1)
	s.mu.Unlock()
	ctx, release := lifetime.Join(ctx, life)
	return ctx, func() {
		release()
		s.inFlight.Done()
	}, nil
}

// clearUnfinished removes the files that a driver before this one has left in
// tmp/ when it was killed. We hold the lock, so nobody is writing them.
func (s *Store) clearUnfinished(ctx context.Context) error {
	list, err := s.layout.folders(ctx, s.opts.Timing)
	if err != nil {
		return err
	}
	for _, f := range list {
		names, err := allNames(ctx, filepath.Join(f.dir, "tmp"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if !unfinished(name) {
				continue
			}
			if err := os.Remove(filepath.Join(f.dir, "tmp", name)); err != nil && !missing(err) {
				return err
			}
		}
	}
	return nil
}
