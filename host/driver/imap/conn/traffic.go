package conn

import (
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/timing"
)

// traffic is what both directions have to know of each other: which commands
// the server owes an answer, and who waits for its "+".
type traffic struct {
	touch  func() // sets the watch back: a command begins now
	timing *timing.Recorder

	mu       sync.Mutex
	clients  map[string]*clientCommand // of imapclient, by tag
	requests []*request                // of our own
	busy     int                       // commands that may not stall
	waiting  any                       // *clientCommand or *request that needs a "+"
	faked    int                       // "+" to be invented for imapclient
	wake     chan struct{}             // faked or busy changed

	said []Reply
	bye  *Reply
}

// clientCommand is a command of imapclient.
type clientCommand struct {
	tag     string
	name    string // without UID in front
	fetch   bool   // takes FETCH responses
	body    bool   // and is useless without a body section in them
	uid     bool   // and knows them by their UID
	idle    bool
	idling  bool // the server accepted IDLE: from now on it owes nothing
	refused bool // answered before its "+" came
	ended   bool
}

func newTraffic(touch func()) *traffic {
	return &traffic{touch: touch, clients: map[string]*clientCommand{}, wake: make(chan struct{}, 1)}
}

func (t *traffic) wakeUp() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *traffic) isBusy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy > 0
}

// begin notes a command of imapclient.
func (t *traffic) begin(cmd *clientCommand) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[cmd.tag] = cmd
	t.timing.Count(timing.Commands, 1)
	t.owe()
}

func (t *traffic) owe() {
	t.touch()
	t.busy++
	t.wakeUp()
}

// await notes who gets the next "+".
func (t *traffic) await(who any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = who
}

// fake makes the reader invent a "+" at the next boundary between responses.
func (t *traffic) fake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faked++
	t.wakeUp()
}

func (t *traffic) takeFaked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.faked
	t.faked = 0
	return n
}

// goOn handles a "+" of the server. It reports whether imapclient is to see it.
func (t *traffic) goOn() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	who := t.waiting
	t.waiting = nil
	switch who := who.(type) {
	case *clientCommand:
		if who.idle {
			who.idling = true
			t.busy--
		}
		return true
	case *request:
		who.goOn <- struct{}{} // one place in it, one "+" at a time
	}
	return false
}

// endClient handles the tagged reply to a command of imapclient. The command is
// nil when there is none of this tag. fake reports that imapclient still waits
// for a "+"; free, that the command holds the gate and will not write again.
func (t *traffic) endClient(tag string) (cmd *clientCommand, fake, free bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cmd = t.clients[tag]
	if cmd == nil {
		return nil, false, false
	}
	delete(t.clients, tag)
	cmd.ended = true
	if !cmd.idling {
		t.busy--
	}
	if t.waiting == any(cmd) {
		t.waiting = nil
		cmd.refused = true
		return cmd, !cmd.idle, cmd.idle
	}
	return cmd, false, false
}

// done handles DONE, the end of IDLE. It reports whether the server still has
// to be told.
func (t *traffic) done(cmd *clientCommand) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cmd.ended {
		return false
	}
	cmd.idling = false
	t.owe()
	return true
}

func (t *traffic) isRefused(cmd *clientCommand) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return cmd.refused
}

// asked reports whether imapclient is running one of these commands.
func (t *traffic) asked(names []string) bool {
	if len(names) == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		if slices.Contains(names, c.name) {
			return true
		}
	}
	return false
}

// fetches tells what imapclient expects of FETCH responses: nothing, only such
// with a body, and whether it needs to see the UID first.
func (t *traffic) fetches() (wanted, onlyBody, uid bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	onlyBody = true
	for _, c := range t.clients {
		if c.fetch {
			wanted = true
			onlyBody = onlyBody && c.body
			uid = uid || c.uid
		}
	}
	return wanted, wanted && onlyBody, uid
}

// addRequest notes a command of our own.
func (t *traffic) addRequest(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, r)
	t.timing.Count(timing.Commands, 1)
	t.owe()
}

// endRequest forgets the request with a tag and returns it, nil if there is
// none.
func (t *traffic) endRequest(tag string) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range t.requests {
		if r.tag == tag {
			t.requests = slices.Delete(t.requests, i, i+1)
			t.busy--
			r.ended = time.Now()
			if t.waiting == any(r) {
				t.waiting = nil
			}
			return r
		}
	}
	return nil
}

// knows reports whether a command with this tag is running.
func (t *traffic) knows(tag string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clients[tag] != nil || slices.ContainsFunc(t.requests, func(r *request) bool { return r.tag == tag })
}

// open lets a request take responses: all of it is being sent now.
func (t *traffic) open(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.open = true
}

// taker returns the request that takes responses of this name, nil for none.
func (t *traffic) taker(name string) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		if r.open && r.takes(name) {
			return r
		}
	}
	return nil
}

// maxSaid bounds what Said returns.
const maxSaid = 64

func (t *traffic) say(r Reply) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.said) == maxSaid {
		t.said = slices.Delete(t.said, 0, 1)
	}
	t.said = append(t.said, r)
	if r.Type == "BYE" {
		t.bye = &r
	}
}

func (t *traffic) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = nil
}

func (t *traffic) allSaid() []Reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.said)
}

// goodbye is the text of the server's BYE, empty when there was none.
func (t *traffic) goodbye() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bye == nil {
		return ""
	}
	return t.bye.Text
}
