package conn

import (
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// request is a command of our own on its way.
type request struct {
	tag    string
	take   []string
	open   bool          // takes responses; guarded by traffic.mu
	ended  time.Time     // when the answer came; guarded by traffic.mu
	goOn   chan struct{} // the server's "+"
	events chan event
}

// event is part of the answer to a request: one of both is set.
type event struct {
	response *Response
	reply    *Reply
}

// eventQueue is how many responses the reader may be ahead of the callback.
const eventQueue = 64

func newRequest(number uint64, take []string) *request {
	return &request{
		tag:    "X" + strconv.FormatUint(number, 10),
		take:   take,
		goOn:   make(chan struct{}, 1),
		events: make(chan event, eventQueue),
	}
}

// takes reports whether responses of this name are for the request.
func (r *request) takes(name string) bool {
	for _, t := range r.take {
		if t == name || t == "*" && name != "BYE" {
			return true
		}
	}
	return false
}

// Call is a command of our own, and who gets the answer to it.
type Call struct {
	Cmd *Command
	// Take names the untagged responses that are taken away from imapclient and
	// given to On, in order, on the caller's goroutine: "LIST", "FETCH",
	// "VANISHED", "OK"; "*" for all but BYE. On must not use the connection; an
	// error of it is the call's, after the rest of the answer has been read and
	// dropped.
	Take []string
	On   func(*Response) error
}

// Answer is how a Call ended. The reply is valid also with an error: NO and BAD
// are errors, as Fault maps them.
type Answer struct {
	Reply Reply
	Err   error
}

// Do sends a command and waits for its end. When ctx ends meanwhile the
// connection is closed. While imapclient idles, Do waits for the end of IDLE.
func (c *Conn) Do(ctx context.Context, cmd *Command, on func(*Response) error, take ...string) (Reply, error) {
	answers := c.DoAll(ctx, Call{Cmd: cmd, On: on, Take: take})
	return answers[0].Reply, answers[0].Err
}

// DoAll is Do for several commands that are sent one behind the other before
// the first is answered: together they cost one round trip. All are carried
// out, whatever becomes of those before them, so they are such that this does
// no harm. An untagged response is the first call's that takes its name and is
// not answered yet.
func (c *Conn) DoAll(ctx context.Context, calls ...Call) []Answer {
	answers := make([]Answer, len(calls))
	fail := func(from int, err error) []Answer {
		for i := from; i < len(calls); i++ {
			answers[i] = Answer{Err: c.failed(ctx, calls[i].Cmd.op(), calls[i].Cmd.folder, err)}
		}
		return answers
	}
	for _, call := range calls {
		if call.Cmd.err != nil {
			for i := range answers {
				answers[i].Err = call.Cmd.err
			}
			return answers
		}
	}
	stop, err := c.begin(ctx)
	if err != nil {
		return fail(0, err)
	}
	defer stop()

	finished := false
	defer func() {
		if !finished { // On panicked, or the connection is dead already
			c.life.end(fault.New(fault.Network, calls[0].Cmd.op(), "the connection was left in the middle of an answer").AsTemporary())
		}
	}()
	requests, early := make([]*request, len(calls)), make([]*Reply, len(calls))
	for i, call := range calls {
		requests[i] = newRequest(c.tags.Add(1), call.Take)
		if early[i], err = c.send(requests[i], call.Cmd.encode(requests[i].tag, c.out.enc)); err != nil {
			return fail(0, err)
		}
	}
	for i, call := range calls {
		reply := early[i]
		var failed error
		if reply == nil {
			if reply, failed, err = c.collect(requests[i], call.On); err != nil {
				return fail(i, err)
			}
		}
		if failed == nil {
			failed = c.fault(call.Cmd.op(), call.Cmd.folder, reply.err())
		}
		answers[i] = Answer{Reply: *reply, Err: failed}
	}
	finished = true
	return answers
}

// send writes a command. It returns a reply when the server answers before all
// of it was sent.
func (c *Conn) send(r *request, chunks []chunk) (*Reply, error) {
	if err := c.out.enter(); err != nil {
		return nil, err
	}
	defer c.out.leave()
	c.traffic.addRequest(r)
	for i, chunk := range chunks {
		if chunk.wait {
			c.traffic.await(r)
		}
		if i == len(chunks)-1 {
			c.traffic.open(r)
		}
		if err := c.out.sendLine(chunk.data); err != nil {
			return nil, err
		}
		if !chunk.wait {
			continue
		}
		select {
		case <-r.goOn:
		case ev := <-r.events: // nothing but a reply: it takes no responses yet
			return ev.reply, nil
		case <-c.life.dead:
			return nil, c.life.err()
		}
	}
	return nil, nil
}

// collect hands out responses until the reply. failed is the first error of on.
func (c *Conn) collect(r *request, on func(*Response) error) (reply *Reply, failed, err error) {
	for {
		ev, ok := c.next(r)
		if !ok {
			return nil, nil, c.life.err()
		}
		if ev.reply != nil {
			return ev.reply, failed, nil
		}
		if on != nil && failed == nil {
			failed = on(ev.response)
		}
		if b, ok := ev.response.Body.(*borrowed); ok {
			b.giveBack()
		}
	}
}

// next returns the next part of an answer, also one that came before the
// connection ended.
func (c *Conn) next(r *request) (event, bool) {
	select {
	case ev := <-r.events:
		return ev, true
	case <-c.life.dead:
	}
	select {
	case ev := <-r.events:
		return ev, true
	default:
		return event{}, false
	}
}

// deliver hands part of an answer to its request. It waits while the callback
// is behind.
func (in *inbound) deliver(r *request, ev event) error {
	select {
	case r.events <- ev:
		return nil
	case <-in.life.dead:
		return in.life.err()
	}
}

// borrowed is the literal of a response, read by the callback from the
// tokenizer itself, whose own goroutine waits until it is given back.
type borrowed struct {
	in   *inbound
	left int64
	done chan struct{}
}

// lend gives a literal to a request and waits until it has been read.
func (in *inbound) lend(r *request, resp *Response, size int64) error {
	b := &borrowed{in: in, left: size, done: make(chan struct{})}
	resp.Body, resp.Size = b, size
	if err := in.deliver(r, event{response: resp}); err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-in.life.dead:
		return in.life.err()
	}
	if b.left > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (b *borrowed) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.in.read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// giveBack drops what was not read.
func (b *borrowed) giveBack() {
	_, _ = io.Copy(io.Discard, b) // an error shows in left
	close(b.done)
}

// lendItem gives the literal of a message section to a request.
func (in *inbound) lendItem(f *fetching, name string, size int64) error {
	resp := &Response{Name: "FETCH", Num: f.num}
	resp.Fields = append(slices.Clone(f.fields), Value{Kind: Atom, Text: name})
	return in.lend(f.request, resp, size)
}
