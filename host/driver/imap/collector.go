package imap

import (
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

// collector has the messages that wait for others, and those on their way, by
// folder.
type collector struct {
	mu      sync.Mutex // guards what follows, and what is filled
	able    bool       // a session said that the server can do it
	off     bool       // it cannot
	open    map[string]*several
	sent    map[string][]*several
	large   map[string][]*delivery // that were streamed, until their answer is known
	arrived map[string]tally
	size    int                  // how many messages go together
	busy    map[string]time.Time // until when a folder was busy with what was answered

	spare sync.Pool // of *conn.Messages
}

// tally is what a folder was when deliveries to it began, and how many of ours
// came to it since.
type tally struct{ validity, next, count uint32 }

func newCollector() *collector {
	return &collector{open: map[string]*several{}, sent: map[string][]*several{}, large: map[string][]*delivery{},
		arrived: map[string]tally{}, busy: map[string]time.Time{}, size: severalFirst}
}

// offered notes whether a session can send several messages as one.
func (c *collector) offered(able bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.able = able
}

// took notes how long n messages took the server, that is, for how long nothing was
// seen of them in their folder: what was sent there before had its turn first.
func (c *collector) took(folder string, n int, sent, answered time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if busy := c.busy[folder]; sent.Before(busy) {
		sent = busy
	}
	d := answered.Sub(sent)
	if d <= 0 {
		return // what came later was looked at first
	}
	c.busy[folder] = answered
	switch {
	case d < severalQuick && n >= c.size:
		c.size = min(2*c.size, severalCount)
	case d > severalSlow:
		c.size = min(c.size, max(n/2, 2))
	}
}

// giveUp sends no more of them: the server does not do what it says.
func (c *collector) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = true
}

func (c *collector) usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.able && !c.off
}

// begin notes UIDNEXT before deliveries. While some are on their way it may count
// them or not: then what is known stays.
func (c *collector) begin(folder string, st status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sent[folder])+len(c.large[folder]) == 0 {
		c.arrived[folder] = tally{validity: st.validity, next: st.uidNext}
	}
}

// came notes that some of ours have arrived.
func (c *collector) came(folder string, validity uint32, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.arrived[folder]; ok && a.validity == validity {
		a.count += uint32(n)
		c.arrived[folder] = a
	}
}

// expected tells what a folder should be, if nothing came but what we know of.
func (c *collector) expected(folder string) (tally, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.arrived[folder]
	return a, ok
}

// add puts a message with others. It returns those that are to be sent first, if
// there are.
func (c *collector) add(box mailbox, dl *delivery, date time.Time, body []byte) (full *several, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.open[box.name]
	if g != nil && (g.messages.Len() >= c.size || g.messages.Size()+len(body) > severalBytes) {
		full, g = c.close(box.name), nil
	}
	if g == nil {
		messages, ok := c.spare.Get().(*conn.Messages)
		if !ok {
			messages = new(conn.Messages)
		}
		g = &several{box: box, messages: messages}
		c.open[box.name] = g
	}
	if err := g.messages.Add(dl.flags, date, body); err != nil {
		return full, err
	}
	g.of = append(g.of, dl)
	dl.with = g
	return full, nil
}

// close ends the filling of what is open. mu is held.
func (c *collector) close(folder string) *several {
	g := c.open[folder]
	if g != nil {
		delete(c.open, folder)
		c.sent[folder] = append(c.sent[folder], g)
	}
	return g
}

// take ends the filling of what is open, and returns it, or nil.
func (c *collector) take(folder string) *several {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close(folder)
}

// full ends the filling of g, if that is open.
func (c *collector) full(g *several) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[g.box.name] == g {
		c.close(g.box.name)
	}
}

// leave takes a message out, where it is not on its way.
func (c *collector) leave(dl *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dl.left = true
	g := c.open[dl.folder]
	if g == nil || g != dl.with || slices.ContainsFunc(g.of, func(one *delivery) bool { return !one.left }) {
		return
	}
	delete(c.open, dl.folder) // nobody is left
	c.recycle(g)
}

func (c *collector) recycle(g *several) {
	g.messages.Reset()
	c.spare.Put(g.messages)
	g.messages = nil
}

// streamed notes a message that was sent by itself.
func (c *collector) streamed(dl *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.able {
		c.large[dl.folder] = append(c.large[dl.folder], dl)
	}
}

// known forgets it: its answer has come, or will not be waited for.
func (c *collector) known(dl *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if list := c.large[dl.folder]; len(list) > 0 {
		c.large[dl.folder] = slices.DeleteFunc(list, func(other *delivery) bool { return other == dl })
	}
}

func (c *collector) largeUnderway(folder string) []*delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.large[folder])
}

// hasLeft reports whether a message was aborted.
func (c *collector) hasLeft(dl *delivery) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return dl.left
}

// leaveOut drops messages that have left before they were sent.
func (c *collector) leaveOut(g *several) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(g.of, func(dl *delivery) bool { return dl.left }) {
		return
	}
	g.messages = g.messages.Without(func(i int) bool { return g.of[i].left })
	g.of = slices.DeleteFunc(g.of, func(dl *delivery) bool { return dl.left })
}

// same reports whether nothing was sent to a folder but what is given.
func (c *collector) same(folder string, several []*several, large []*delivery) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.sent[folder] {
		if !slices.Contains(several, g) {
			return false
		}
	}
	for _, dl := range c.large[folder] {
		if !slices.Contains(large, dl) {
			return false
		}
	}
	return true
}

// underway returns what is on its way to a folder.
func (c *collector) underway(folder string) []*several {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent[folder])
}

// finished forgets what has ended.
func (c *collector) finished(g *several) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.DeleteFunc(c.sent[g.box.name], func(other *several) bool { return other == g })
	if len(all) == 0 {
		delete(c.sent, g.box.name)
	} else {
		c.sent[g.box.name] = all
	}
	c.recycle(g)
}
