package repository

import (
	"context"
	"log/slog"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/mail"
)

// Make returns endpoint number n, counted from 1, as a Store that is not open
// yet. The repository opens and closes it.
type Make func(ctx context.Context, n int) (driver.Store, error)

// Options are what a Repository is made with. The zero value has one endpoint.
type Options struct {
	// Endpoints is the most endpoints there may be. The first is opened with
	// the repository, another one when a request finds all of them busy. That
	// a later one cannot be opened is no failure: the others do the work.
	Endpoints int
	// Readers and Writers are how many calls of each half one endpoint takes at
	// once; 0 is one.
	Readers, Writers int
	// Ranges is how many endpoints one large Bodies may use; 0 is one.
	Ranges int
	Log    *slog.Logger // nil: silence
}

// Repository is a driver.Store over several others.
type Repository struct {
	opt    Options
	pool   *pool
	leases *leases

	mu       sync.Mutex
	life     context.Context // nil when not open
	end      context.CancelCauseFunc
	inFlight *sync.WaitGroup
}

var (
	_ driver.Store     = (*Repository)(nil)
	_ driver.Unwrapper = (*Repository)(nil)
)

// New returns a repository that has no endpoint yet.
func New(make Make, opt Options) *Repository {
	opt.Endpoints, opt.Readers, opt.Writers = max(opt.Endpoints, 1), max(opt.Readers, 1), max(opt.Writers, 1)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Repository{opt: opt, pool: newPool(make, opt), leases: newLeases()}
}

// Open opens the first endpoint.
func (r *Repository) Open(ctx context.Context) error {
	r.mu.Lock()
	if r.life != nil {
		r.mu.Unlock()
		return fault.New(fault.Internal, "open", "the repository is open already")
	}
	r.life, r.end = context.WithCancelCause(context.WithoutCancel(ctx))
	r.inFlight = new(sync.WaitGroup)
	r.mu.Unlock()
	if err := r.pool.open(ctx); err != nil {
		_ = r.Close()
		return err
	}
	return nil
}

// Close ends the calls in flight, waits for them, and closes the endpoints.
func (r *Repository) Close() error {
	r.mu.Lock()
	if r.life == nil {
		r.mu.Unlock()
		return nil
	}
	end, inFlight := r.end, r.inFlight
	r.life = nil
	r.mu.Unlock()
	end(closed())
	inFlight.Wait()
	r.leases.drop()
	return r.pool.close()
}

func closed() error { return fault.New(fault.Stopped, "", "the repository is not open") }

// begin starts a call: it returns a context that also ends with Close, and what
// to call when the call is over.
func (r *Repository) begin(ctx context.Context) (context.Context, func(), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == nil {
		return nil, nil, closed()
	}
	life, inFlight := r.life, r.inFlight
	inFlight.Add(1)
	ctx, release := lifetime.Join(ctx, life)
	return ctx, func() {
		release()
		inFlight.Done()
	}, nil
}

// on runs do with an endpoint that has a turn free in a half, for a folder.
func (r *Repository) on(ctx context.Context, h half, folder string, do func(ctx context.Context, s driver.Store) error) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	m, err := r.pool.take(ctx, h, folder, nil)
	if err != nil {
		return err
	}
	defer r.pool.give(m, h)
	return do(ctx, m.store)
}

// Unwrap is where driver.As finds the abilities that the endpoints have.
func (r *Repository) Unwrap() driver.Store {
	first := r.pool.first()
	if first == nil {
		return nil
	}
	can := endpoint.FindAbilities(first)
	if can.Maker != nil {
		can.Maker = folders{r}
	}
	if can.Remover != nil {
		can.Remover = folders{r}
	}
	if can.Renamer != nil {
		can.Renamer = folders{r}
	}
	if can.Stamper != nil {
		can.Stamper = folders{r}
	}
	return can.Over(r, nil)
}

func (r *Repository) Folders(ctx context.Context) (list []mail.Folder, err error) {
	err = r.on(ctx, reading, "", func(ctx context.Context, s driver.Store) (err error) {
		list, err = s.Folders(ctx)
		return err
	})
	return list, err
}

func (r *Repository) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (res mail.Result, err error) {
	err = r.on(ctx, reading, ref.Name, func(ctx context.Context, s driver.Store) (err error) {
		res, err = s.Changes(ctx, ref, since, fn)
		return err
	})
	return res, err
}

func (r *Repository) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	return r.on(ctx, reading, ref.Name, func(ctx context.Context, s driver.Store) error {
		return s.Describe(ctx, ref, keys, want, fn)
	})
}

func (r *Repository) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	return r.on(ctx, reading, ref.Name, func(ctx context.Context, s driver.Store) error {
		return r.bodies(ctx, s, ref, keys, fn)
	})
}

func (r *Repository) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) (outcomes []mail.Outcome, err error) {
	err = r.on(ctx, writing, ref.Name, func(ctx context.Context, s driver.Store) (err error) {
		outcomes, err = s.Change(ctx, ref, cs)
		return err
	})
	return outcomes, err
}

// folders has every optional ability; Unwrap shows those the endpoints have.
type folders struct{ r *Repository }

func (f folders) CreateFolder(ctx context.Context, name string) error {
	return with(ctx, f.r, name, func(ctx context.Context, m driver.FolderMaker) error { return m.CreateFolder(ctx, name) })
}

func (f folders) Subscribe(ctx context.Context, name string) error {
	return with(ctx, f.r, name, func(ctx context.Context, m driver.FolderMaker) error { return m.Subscribe(ctx, name) })
}

func (f folders) RemoveFolder(ctx context.Context, name string) error {
	return f.r.whileClosed(ctx, func() error {
		return with(ctx, f.r, name, func(ctx context.Context, m driver.FolderRemover) error { return m.RemoveFolder(ctx, name) })
	}, name)
}

func (f folders) RenameFolder(ctx context.Context, from, to string) error {
	return f.r.whileClosed(ctx, func() error {
		return with(ctx, f.r, from, func(ctx context.Context, m driver.FolderRenamer) error { return m.RenameFolder(ctx, from, to) })
	}, from, to)
}

func (f folders) Stamp(ctx context.Context) (stamp string, err error) {
	err = with(ctx, f.r, "", func(ctx context.Context, s driver.Stamper) (err error) {
		stamp, err = s.Stamp(ctx)
		return err
	})
	return stamp, err
}

func (f folders) SetStamp(ctx context.Context, stamp string) error {
	return with(ctx, f.r, "", func(ctx context.Context, s driver.Stamper) error { return s.SetStamp(ctx, stamp) })
}

// whileClosed runs do while nobody delivers to folders or below them.
func (r *Repository) whileClosed(ctx context.Context, do func() error, folders ...string) error {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	open, err := r.leases.close(ctx, folders...)
	if err != nil {
		return err
	}
	defer open()
	return do()
}

// with runs do with an ability of an endpoint.
func with[T any](ctx context.Context, r *Repository, folder string, do func(context.Context, T) error) error {
	return r.on(ctx, writing, folder, func(ctx context.Context, s driver.Store) error {
		a, ok := driver.As[T](s)
		if !ok {
			return fault.New(fault.Unsupported, "", "this endpoint cannot do what the first one can")
		}
		return do(ctx, a)
	})
}
