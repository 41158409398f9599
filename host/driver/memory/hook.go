package memory

import (
	"context"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Op is something a Store does.
type Op string

// The operations. The last four are steps within another one: they are asked
// for each message, and an error refuses that message alone, unless its code is
// fault.Network, fault.Stopped or the context's: then the whole call ends there.
const (
	OpOpen         Op = "open"
	OpFolders      Op = "folders"
	OpChanges      Op = "changes"
	OpDescribe     Op = "describe"
	OpBodies       Op = "bodies"
	OpReserve      Op = "reserve"
	OpDeliver      Op = "deliver"
	OpCommit       Op = "commit"
	OpChange       Op = "change"
	OpCreateFolder Op = "create folder"
	OpRemoveFolder Op = "remove folder"
	OpRenameFolder Op = "rename folder"
	OpSubscribe    Op = "subscribe"
	OpStamp        Op = "stamp"
	OpSetStamp     Op = "set stamp"

	OpBody  Op = "body"  // one message of Bodies
	OpStore Op = "store" // the content of one Deliver, after it was read
	OpPlace Op = "place" // one delivery of Commit
	OpApply Op = "apply" // one change of Change
)

// Call is a moment in the life of a Store.
type Call struct {
	Op     Op
	Folder string
	Key    mail.Key // of the steps, where it is known
	N      int      // how often this Op was begun since New, this time included
	// Done reports that the effect is there and only the answer is missing. An
	// error then means "done, but the caller does not know".
	Done bool
}

// Hook is asked before and after everything a Store does. An error it returns
// is what the caller gets. It may block, until ctx ends, and may use the side
// door; it must not call the Store's own methods.
type Hook func(ctx context.Context, c Call) error

// SetHook replaces the hook; nil takes it away. It may be called at any time.
func (s *Store) SetHook(h Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = h
}

// call asks the hook, and lets the context have its say first.
func (s *Store) call(ctx context.Context, c Call) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	if !c.Done {
		s.counts[c.Op]++
	}
	c.N = s.counts[c.Op]
	h := s.hook
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	return h(ctx, c)
}

// ends reports whether an error of a step ends the whole call.
func ends(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	code := fault.CodeOf(err)
	return code == fault.Network || code == fault.Stopped
}

// Chain asks several hooks in order, until one returns an error.
func Chain(hooks ...Hook) Hook {
	return func(ctx context.Context, c Call) error {
		for _, h := range hooks {
			if err := h(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// Fail makes the nth time of op fail, before it has any effect. n counts from
// New; 0 means every time.
func Fail(op Op, n int, err error) Hook {
	return func(_ context.Context, c Call) error {
		if c.Op == op && !c.Done && (n == 0 || c.N == n) {
			return err
		}
		return nil
	}
}

// FailKey makes a step fail for one message, every time.
func FailKey(op Op, key mail.Key, err error) Hook {
	return func(_ context.Context, c Call) error {
		if c.Op == op && !c.Done && c.Key == key {
			return err
		}
		return nil
	}
}

// Lose lets the nth time of op happen, and loses its answer.
func Lose(op Op, n int) Hook {
	return func(_ context.Context, c Call) error {
		if c.Op == op && c.Done && c.N == n {
			return dropped()
		}
		return nil
	}
}

func dropped() error {
	return fault.New(fault.Network, "", "the connection was dropped").AsTemporary()
}

// Breaker cuts the connection at the nth moment of the Store's life and keeps
// it cut, whatever is called, until it is mended: to a caller this is what
// being killed there looks like. It can be shared by several stores.
type Breaker struct {
	mu   sync.Mutex
	at   int
	seen int
}

// NewBreaker returns a breaker that lets n moments pass; a negative n never
// breaks, and only counts.
func NewBreaker(n int) *Breaker { return &Breaker{at: n} }

// Hook is the breaker as a hook.
func (b *Breaker) Hook(context.Context, Call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at >= 0 && b.seen >= b.at {
		return dropped()
	}
	b.seen++
	return nil
}

// Seen returns how many moments have passed.
func (b *Breaker) Seen() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

// Mend lets everything pass from now on.
func (b *Breaker) Mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = -1
}

// Gate holds the nth time of op until it is opened.
type Gate struct {
	op      Op
	n       int
	reached chan struct{}
	opened  chan struct{}
	once    sync.Once
}

// NewGate returns a closed gate in front of the nth time of op, counted from
// New.
func NewGate(op Op, n int) *Gate {
	return &Gate{op: op, n: n, reached: make(chan struct{}), opened: make(chan struct{})}
}

// Hook is the gate as a hook.
func (g *Gate) Hook(ctx context.Context, c Call) error {
	if c.Op != g.op || c.N != g.n || c.Done {
		return nil
	}
	close(g.reached)
	select {
	case <-g.opened:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Reached is closed when somebody waits at the gate.
func (g *Gate) Reached() <-chan struct{} { return g.reached }

// Open lets them pass. It may be called more than once.
func (g *Gate) Open() { g.once.Do(func() { close(g.opened) }) }
