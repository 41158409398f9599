// Package memory keeps mail in memory. It behaves like a good IMAP server (it
// gives the keys, remembers what changed since when, keeps CRLF content), or
// like a Maildir, and lets tests get in between: see Hook. Demonstrations and
// test runs of scripts use it in place of a server.
package memory

import (
	"context"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/lifetime"
	"github.com/imapfw/imapfw/host/mail"
)

// Options say what kind of store it is. The zero value is a good IMAP server.
type Options struct {
	// Maildir makes it behave like a Maildir: keys are chosen by Reserve,
	// content is in LF form, Changes always hands out the whole folder.
	Maildir bool
	// Eager makes a message visible when Deliver returns, as separate APPEND
	// commands do, instead of the whole batch at Commit.
	Eager bool
	// NoUIDPlus leaves the keys of new and moved messages untold, as servers
	// without UIDPLUS (RFC 4315) do. It has no effect on a Maildir.
	NoUIDPlus bool
	// Keywords is how many different keywords a folder can hold; 0 means any
	// number, a negative number none.
	Keywords int
	// IDs gives each folder an id that stays when it is renamed, as servers with
	// OBJECTID (RFC 8474) do.
	IDs bool
	// LateIDs leaves the ids out of the listing: they are told of a folder that is
	// read from the beginning.
	LateIDs bool
	// Batch is the number of metas handed out at once; 0 means 500.
	Batch int
	// Now is the clock for messages delivered without a date; nil means
	// time.Now.
	Now func() time.Time
}

// Store is a driver.Store in memory, with the abilities FolderMaker,
// FolderRemover, FolderRenamer and Stamper. Its mail outlives Close: opened again, it is a new
// connection to the same server.
type Store struct {
	opts Options

	mu       sync.Mutex
	folders  map[string]*folder
	epochs   uint32 // last epoch given to a folder
	stamp    string
	hook     Hook
	limit    int64 // octets
	refuse   func(content []byte) error
	counts   map[Op]int
	serial   int // makes chosen keys unique
	life     context.Context
	end      context.CancelCauseFunc
	inFlight sync.WaitGroup
}

var (
	_ driver.Store         = (*Store)(nil)
	_ driver.FolderMaker   = (*Store)(nil)
	_ driver.FolderRemover = (*Store)(nil)
	_ driver.FolderRenamer = (*Store)(nil)
	_ driver.Stamper       = (*Store)(nil)
)

// New returns a store that holds an empty INBOX.
func New(opts Options) *Store {
	if opts.Batch <= 0 {
		opts.Batch = 500
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{opts: opts, folders: map[string]*folder{}, counts: map[Op]int{}}
	s.newFolder(mail.Inbox)
	return s
}

// Open connects to the store.
func (s *Store) Open(ctx context.Context) error {
	s.mu.Lock()
	if s.life != nil {
		s.mu.Unlock()
		return fault.New(fault.Internal, "open", "the store is open already")
	}
	s.life, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	s.mu.Unlock()
	if err := s.call(ctx, Call{Op: OpOpen}); err != nil {
		s.mu.Lock()
		s.life = nil
		s.mu.Unlock()
		return err
	}
	return nil
}

// Close cuts the calls in flight short and waits for them.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.life == nil {
		s.mu.Unlock()
		return nil
	}
	s.life = nil
	s.end(fault.New(fault.Stopped, "", "the store is closed"))
	s.mu.Unlock()
	s.inFlight.Wait()
	return nil
}

// begin starts a call: it returns a context that also ends with Close, and what
// to call when the call is over.
func (s *Store) begin(ctx context.Context, op Op, folder string) (context.Context, func(), error) {
	s.mu.Lock()
	life := s.life
	if life == nil {
		s.mu.Unlock()
		return nil, nil, fault.New(fault.Stopped, string(op), "the store is not open").InFolder(folder)
	}
	s.inFlight.Add(1)
	s.mu.Unlock()

	ctx, release := lifetime.Join(ctx, life)
	done := func() {
		release()
		s.inFlight.Done()
	}
	if err := s.call(ctx, Call{Op: op, Folder: folder}); err != nil {
		done()
		return nil, nil, err
	}
	return ctx, done, nil
}

// finish is the other end of begin's hook: the effect is there, the answer may
// still get lost.
func (s *Store) finish(ctx context.Context, op Op, folder string) error {
	return s.call(ctx, Call{Op: op, Folder: folder, Done: true})
}

// find returns a folder whose epoch is the one that was pinned. s.mu is held.
func (s *Store) find(op Op, ref mail.Ref) (*folder, error) {
	f := s.folders[ref.Name]
	if f == nil {
		return nil, fault.New(fault.NotFound, string(op), "no such folder").InFolder(ref.Name)
	}
	if ref.Epoch != "" && ref.Epoch != f.epochString() {
		return nil, fault.New(fault.EpochChanged, string(op), "the folder's epoch is %s, not %s",
			f.epochString(), ref.Epoch).InFolder(ref.Name)
	}
	return f, nil
}
