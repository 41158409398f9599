package imap

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// Small messages are sent as one APPEND of several (RFC 3502): a server stores a
// hundred of them in a transaction about as fast as one. They are kept in memory
// until the server has answered, since a refusal concerns all of them: then each
// is sent by itself.
const (
	severalCount = 100
	severalBytes = 512 << 10
	// severalFirst is how many messages go together at first. As long as a server
	// takes no longer than severalQuick, the next are twice as many, and half as
	// many when it takes longer than severalSlow: while it stores some, nobody can
	// see that it does, and what a dropped connection left behind is not to be
	// taken for lost.
	severalFirst = 10
	severalQuick = 250 * time.Millisecond
	severalSlow  = time.Second
	// severalLargest is the size of the largest message, as its source has it,
	// that waits for others. A larger one is streamed.
	severalLargest = 64 << 10
)

// several is one APPEND of several messages: first it is filled, then sent, then
// answered.
type several struct {
	box      mailbox
	messages *conn.Messages
	of       []*delivery // one for each of the messages

	mu    sync.Mutex // held while it is sent, and while its answer is dealt with
	sent  atomic.Pointer[sentAppend]
	ended bool // answered, or never to be: each of the deliveries knows
}

// sentAppend is an APPEND on its way.
type sentAppend struct {
	*conn.Appending
	session *session
	ended   sync.Once
	came    func(*sentAppend, conn.Reply)
}

// wait returns the answer.
func (a *sentAppend) wait(ctx context.Context) (conn.Reply, error) {
	reply, err := a.Wait(ctx)
	if err == nil || answered(err) || !a.session.alive() {
		a.ended.Do(func() {
			a.session.appends.Add(-1)
			if err == nil {
				a.came(a, reply)
			}
		})
	}
	return reply, err
}

// end tells all that wait for the answer how it was.
func (g *several) end(err error) {
	for _, dl := range g.of {
		dl.answer = err
	}
}

// placed reads which UIDs the messages have (RFC 4315 section 3): they are in the
// order of the messages. An answer that cannot be right tells none.
func (g *several) placed(r conn.Reply) {
	validity, uids := appendUIDs(r)
	if distinct := slices.Compact(slices.Sorted(slices.Values(uids))); len(uids) != len(g.of) || len(distinct) != len(uids) {
		return
	}
	for i, uid := range uids {
		g.of[i].uid, g.of[i].validity = uid, validity
	}
}

// appendUIDs reads the response code of an APPEND.
func appendUIDs(r conn.Reply) (validity uint32, uids []uint32) {
	if r.Code != "APPENDUID" || len(r.Args) != 2 {
		return 0, nil
	}
	n, _ := r.Args[0].Uint()
	uids, ok := uidList(r.Args[1].Text)
	if !ok || n == 0 || n >= 1<<32 {
		return 0, nil
	}
	return uint32(n), uids
}

// sendSeveral sends what was filled, unless that was done. Where it fails, nobody
// knows whether it arrived; its messages tell.
func (d *Driver) sendSeveral(ctx context.Context, g *several) {
	d.lookBack(ctx, g.box.name)
	g.mu.Lock()
	defer g.mu.Unlock()
	d.send(ctx, g)
}

// sendSoon is sendSeveral for those who must not wait for an answer: whoever is at it
// already may be waiting for one.
func (d *Driver) sendSoon(ctx context.Context, g *several) {
	d.lookBack(ctx, g.box.name)
	if g.mu.TryLock() {
		defer g.mu.Unlock()
		d.send(ctx, g)
	}
}

// send does it. g.mu is held.
func (d *Driver) send(ctx context.Context, g *several) {
	if g.ended || g.sent.Load() != nil {
		return
	}
	d.collector.leaveOut(g)
	if len(g.of) == 0 {
		d.finish(g)
		return
	}
	sent, err := d.startAppend(ctx, g.box, g.messages)
	if err != nil {
		g.end(err)
		d.finish(g)
		return
	}
	g.sent.Store(sent)
}

// lookBack deals with what was taken by now, so that it is not kept in memory. It
// waits for nothing: whoever delivers may be in the middle of reading elsewhere.
func (d *Driver) lookBack(ctx context.Context, folder string) {
	for _, g := range d.collector.underway(folder) {
		sent := g.sent.Load()
		if sent == nil || !sent.Ready() {
			return // the others come later
		}
		if _, err := sent.wait(ctx); err != nil {
			return // Commit's to deal with
		}
		if d.settle(ctx, g) != nil {
			return
		}
	}
}

// startAppend sends messages, and does not wait for the answer.
func (d *Driver) startAppend(ctx context.Context, box mailbox, messages *conn.Messages) (*sentAppend, error) {
	s, err := d.borrow(ctx, box.name)
	if err != nil {
		return nil, err
	}
	defer d.pool.giveBack(s)
	appending, err := s.Append(ctx, box.add(conn.Cmd("APPEND")), messages)
	if err != nil {
		d.doubt(ctx, s, messages.Len())
		return nil, d.closedErr(inFolder(err, box.name))
	}
	s.appendsTo.Store(&box.name)
	s.appends.Add(1)
	n := messages.Len()
	return &sentAppend{Appending: appending, session: s, came: func(a *sentAppend, r conn.Reply) {
		validity, uids := appendUIDs(r)
		d.collector.came(box.name, validity, len(uids))
		if n > 1 {
			sent, answered := a.Times()
			d.collector.took(box.name, n, sent, answered)
		}
	}}, nil
}

// finish forgets what has ended. g.mu is held.
func (d *Driver) finish(g *several) {
	g.ended = true
	d.collector.finished(g)
	g.messages = nil
}

// settle waits for the answer to what was sent, and deals with it. It fails only
// where the answer was not waited for.
func (d *Driver) settle(ctx context.Context, g *several) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	sent := g.sent.Load()
	if g.ended || sent == nil {
		return nil
	}
	reply, err := sent.wait(ctx)
	switch {
	case err == nil:
		g.placed(reply)
	case !answered(err) && ctx.Err() != nil && sent.session.alive():
		for _, dl := range g.of { // nobody waits for it any more
			d.collector.leave(dl)
		}
		return err
	case answered(err) && len(g.of) > 1:
		d.refused(ctx, g, err)
	default:
		d.doubt(ctx, sent.session, len(g.of))
		g.end(inFolder(err, g.box.name))
	}
	d.finish(g)
	return nil
}

// doubt gives up sending several messages at once, for as long as the Driver lives,
// when a connection did not outlast it: there are servers, and boxes on the way to
// them, that cannot take so much, and the line may be as good for less.
func (d *Driver) doubt(ctx context.Context, s *session, n int) {
	if n > 1 && ctx.Err() == nil && !s.alive() {
		d.collector.giveUp()
	}
}

// refused deals with a refusal of several messages, of which the server has none
// then. Each is sent again by itself, unless the server is to be left alone.
func (d *Driver) refused(ctx context.Context, g *several, why error) {
	var said *goimap.Error
	if errors.As(why, &said) && said.Type == goimap.StatusResponseTypeBad {
		d.collector.giveUp()
	}
	err := d.noneArrived(ctx, g)
	if err == nil && !fault.IsTemporary(why) {
		d.log.Debug("sending messages one by one", "folder", g.box.name, "messages", len(g.of), "error", why)
		d.oneByOne(ctx, g)
		return
	}
	switch fault.CodeOf(err) {
	case fault.NotFound, fault.Permission, fault.ReadOnly: // so it is no wonder, and nothing came
	default:
		if err == nil {
			err = why
			break
		}
		if errors.Is(err, errSomethingCame) { // it may have been a part of them
			d.collector.giveUp()
		}
		err = doubtful(err, len(g.of))
	}
	for _, dl := range g.of {
		dl.apart = true
	}
	g.end(inFolder(err, g.box.name))
}

// oneByOne sends messages again, each by itself.
func (d *Driver) oneByOne(ctx context.Context, g *several) {
	sent := make([]*sentAppend, len(g.of))
	for i, dl := range g.of {
		if d.collector.hasLeft(dl) {
			dl.answer = fault.New(fault.Stopped, "append", "it was given up").InFolder(g.box.name)
			continue
		}
		if sent[i], dl.answer = d.startAppend(ctx, g.box, g.messages.One(i)); dl.answer != nil {
			break
		}
	}
	var broken error
	for i, dl := range g.of {
		switch {
		case sent[i] != nil:
			reply, err := sent[i].wait(ctx)
			one := several{of: []*delivery{dl}}
			if err != nil {
				one.end(inFolder(err, g.box.name))
			} else {
				one.placed(reply)
			}
		case dl.answer != nil:
			broken = dl.answer
		default:
			dl.answer = broken
		}
	}
}

// noneArrived makes sure that the server has nothing of what it refused: it has
// to (RFC 3502), but to send what is there would double it.
func (d *Driver) noneArrived(ctx context.Context, g *several) error {
	for range 3 {
		others, large := d.collector.underway(g.box.name), d.collector.largeUnderway(g.box.name)
		for _, other := range others {
			if sent := other.sent.Load(); sent != nil {
				_, _ = sent.wait(ctx) // whoever it is of gets to know
			}
		}
		for _, one := range large {
			_, _ = one.wait(ctx)
		}
		want, known := d.collector.expected(g.box.name)
		var st status
		err := d.with(ctx, g.box.name, true, func(ctx context.Context, s *session) (err error) {
			st, err = s.next(ctx, g.box)
			return err
		})
		if err != nil || known && want.validity == st.validity && want.next+want.count == st.uidNext {
			return err
		}
		if d.collector.same(g.box.name, others, large) {
			break
		}
	}
	return errSomethingCame
}

var errSomethingCame = errors.New("something arrived meanwhile")

// doubtful is the error of messages of which nobody knows whether they are there.
func doubtful(why error, n int) error {
	return fault.New(fault.Protocol, "append", "the server refused %d messages at once, and whether it has some of them cannot be told: %v", n, why).
		AsTemporary().WithHint("the next run finds out which are there")
}
