package engine

import (
	"context"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// announcing cuts a step into batches. Each is announced in the state before anything of
// it is delivered; where the target has keys chosen beforehand, together with the record
// of a batch before, so that the delivery need not wait for the disk.
type announcing struct {
	mu       sync.Mutex
	reserved mail.Reservation // of its keys, those that are not used yet
	at       int              // the items before it are in a batch
	begun    int              // of them are in batches that were begun; the delivering goroutine's
	size     batchSize
	ready    *batch        // announced, and not begun
	coming   chan struct{} // closed when ready is there, or is not to come; nil while nothing is announced
	ended    bool          // nobody begins another one
}

func (a *announcing) took(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.size.took(d)
}

// take returns the batch that was announced ahead, once; nil where there is none.
func (a *announcing) take() *batch {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.ready
	a.ready = nil
	return b
}

func (a *announcing) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// arrive ends the announcement of a batch, which is nil where it failed.
func (a *announcing) arrive(b *batch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = b
	close(a.coming)
	a.coming = nil
}

// reserve announces the deliveries to the target, and checks that it is still
// the folder that was planned for.
func (c *copier) reserve(ctx context.Context) error {
	c.ref = c.fp.refs[c.to]
	var err error
	c.announcing.reserved, err = c.e.store(c.to).Reserve(ctx, c.ref, min(c.step.items.len(), c.reserveAtOnce()))
	if err != nil {
		return err
	}
	c.chosen = len(c.announcing.reserved.Keys) > 0
	switch {
	case c.ref.Epoch == "":
		c.ref.Epoch = c.announcing.reserved.Epoch
		c.fp.refs[c.to] = c.ref
		if c.to == state.Far {
			c.fp.record.FarEpoch = c.ref.Epoch
		} else {
			c.fp.record.NearEpoch = c.ref.Epoch
		}
		// Before a key of the folder is recorded: made anew by somebody else,
		// it would look like one that was emptied.
		return c.e.State.Commit(ctx, c.fp.Name, &state.Change{Folder: c.e.begunRecord(c.fp)})
	case c.announcing.reserved.Epoch != "" && c.announcing.reserved.Epoch != c.ref.Epoch:
		return fault.New(fault.EpochChanged, "deliver to", "the folder was replaced while the sync ran").InFolder(c.fp.Name).AsTemporary()
	}
	return nil
}

// reserveAtOnce is how many keys are chosen beforehand: enough for some batches, and not
// as many as there may be messages.
func (c *copier) reserveAtOnce() int { return 8 * c.e.largestBatch }

// keysFor returns the chosen keys of the next n of left messages. Where there are
// fewer, the target chooses.
func (c *copier) keysFor(ctx context.Context, n, left int) ([]mail.Key, error) {
	if !c.chosen {
		return nil, nil
	}
	if have := c.announcing.reserved.Keys; len(have) < n {
		more, err := c.e.store(c.to).Reserve(ctx, c.ref, min(left-len(have), c.reserveAtOnce()))
		if err != nil {
			return nil, err
		}
		if more.Epoch != c.announcing.reserved.Epoch {
			return nil, fault.New(fault.EpochChanged, "deliver to", "the folder was replaced while the sync ran").InFolder(c.fp.Name).AsTemporary()
		}
		c.announcing.reserved.Keys = append(have[:len(have):len(have)], more.Keys...)
	}
	n = min(n, len(c.announcing.reserved.Keys))
	keys := c.announcing.reserved.Keys[:n]
	c.announcing.reserved.Keys = c.announcing.reserved.Keys[n:]
	return keys, nil
}

// begin returns the next batch, announced; nil where there are no more messages.
func (c *copier) begin(ctx context.Context) (*batch, error) {
	a := &c.announcing
	if b := a.take(); b != nil {
		return b, nil
	}
	var change state.Change
	b, err := c.next(ctx, &change)
	if err != nil {
		return nil, err
	}
	if b == nil { // the last one may be on its way
		a.mu.Lock()
		coming := a.coming
		a.mu.Unlock()
		if coming == nil {
			return a.take(), nil
		}
		select {
		case <-coming:
			return a.take(), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if err := c.e.State.Commit(ctx, c.fp.Name, &change); err != nil {
		return nil, err
	}
	b.announced(&change)
	return b, nil
}

// recordWith commits a change, and announces a batch with it.
func (c *copier) recordWith(ctx context.Context, change *state.Change) error {
	b := c.announceNext(ctx, change)
	if b == nil {
		return c.e.State.Commit(ctx, c.fp.Name, change)
	}
	var good *batch
	defer func() { c.announcing.arrive(good) }()
	err := c.e.State.Commit(ctx, c.fp.Name, change)
	if err == nil {
		b.announced(change)
		good = b
	}
	return err
}

// announceNext makes a batch that is announced with what is recorded of another; nil where
// there is none, or that may take a while: what is to be recorded does not wait for it. A
// batch of messages that were announced by an earlier run is announced when it begins:
// until then its old intents are what is known of them.
func (c *copier) announceNext(ctx context.Context, change *state.Change) *batch {
	a := &c.announcing
	if !a.mu.TryLock() { // a batch is being begun, which may wait for more keys
		return nil
	}
	defer a.mu.Unlock()
	left := c.step.items.len() - a.at
	if !c.chosen || len(c.fp.late) > 0 || a.ended || a.ready != nil || left == 0 ||
		len(a.reserved.Keys) < c.batchOf(left) || c.e.draining() || c.overQuota.Load() != nil {
		return nil
	}
	b, err := c.cut(ctx, change)
	if err != nil {
		return nil
	}
	a.coming = make(chan struct{})
	return b
}

func (c *copier) next(ctx context.Context, change *state.Change) (*batch, error) {
	c.announcing.mu.Lock()
	defer c.announcing.mu.Unlock()
	return c.cut(ctx, change)
}

// cut makes the next batch, whose intents it adds to a change that has none. It returns
// nil where there are no more messages. What is being announced is locked.
func (c *copier) cut(ctx context.Context, change *state.Change) (*batch, error) {
	a := &c.announcing
	left := c.step.items.len() - a.at
	if left == 0 {
		return nil, nil
	}
	n := c.batchOf(left)
	targets, err := c.keysFor(ctx, n, left)
	if err != nil {
		return nil, err
	}
	b := &batch{intents: make(map[mail.Key]*state.Intent, n), taken: make(map[mail.Key]int, n)}
	change.Intend = make([]state.Intent, n)
	for i := range n {
		m := c.step.items.metas.At(a.at + i)
		in := &change.Intend[i]
		*in = state.Intent{To: c.to, Source: m.Key, Next: a.reserved.Next, Epoch: c.ref.Epoch, Flags: m.Flags, Size: -1, Date: m.Date}
		if i < len(targets) {
			in.Target = targets[i]
		}
		b.keys.Add(m.Key)
	}
	for _, in := range c.fp.late { // announced before, and not delivered then
		if in.To == c.to && b.keys.Contains(in.Source) {
			change.Settle = append(change.Settle, in.ID)
		}
	}
	a.at += n
	return b, nil
}

// batchOf returns how many of the messages that are left are in the next batch. Nothing is
// delivered while the last one is made durable: the last ones are smaller.
func (c *copier) batchOf(left int) int {
	a := &c.announcing
	most := min(left, a.size.messages(), max(left/2, batchMessages), c.e.largestBatch)
	n, octets := 0, int64(0)
	for n < most && (n == 0 || octets < a.size.bytes()) {
		if c.step.Form != FormPlaceholder { // those are small
			octets += max(c.step.items.metas.At(a.at+n).Size, 0)
		}
		n++
	}
	return n
}

// announced notes the intents of a batch, which have their numbers now.
func (b *batch) announced(change *state.Change) {
	for i := range change.Intend {
		b.intents[change.Intend[i].Source] = &change.Intend[i]
	}
}

// callOff takes back what was announced and not begun. What cannot be taken back the next
// run finds undelivered.
func (c *copier) callOff(ctx context.Context) {
	b := c.announcing.take()
	if b == nil {
		return
	}
	change := state.Change{Later: true}
	for _, in := range b.intents {
		change.Settle = append(change.Settle, in.ID)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	_ = c.e.State.Commit(ctx, c.fp.Name, &change)
}
