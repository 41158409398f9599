package engine

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// batch is one batch on its way through copyStep: announced, delivered, and
// committed by the goroutine behind.
type batch struct {
	keys       mail.KeySet                // of the source
	intents    map[mail.Key]*state.Intent // by source key
	taken      map[mail.Key]int           // source keys that came, numbered
	copied     []*copied                  // by those numbers, nil where it failed
	mu         sync.Mutex                 // guards the fields above while several messages are delivered
	deliveries []driver.Delivery
	rows       []state.Row // one for each delivery, its target key yet to come
	altered    []bool      // whether what was delivered is not what its source keeps
	names      []string    // the Message-IDs
	sent       []delivered
	bytes      int64
}

// copied is one message of a batch that the target has taken.
type copied struct {
	delivery driver.Delivery
	row      state.Row
	altered  bool
	name     string
	sent     delivered
	size     int64
}

// take returns the intent of a message that comes, and its number; nil for one
// that was not asked for, or comes a second time.
func (b *batch) take(key mail.Key) (*state.Intent, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.intents[key]
	if _, again := b.taken[key]; in == nil || again {
		return nil, 0
	}
	n := len(b.copied)
	b.taken[key] = n
	b.copied = append(b.copied, nil)
	return in, n
}

// forget gives up the intent of a message that may have arrived.
func (b *batch) forget(key mail.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.intents, key)
}

func (b *batch) add(n int, one *copied) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.copied[n] = one
}

// gather lists what was delivered, in the order in which it came.
func (b *batch) gather() {
	for _, one := range b.copied {
		if one == nil {
			continue
		}
		b.deliveries = append(b.deliveries, one.delivery)
		b.rows = append(b.rows, one.row)
		b.altered = append(b.altered, one.altered)
		b.names = append(b.names, one.name)
		b.sent = append(b.sent, one.sent)
		b.bytes += one.size
	}
}

// copier copies the messages of one step.
type copier struct {
	e        *Engine
	fp       *FolderPlan
	step     *Step
	from, to state.Side
	chosen   bool                    // the target has keys chosen beforehand
	ref      mail.Ref                // of the target folder
	unnamed  []state.Row             // delivered to a store that did not tell the key
	names    []string                // the Message-IDs of unnamed
	kept     []Identity              // of unnamed, as the store has it
	intents  []int64                 // of unnamed
	flags    map[mail.Key]mail.Flags // given to the target, where a row agrees on others; by source key
	known    map[mail.Key]item       // those that have a row, by source key

	announcing announcing

	spare sync.Pool // of *bytes.Buffer, for what is read ahead

	overQuota atomic.Pointer[fault.Error] // why nothing more is delivered

	found map[mail.Key]state.Row // of unnamed, by source key, those that were found
	moves map[mail.Key]*moved    // unnamed messages that were moved, by source key
}

// delivered is what was handed to the target: not always what the row is about.
type delivered struct {
	flags mail.Flags
	id    Identity
}

// copyStep copies the new messages of a folder, batch by batch; while one batch
// is being made durable and recorded, the next is delivered, and the one after it is
// announced with the record.
func (e *Engine) copyStep(ctx context.Context, fp *FolderPlan, s *Step) error {
	if s.items.len() == 0 {
		return nil
	}
	if e.full.is(s.Side) {
		fp.blocked.Store(true) // the next run, with room again
		return nil
	}
	span := e.Timing.Begin(s.timeName())
	defer span.End()
	c := &copier{e: e, fp: fp, step: s, from: s.source(), to: s.Side, known: s.known()}
	if err := e.fillAll(ctx, fp, s); err != nil {
		return err
	}
	if err := c.reserve(ctx); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	delivered := make(chan *batch)
	guarded(group, "deliver", func() error {
		defer close(delivered)
		return c.deliverAll(gctx, delivered)
	})
	guarded(group, "commit", func() error {
		for b := range delivered {
			// Not gctx: what was delivered is recorded, also when the next
			// batch fails meanwhile.
			if err := c.commit(ctx, b); err != nil {
				for b := range delivered {
					b.abort()
				}
				return err
			}
		}
		return nil
	})
	err := group.Wait()
	c.callOff(ctx)
	if c.announcing.begun < s.items.len() {
		fp.blocked.Store(true) // whatever the reason, the rest is for the next run
	}
	if err != nil {
		c.giveBack(ctx)
		if e.fills(c.to, err) {
			fp.blocked.Store(true)
			return nil
		}
		return err
	}
	full := c.overQuota.Load()
	if e.draining() || full != nil {
		c.giveBack(ctx)
	}
	if err := c.findUnnamed(ctx); err != nil || full == nil {
		return err
	}
	return full
}

// giveBackTime is how long giving a reservation back may take.
const giveBackTime = 5 * time.Second

// giveBack ends a reservation that no commit has ended: others may be waiting
// for the folder. One that cannot be given back ends with its holder.
func (c *copier) giveBack(ctx context.Context) { c.e.giveBack(ctx, c.to, c.ref) }

func (e *Engine) giveBack(ctx context.Context, side state.Side, folder mail.Ref) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	_, _ = e.store(side).Commit(ctx, folder, nil)
}

// deliverAll delivers batch by batch and hands each to the committing goroutine.
func (c *copier) deliverAll(ctx context.Context, delivered chan<- *batch) error {
	defer c.announcing.end()
	for !c.e.draining() && c.overQuota.Load() == nil {
		b, err := c.begin(ctx)
		if b == nil || err != nil {
			return err
		}
		c.announcing.begun += len(b.intents)
		begun := time.Now()
		failed := c.deliver(ctx, b)
		c.announcing.took(time.Since(begun))
		if failed != nil && len(b.deliveries) == 0 {
			return failed
		}
		// What was delivered is recorded, also when the rest of the batch was
		// not: a disk that is nearly full, a connection that never lasts long.
		select {
		case delivered <- b:
		case <-ctx.Done():
			b.abort()
			return context.Cause(ctx)
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

func (b *batch) abort() {
	for _, d := range b.deliveries {
		d.Abort()
	}
}

// deliver streams the messages of a batch to the target.
func (c *copier) deliver(ctx context.Context, b *batch) error {
	err := c.contents(ctx, b)
	b.gather()
	if partial, ok := driver.AsPartial(err); ok {
		for _, key := range slices.Sorted(maps.Keys(partial.Failed)) {
			c.fp.blocked.Store(true)
			if err := c.e.folderFailed(ctx, c.fp.Name, withKey(partial.Failed[key], key)); err != nil {
				return err
			}
		}
		err = nil
	}
	if err == nil && len(b.deliveries) < len(b.intents) {
		// The source says they are not there any more: the next run, which
		// reads the folder again, will see.
		c.fp.blocked.Store(true)
	}
	return err
}

// contents reads messages, or makes placeholders of them, and delivers them.
func (c *copier) contents(ctx context.Context, b *batch) error {
	source, ref := c.e.store(c.from), c.fp.refs[c.from]
	if c.step.Form != FormPlaceholder && c.chosen {
		return c.spread(ctx, b)
	}
	if c.step.Form != FormPlaceholder {
		return source.Bodies(ctx, ref, b.keys, func(m mail.Meta, body mail.Body) error {
			return c.deliverOne(ctx, b, m, body, nil)
		})
	}
	return source.Describe(ctx, ref, b.keys, mail.WantHeader|mail.WantDate|mail.WantCRLFSize, func(ds []mail.Description) error {
		for _, d := range ds {
			of := HeaderIdentity(d.Header, d.CRLFSize)
			if err := c.deliverOne(ctx, b, d.Meta, placeholderBody(makePlaceholder(d.Header, of)), &of); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliverOne streams one message from its source to its target; of is the
// message that a placeholder is delivered of, or nil.
func (c *copier) deliverOne(ctx context.Context, b *batch, m mail.Meta, body mail.Body, of *Identity) error {
	in, n := b.take(m.Key)
	if in == nil {
		return nil
	}
	return c.deliverTaken(ctx, b, in, n, m, body, of)
}

// deliverTaken is deliverOne for a message that was taken. Several may be at work.
func (c *copier) deliverTaken(ctx context.Context, b *batch, in *state.Intent, n int, m mail.Meta, body mail.Body, of *Identity) error {
	if !c.e.Policy.CopyDate {
		m.Date = in.Date
	}
	if !m.Flags.Equal(in.Flags) { // changed since they were read
		c.fp.unmark(c.from)
	}
	it, known := c.known[m.Key]
	agreed := m.Flags
	if known && c.step.Form == FormUpgrade {
		m.Flags, agreed = it.meta.Flags, it.extra().agreed
	}
	if c.fp.pairing || c.e.Policy.toward(c.to)&OpDelete == 0 {
		// A removal that is not to be carried.
		marks := mail.Flags{System: mail.Deleted}
		m.Flags, agreed = m.Flags.Minus(marks), agreed.Minus(marks)
	}
	var tap headerTap
	meta := mail.Meta{Key: in.Target, Flags: m.Flags, Size: body.Size}
	if c.e.Policy.CopyDate {
		meta.Date = m.Date
	}
	body.Reader = tapped(body.Reader, &tap)
	d, err := c.e.store(c.to).Deliver(ctx, c.ref, meta, body)
	if err != nil {
		if !definite(err) {
			b.forget(m.Key) // it may have arrived: it is found out later
		}
		return err
	}
	id := tap.identity()
	row := state.Row{Flags: agreed, Size: id.Size, Date: m.Date, Ident: id.Header}
	if of != nil {
		row.Size, row.Ident, row.Status = of.Size, of.Header, state.StatusPlaceholder
	}
	if known { // it gets a copy again
		row.ID = it.row.ID
		if c.step.Form == FormUpgrade {
			row.FarOnly, row.NearOnly = it.row.FarOnly, it.row.NearOnly
		}
	}
	setKey(&row, c.from, m.Key)
	b.add(n, &copied{d, row, body.Altered, id.MessageID, delivered{m.Flags, id}, body.Size})
	return nil
}

// tapped returns r with every byte also seen by tap. A reader that can go back
// to its start still can: then the tap begins anew.
func tapped(r io.Reader, tap *headerTap) io.Reader {
	t := &tapReader{r: r, tap: tap}
	if s, ok := r.(io.Seeker); ok {
		return &tapSeeker{tapReader: t, s: s}
	}
	return t
}

type tapReader struct {
	r   io.Reader
	tap *headerTap
}

func (t *tapReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		t.tap.Write(p[:n])
	}
	return n, err
}

type tapSeeker struct {
	*tapReader
	s io.Seeker
}

func (t *tapSeeker) Seek(offset int64, whence int) (int64, error) {
	at, err := t.s.Seek(offset, whence)
	if err == nil && at == 0 {
		*t.tap = headerTap{}
	}
	return at, err
}
