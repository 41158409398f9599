package endpoint

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// holder keeps, on the calling side, the other end of a caller record for as
// long as something is at stake: within a process the record itself, else a
// stream that ends when this side does.
type holder struct {
	p    *proxy
	turn *semaphore.Weighted // to attach; what waits for the other side holds no lock

	mu         sync.Mutex
	now        *standing
	joined     int // calls on their way
	deliveries map[*delivery]bool
	rooms      map[string]*room
}

// standing is how the other side knows us.
type standing struct {
	id     int64
	local  *caller
	server *Server
	stream worker.Session
	cancel context.CancelFunc
}

// room is one reservation: it ends with a commit, or when all the messages it
// was made for were aborted.
type room struct{ n, aborted int }

// join makes the other side know us, and keeps it so until the call that was
// begun with it is noted as done.
func (h *holder) join(ctx context.Context) (*standing, error) {
	if err := await(ctx, h.turn); err != nil {
		return nil, err
	}
	defer h.turn.Release(1)
	h.mu.Lock()
	now := h.now
	if now != nil {
		h.joined++
	}
	h.mu.Unlock()
	if now != nil {
		return now, nil
	}
	now, err := h.attach(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
	h.joined++
	return now, nil
}

func (h *holder) attach(ctx context.Context) (*standing, error) {
	// The stream outlives the call that needs it first, with the values of its
	// context.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	now := &standing{cancel: cancel}
	err := h.p.do(ctx, opHold, func(_ context.Context, _ driver.Store, server *Server) error {
		now.server, now.local = server, server.attach()
		return nil
	}, func(ctx context.Context) error {
		s, err := h.p.ch.Open(life, opHold, nil)
		if err != nil {
			return err
		}
		v, err := s.Recv(ctx)
		if id, ok := v.(int64); ok && err == nil {
			now.id, now.stream = id, s
			return nil
		}
		if err == nil {
			err = malformed("the number of a caller is a %T", v)
		}
		cancel()
		_, _ = s.Wait()
		return err
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return now, nil
}

// leave tells the other side that nothing is at stake any more, and waits until
// what was left is ended, as long as ctx allows.
func (now *standing) leave(ctx context.Context) {
	if now == nil {
		return
	}
	defer now.cancel()
	if now.local != nil {
		now.server.detach(now.local)
		return
	}
	defer context.AfterFunc(ctx, now.cancel)()
	_ = now.stream.CloseSend()
	_, _ = now.stream.Wait()
}

// abort ends deliveries on the other side. It cannot fail: what it leaves ends
// with the caller record.
func (now *standing) abort(p *proxy, numbers []int64) {
	if now.local != nil {
		now.local.abort(numbers...)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	_, _ = p.call(ctx, opAbort, wire.Map{"caller": now.id, "deliveries": encodeNumbers(numbers)})
}

func (h *holder) reserved(ctx context.Context, folder string, n int, ok bool) {
	h.done(ctx, func() {
		if ok {
			if h.rooms == nil {
				h.rooms = map[string]*room{}
			}
			h.rooms[folder] = &room{n: n}
		}
	})
}

func (h *holder) delivered(ctx context.Context, d *delivery, ok bool) {
	h.done(ctx, func() {
		if ok {
			if h.deliveries == nil {
				h.deliveries = map[*delivery]bool{}
			}
			h.deliveries[d] = true
		}
	})
}

func (h *holder) committed(ctx context.Context, folder string, ds []driver.Delivery) {
	h.done(ctx, func() {
		delete(h.rooms, folder)
		for _, d := range ds {
			delete(h.deliveries, d.(*delivery))
		}
	})
}

// done notes how a call ended, and leaves when it was the last one that
// mattered.
func (h *holder) done(ctx context.Context, note func()) {
	h.mu.Lock()
	h.joined--
	note()
	over := h.over()
	h.mu.Unlock()
	over.leave(ctx)
}

// over takes the standing away when nothing is at stake any more. The lock is
// held.
func (h *holder) over() *standing {
	if h.joined > 0 || len(h.deliveries) > 0 || len(h.rooms) > 0 {
		return nil
	}
	now := h.now
	h.now = nil
	return now
}

// busy refuses what cannot be done to a folder in which this side has
// reservations or deliveries itself, or below which it has: the other side would
// wait for their end, and this side for the other.
func (h *holder) busy(op, folder string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	within := func(name string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }
	held := slices.ContainsFunc(slices.Collect(maps.Keys(h.rooms)), within)
	for d := range h.deliveries {
		held = held || within(d.folder)
	}
	if held {
		return fault.New(fault.Busy, op, "messages are being delivered to it").InFolder(folder)
	}
	return nil
}

func (h *holder) abort(d *delivery) {
	h.mu.Lock()
	now, mine := h.now, h.deliveries[d]
	if now == nil || !mine {
		h.mu.Unlock()
		return
	}
	delete(h.deliveries, d)
	h.joined++
	h.mu.Unlock()

	now.abort(h.p, []int64{d.number})
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	h.done(ctx, func() {
		if r := h.rooms[d.folder]; r != nil {
			if r.aborted++; r.aborted >= r.n {
				delete(h.rooms, d.folder)
			}
		}
	})
}

// drop forgets everything: the other side aborts it. No call is on its way.
func (h *holder) drop() {
	h.mu.Lock()
	h.deliveries, h.rooms = nil, nil
	over := h.over()
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	over.leave(ctx)
}
