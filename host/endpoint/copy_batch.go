package endpoint

import (
	"context"
	"iter"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// lingerAfterAbort is how long giving a reservation back may take once the
// caller's context has ended.
const lingerAfterAbort = 5 * time.Second

// copier is one Copy on its way.
type copier struct {
	ctx    context.Context // the one of Copy: commits outlive the reading
	to     driver.Writer
	into   mail.Ref
	o      CopyOptions
	report CopyReport

	next   func() (mail.Key, bool) // keys no batch has named yet
	stop   func()
	carry  []mail.Key // keys that an earlier batch named and did not reach
	gone   []mail.Key
	batch  *batch // the one that is open, or nil
	fatal  error  // ended the copy
	commit time.Duration
}

// batch is what is delivered between a reservation and its commit.
type batch struct {
	CopyBatch
	at         int // index in Keys of the next one expected
	deliveries []driver.Delivery
	octets     int64
	since      time.Time
}

func newCopier(ctx context.Context, to driver.Writer, into mail.Ref, keys mail.KeySet, o CopyOptions) *copier {
	if o.BatchMessages <= 0 {
		o.BatchMessages = DefaultBatchMessages
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = DefaultBatchBytes
	}
	if o.BatchAge <= 0 {
		o.BatchAge = DefaultBatchAge
	}
	c := &copier{ctx: ctx, to: to, into: into, o: o}
	c.next, c.stop = iter.Pull(keys.All())
	return c
}

// one takes one message from the source. Its error ends the reading.
func (c *copier) one(m mail.Meta, body mail.Body) error {
	if c.o.Soft != nil && c.o.Soft.Err() != nil {
		return c.o.Soft.Err()
	}
	if err := c.deliver(m, body); err != nil {
		if c.fatal == nil && (c.o.Soft == nil || c.o.Soft.Err() == nil) {
			c.fatal = err
		}
		return err
	}
	if b := c.batch; len(b.deliveries) >= c.o.BatchMessages || b.octets >= c.o.BatchBytes ||
		time.Since(b.since) >= max(c.o.BatchAge, min(10*c.commit, 25*c.o.BatchAge)) {
		if err := c.end(); err != nil {
			c.fatal = err
			return err
		}
	}
	return nil
}

func (c *copier) deliver(m mail.Meta, body mail.Body) error {
	i, err := c.reach(m.Key)
	if err != nil {
		return err
	}
	b := c.batch
	target := m
	if c.o.Meta != nil {
		target = c.o.Meta(m)
	}
	target.Key, target.Size = "", body.Size
	if i < len(b.Reservation.Keys) {
		target.Key = b.Reservation.Keys[i]
	}
	done, err := c.o.Budget.take(c.ctx, body.Size)
	if err != nil {
		return err
	}
	defer done()
	watched := c.watch(m, body)
	d, err := c.to.Deliver(c.ctx, c.into, target, mail.Body{Reader: watched.reader(), Size: body.Size, LineEnds: body.LineEnds, Altered: body.Altered})
	if err != nil {
		return c.undelivered(m.Key, err, watched.failure())
	}
	b.deliveries = append(b.deliveries, d)
	b.Copied = append(b.Copied, Copied{Source: m.Key, Meta: target, Size: body.Size})
	b.octets += body.Size
	if c.o.Progress != nil {
		c.o.Progress(1, 0)
	}
	return nil
}

// undelivered sorts the failure of one delivery: source is the error that
// reading the content ended with, if any.
func (c *copier) undelivered(k mail.Key, err, source error) error {
	soft := c.o.Soft != nil && c.o.Soft.Err() != nil
	switch {
	case source != nil:
		// The target never saw the end, so it cannot have the message. Whether
		// the source can go on is for the source to say.
		if c.ctx.Err() != nil || soft {
			return source
		}
		c.fail(k, source)
		return nil
	case ends(err):
		c.batch.Doubtful = append(c.batch.Doubtful, k)
		return err
	}
	c.fail(k, err)
	return nil
}

// reach makes the open batch one that names k, and returns k's place in it. Keys
// that are passed over are no longer in the source.
func (c *copier) reach(k mail.Key) (int, error) {
	if b := c.batch; b != nil {
		for i := b.at; i < len(b.Keys); i++ {
			if b.Keys[i] == k {
				c.gone = append(c.gone, b.Keys[b.at:i]...)
				b.at = i + 1
				return i, nil
			}
		}
		if err := c.end(); err != nil {
			return 0, err
		}
	}
	for {
		have, ok := c.key()
		if !ok {
			return 0, &fault.Error{Code: fault.Internal, Op: "copy into", Folder: c.into.Name, Key: string(k),
				Message: "the source handed out a message it was not asked for, or out of order"}
		}
		if have == k {
			break
		}
		c.gone = append(c.gone, have)
	}
	keys := []mail.Key{k}
	for len(keys) < c.o.BatchMessages {
		have, ok := c.key()
		if !ok {
			break
		}
		keys = append(keys, have)
	}
	return 0, c.begin(keys)
}

// key returns the next key that was asked for and not handed out.
func (c *copier) key() (mail.Key, bool) {
	if len(c.carry) > 0 {
		k := c.carry[0]
		c.carry = c.carry[1:]
		return k, true
	}
	return c.next()
}

func (c *copier) begin(keys []mail.Key) error {
	r, err := c.to.Reserve(c.ctx, c.into, len(keys))
	if err != nil {
		return err
	}
	if len(r.Keys) > 0 && len(r.Keys) != len(keys) {
		err = &fault.Error{Code: fault.Internal, Op: "reserve in", Folder: c.into.Name,
			Message: "the target reserved another number of keys than it was asked for"}
	} else if c.o.Begin != nil {
		err = c.o.Begin(c.ctx, r, keys)
	}
	if err != nil {
		c.giveBack()
		return err
	}
	c.batch = &batch{CopyBatch: CopyBatch{Reservation: r, Keys: keys}, at: 1, since: time.Now()}
	return nil
}

// end commits the open batch and tells the caller. Keys it did not reach are
// carried over.
func (c *copier) end() error {
	b := c.batch
	if b == nil {
		return nil
	}
	c.batch = nil
	c.carry = append(b.Keys[b.at:len(b.Keys):len(b.Keys)], c.carry...)
	began := time.Now()
	placed, err := c.to.Commit(c.ctx, c.into, b.deliveries)
	c.commit = time.Since(began)
	if err == nil && len(placed) != len(b.Copied) {
		err = &fault.Error{Code: fault.Internal, Op: "commit in", Folder: c.into.Name,
			Message: "the target told the outcome of another number of messages than it was given"}
	}
	if err != nil {
		for _, m := range b.Copied {
			b.Doubtful = append(b.Doubtful, m.Source)
		}
		b.Copied = nil
	}
	for i := range b.Copied {
		m := &b.Copied[i]
		if m.Placed = placed[i]; m.Placed.Err != nil {
			c.fail(m.Source, m.Placed.Err)
			continue
		}
		c.report.Copied++
		c.report.Octets += m.Size
	}
	if c.o.End != nil {
		if told := c.o.End(c.ctx, b.CopyBatch); err == nil {
			err = told
		}
	}
	return err
}

// abort drops what was delivered and not committed. The intents stay: the next
// run finds out what the target made of it.
func (c *copier) abort() {
	if c.batch == nil {
		return
	}
	for _, d := range c.batch.deliveries {
		d.Abort()
	}
	c.batch = nil
	c.giveBack()
}

// giveBack ends a reservation that nothing was delivered for.
func (c *copier) giveBack() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), lingerAfterAbort)
	defer cancel()
	// A reservation that cannot be given back ends with its holder.
	_, _ = c.to.Commit(ctx, c.into, nil)
}

func (c *copier) fail(k mail.Key, err error) {
	if c.report.Failed == nil {
		c.report.Failed = map[mail.Key]error{}
	}
	c.report.Failed[k] = err
}

// noteGone reports the keys that the source passed over, once it has handed out
// everything it has.
func (c *copier) noteGone() {
	for k, ok := c.key(); ok; k, ok = c.key() {
		c.gone = append(c.gone, k)
	}
	for _, k := range c.gone {
		if _, failed := c.report.Failed[k]; !failed {
			c.report.Gone.Add(k)
		}
	}
}
