package imap

import (
	"context"
	"errors"
	"sync"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Reserve asks for UIDNEXT. The first time for a folder it selects it, which
// also tells the flags that the folder keeps.
func (d *Driver) Reserve(ctx context.Context, folder mail.Ref, n int) (mail.Reservation, error) {
	box, err := d.names.forServer(folder.Name)
	if err != nil {
		return mail.Reservation{}, err
	}
	var st status
	for _, g := range d.collector.underway(box.name) { // left there by somebody who gave up
		if err := d.settle(ctx, g); err != nil {
			return mail.Reservation{}, err
		}
	}
	err = d.with(ctx, box.name, true, func(ctx context.Context, s *session) (err error) {
		st, err = s.next(ctx, box)
		return err
	})
	if err != nil {
		return mail.Reservation{}, err
	}
	if epoch := epochOf(st.validity); folder.Epoch != "" && folder.Epoch != epoch {
		return mail.Reservation{}, epochChanged(box.name, folder.Epoch, epoch)
	}
	d.collector.begin(box.name, st)
	return mail.Reservation{Epoch: epochOf(st.validity), Next: mail.UIDKey(st.uidNext)}, nil
}

// next asks for UIDVALIDITY and UIDNEXT.
func (s *session) next(ctx context.Context, box mailbox) (status, error) {
	known, _ := s.facts.of(box.name)
	if known.complete() && (s.selected == nil || s.selected.name != box.name) {
		st, err := s.status(ctx, box)
		if err != nil || st.uidNext > 0 && epochOf(st.validity) == known.epoch {
			return st, err
		}
	}
	sel, err := s.enter(ctx, box, "", anew|toWrite)
	if err != nil {
		return status{}, err
	}
	if sel.readOnly && !s.examine {
		return status{}, readOnly("append", box.name)
	}
	st := status{validity: sel.validity, position: position{uidNext: sel.uidNext}}
	if st.uidNext == 0 {
		st.uidNext, err = s.guessUIDNext(ctx)
	}
	return st, inFolder(err, box.name)
}

// status sends STATUS.
func (s *session) status(ctx context.Context, box mailbox) (status, error) {
	var st status
	_, err := s.Do(ctx, box.add(conn.Cmd("STATUS")).Raw("(MESSAGES UIDNEXT UIDVALIDITY)"), func(r *conn.Response) error {
		st = statusOf(r)
		return nil
	}, "STATUS")
	if err != nil {
		return st, s.explain(ctx, box, err)
	}
	return st, nil
}

// guessUIDNext is for servers that do not tell UIDNEXT: one more than the
// highest UID, which is a lower bound at least.
func (s *session) guessUIDNext(ctx context.Context) (uint32, error) {
	all, err := s.search(ctx, "ALL")
	if err != nil || all.Empty() {
		return 1, err
	}
	_, last := bounds(all)
	return last + 1, nil
}

// delivery is a message that waits for others (see several), or an APPEND that was
// sent. The answer to that is read by imapclient, on the connection's own goroutine;
// the session is the pool's again.
type delivery struct {
	driver  *Driver
	folder  string
	flags   mail.Flags
	dropped mail.Flags // the folder does not keep them
	session *session
	cmd     *imapclient.AppendCommand
	err     error // refused before anything was sent
	ended   bool

	with          *several
	left          bool // aborted; guarded by the collector
	uid, validity uint32
	answer        error
	apart         bool // the answer is about this message, not about the connection

	mu     sync.Mutex // guards what follows
	waited bool
	data   *goimap.AppendData
}

// Abort forgets the answer. What was sent cannot be taken back.
func (dl *delivery) Abort() {
	if dl.with != nil && !dl.ended {
		dl.driver.collector.leave(dl)
	}
	dl.end()
}

func (dl *delivery) end() {
	if !dl.ended && dl.session != nil {
		dl.session.appends.Add(-1)
		dl.driver.collector.known(dl)
	}
	dl.ended = true
}

// Deliver sends an APPEND and does not wait for its answer; with LITERAL+ (RFC
// 7888) not even for leave to send. A small message may wait for others first, to be
// sent with them. Keywords that the folder does not keep, as
// far as it has told, are left out.
//
// Also where UTF8=ACCEPT is on, a message goes as a plain literal, whatever is in
// its header: RFC 9755 has dropped the data item "UTF8" of RFC 6855.
//
// A message that may have been sent is never sent again: when the connection
// drops, Commit tells, and the caller looks for it from Reservation.Next on.
func (d *Driver) Deliver(ctx context.Context, folder mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	if err := d.toWrite("deliver", folder.Name); err != nil {
		return nil, err
	}
	box, err := d.names.forServer(folder.Name)
	if err != nil {
		return nil, err
	}
	if d.collector.usable() {
		if body.Size >= 0 && body.Size <= severalLargest {
			return d.deliverSmall(ctx, box, folder.Epoch, m, body)
		}
		if waiting := d.collector.take(box.name); waiting != nil { // they came before
			d.sendSoon(ctx, waiting)
		}
	}
	c, err := wireForm(ctx, body, d.opts.TempDir)
	if err != nil {
		return nil, inFolder(err, box.name)
	}
	defer c.close()
	known, err := d.check(ctx, box, folder.Epoch)
	if err != nil {
		return nil, err
	}
	s, err := d.borrow(ctx, box.name)
	if err != nil {
		return nil, err
	}
	defer d.pool.giveBack(s)
	dl := d.newDelivery(box, known, m)
	if dl.err = inFolder(acceptable(c.size, d.limit(box)), box.name); dl.err != nil {
		return dl, nil
	}
	options := &goimap.AppendOptions{Flags: imapFlags(dl.flags), Time: appendDate(m.Date)}
	var broken error
	err = s.Run(ctx, "append", func(client *imapclient.Client) error {
		dl.cmd = client.Append(s.appendName(box), c.size, options)
		broken = copyExactly(dl.cmd, c)
		if broken != nil && s.alive() {
			s.close() // the source failed: there is no other way out of a literal
		}
		// What fails here shows in the answer. A literal that was written
		// completely may have arrived.
		_ = dl.cmd.Close()
		return broken
	})
	if err != nil {
		if broken != nil && !errors.Is(err, fault.Network) {
			err = broken
		}
		return nil, d.closedErr(inFolder(err, box.name))
	}
	dl.session = s
	s.appendsTo.Store(&box.name)
	s.appends.Add(1)
	d.collector.streamed(dl)
	return dl, nil
}

func (d *Driver) newDelivery(box mailbox, known fact, m mail.Meta) *delivery {
	dl := &delivery{driver: d, folder: box.name, flags: known.flags.keep(m.Flags)}
	dl.dropped = m.Flags.Minus(dl.flags)
	return dl
}

// deliverSmall puts a message with others.
func (d *Driver) deliverSmall(ctx context.Context, box mailbox, epoch string, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	text, _ := d.texts.Get().(*smallText)
	if text == nil {
		text = new(smallText)
	}
	defer d.texts.Put(text)
	wire, err := text.read(ctx, body)
	if err != nil {
		return nil, inFolder(err, box.name)
	}
	known, err := d.check(ctx, box, epoch)
	if err != nil {
		return nil, err
	}
	dl := d.newDelivery(box, known, m)
	if dl.err = inFolder(acceptable(int64(len(wire)), d.limit(box)), box.name); dl.err != nil {
		return dl, nil
	}
	if d.pool.isClosed() {
		return nil, errClosed()
	}
	full, err := d.collector.add(box, dl, appendDate(m.Date), wire)
	if full != nil {
		d.sendSoon(ctx, full)
	}
	if err != nil {
		return nil, inFolder(err, box.name)
	}
	return dl, nil
}

// appendName is a folder's name as imapclient is to be given it.
func (s *session) appendName(box mailbox) string {
	if box.name == mail.Inbox {
		return mail.Inbox
	}
	return s.NameForAppend(s.wire(box), box.server)
}

// check makes sure that the folder has the epoch. Mostly Reserve has.
func (d *Driver) check(ctx context.Context, box mailbox, epoch string) (fact, error) {
	known, _ := d.facts.of(box.name)
	if epoch == "" || known.complete() && known.epoch == epoch {
		return known, nil
	}
	err := d.with(ctx, box.name, true, func(ctx context.Context, s *session) error {
		_, err := s.enter(ctx, box, epoch, anew|toWrite)
		return err
	})
	known, _ = d.facts.of(box.name)
	return known, err
}

// appendDate is a date as APPEND carries it: zero for none.
func appendDate(t time.Time) time.Time { return mail.StorableDate(t).UTC() }

// Commit waits for the answers to the APPENDs. A NO is the error of its message.
// When a connection dropped with APPENDs unanswered, nobody knows whether they
// were done: then Commit fails with fault.Network, and the result holds what is
// known of the others.
func (d *Driver) Commit(ctx context.Context, folder mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	placed := make([]mail.Placed, len(ds))
	for _, each := range ds {
		if dl, ok := each.(*delivery); ok && dl.with != nil && !dl.ended {
			d.collector.full(dl.with)
			d.sendSeveral(ctx, dl.with)
		}
	}
	var unknown, moved error
	for i, each := range ds {
		dl, ok := each.(*delivery)
		if !ok || dl.ended {
			return nil, fault.New(fault.Internal, "commit", "a delivery of another store, or one that has ended").InFolder(folder.Name)
		}
		if dl.err != nil {
			placed[i].Err = dl.err
			dl.end()
			continue
		}
		data, err := dl.wait(ctx)
		dl.end()
		switch {
		case err == nil:
			placed[i].Flags, placed[i].Dropped = dl.flags, dl.dropped
			if data.UID == 0 {
				continue
			}
			placed[i].Key = mail.UIDKey(uint32(data.UID))
			if epoch := epochOf(data.UIDValidity); folder.Epoch != "" && epoch != folder.Epoch {
				moved = epochChanged(folder.Name, folder.Epoch, epoch)
			}
		case answered(err), dl.apart:
			placed[i].Err = inFolder(err, folder.Name)
		default:
			unknown = inFolder(err, folder.Name)
		}
	}
	switch {
	case unknown != nil && ctx.Err() != nil:
		return placed, context.Cause(ctx)
	case unknown != nil:
		return placed, d.closedErr(unknown)
	}
	return placed, moved
}

// wait waits for the answer to one APPEND, which may have come before the
// connection ended. It may be called more than once.
func (dl *delivery) wait(ctx context.Context) (*goimap.AppendData, error) {
	if dl.with != nil {
		if err := dl.driver.settle(ctx, dl.with); err != nil {
			return nil, err
		}
		return &goimap.AppendData{UID: goimap.UID(dl.uid), UIDValidity: dl.validity}, dl.answer
	}
	dl.mu.Lock()
	defer dl.mu.Unlock()
	if !dl.waited {
		dl.waited = true
		if dl.data, dl.answer = dl.waitAlone(ctx); dl.answer == nil && dl.data.UID != 0 {
			dl.driver.collector.came(dl.folder, dl.data.UIDValidity, 1)
		}
	}
	return dl.data, dl.answer
}

func (dl *delivery) waitAlone(ctx context.Context) (data *goimap.AppendData, err error) {
	waited := false
	err = dl.session.Run(ctx, "append", func(*imapclient.Client) (err error) {
		waited = true
		data, err = dl.cmd.Wait()
		return err
	})
	if waited || ctx.Err() != nil {
		return data, err
	}
	data, err = dl.cmd.Wait()
	return data, dl.session.Fault("append", err)
}

// answered tells a NO from an answer that never came.
func answered(err error) bool {
	var said *goimap.Error
	return errors.As(err, &said)
}
