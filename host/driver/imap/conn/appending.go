package conn

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Messages are messages as APPEND carries them, in memory. The zero value holds
// none. They belong to one goroutine at a time.
type Messages struct {
	text []byte
	ends []int // of each message in text
}

// dateTime is how APPEND writes a date (RFC 9051 section 9, date-time).
const dateTime = `"_2-Jan-2006 15:04:05 -0700"`

// Add puts one more message behind the others, in CRLF form; without a date where
// that is zero.
func (m *Messages) Add(flags mail.Flags, date time.Time, body []byte) error {
	names := flags.Strings()
	for _, name := range names {
		if !validFlag(name) {
			return fault.New(fault.Unsupported, opAppend, "%q cannot be a flag in IMAP", name)
		}
	}
	m.text = append(m.text, ' ')
	if len(names) > 0 {
		m.text = append(append(append(m.text, '('), strings.Join(names, " ")...), ") "...)
	}
	if !date.IsZero() {
		m.text = append(date.AppendFormat(m.text, dateTime), ' ')
	}
	m.text = append(m.text, '{')
	m.text = strconv.AppendInt(m.text, int64(len(body)), 10)
	m.text = append(append(m.text, "+}\r\n"...), body...)
	m.ends = append(m.ends, len(m.text))
	return nil
}

// Len is how many messages there are.
func (m *Messages) Len() int { return len(m.ends) }

// Size is about how many octets they are on the wire.
func (m *Messages) Size() int { return len(m.text) }

// Reset drops the messages and keeps the memory.
func (m *Messages) Reset() { m.text, m.ends = m.text[:0], m.ends[:0] }

// One is one of the messages, in the same memory.
func (m *Messages) One(i int) *Messages {
	begin := 0
	if i > 0 {
		begin = m.ends[i-1]
	}
	text := m.text[begin:m.ends[i]:m.ends[i]]
	return &Messages{text: text, ends: []int{len(text)}}
}

// Without returns those of the messages that are not to be left out.
func (m *Messages) Without(leftOut func(i int) bool) *Messages {
	kept := new(Messages)
	for i := range m.ends {
		if !leftOut(i) {
			kept.text = append(kept.text, m.One(i).text...)
			kept.ends = append(kept.ends, len(kept.text))
		}
	}
	return kept
}

// Appending is an APPEND that was sent, on its way to be answered.
type Appending struct {
	conn    *Conn
	request *request
	folder  string
	sent    time.Time

	mu    sync.Mutex // guards what follows
	reply *Reply
}

// AppendsSeveral reports whether Append takes more than one message. UIDPLUS
// belongs to it: without the UIDs nobody knows what became of which.
func (c *Conn) AppendsSeveral() bool {
	return c.Has(imap.CapMultiAppend) && c.Has(imap.CapLiteralPlus) && c.Has(imap.CapUIDPlus)
}

// Append sends messages to the folder of cmd, which begins with "APPEND", all of
// them as one (RFC 3502): the server takes all or none. It does not wait for the
// answer. It is for servers that need not be asked before a literal (LITERAL+, RFC
// 7888). When ctx ends meanwhile the connection is closed. After an error nobody
// knows what has arrived.
func (c *Conn) Append(ctx context.Context, cmd *Command, messages *Messages) (*Appending, error) {
	switch n := messages.Len(); {
	case n == 0:
		return nil, fault.New(fault.Internal, opAppend, "there is nothing to send").InFolder(cmd.folder)
	case !c.out.enc.literalPlus, n > 1 && !c.AppendsSeveral():
		return nil, fault.New(fault.Network, opAppend, "this connection cannot do what another one could").AsTemporary().InFolder(cmd.folder)
	}
	stop, err := c.begin(ctx)
	if err != nil {
		return nil, c.failed(ctx, opAppend, cmd.folder, err)
	}
	defer stop()
	if cmd.err != nil {
		return nil, cmd.err
	}
	a := &Appending{conn: c, request: newRequest(c.tags.Add(1), nil), folder: cmd.folder}
	if err := c.sendMessages(a.request, cmd, messages); err != nil {
		return nil, c.failed(ctx, opAppend, cmd.folder, err)
	}
	a.sent = time.Now()
	return a, nil
}

func (c *Conn) sendMessages(r *request, cmd *Command, messages *Messages) error {
	if err := c.out.enter(); err != nil {
		return err
	}
	defer c.out.leave()
	c.traffic.addRequest(r)
	line := cmd.encode(r.tag, c.out.enc)[0].data // with LITERAL+ there is one chunk
	line = line[:len(line)-len("\r\n")]
	c.out.trace.line(true, fmt.Appendf(nil, "%s (%d messages, %d octets)", line, messages.Len(), messages.Size()))
	if err := c.out.send(line); err != nil {
		return err
	}
	if err := c.out.send(messages.text); err != nil {
		return err
	}
	return c.out.send([]byte("\r\n"))
}

// Ready reports whether Wait would return at once.
func (a *Appending) Ready() bool {
	if !a.mu.TryLock() {
		return false // somebody waits
	}
	defer a.mu.Unlock()
	return a.reply != nil || len(a.request.events) > 0 || a.conn.life.err() != nil
}

// Times returns when the messages had been sent, and when the answer came; zero
// while it has not.
func (a *Appending) Times() (sent, answered time.Time) {
	t := a.conn.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	return a.sent, a.request.ended
}

// Wait returns the answer; NO and BAD are errors, as Fault maps them. When ctx
// ends meanwhile the connection is closed. It may be called more than once, and
// by several.
func (a *Appending) Wait(ctx context.Context) (Reply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reply == nil {
		stop, err := a.conn.begin(ctx)
		switch {
		case err == nil:
			defer stop()
		case ctx.Err() != nil:
			return Reply{}, a.conn.failed(ctx, opAppend, a.folder, err)
		}
		// An answer that came before the connection ended counts.
		if ev, ok := a.conn.next(a.request); ok {
			a.reply = ev.reply
		} else {
			return Reply{}, a.conn.failed(ctx, opAppend, a.folder, a.conn.life.err())
		}
	}
	return *a.reply, a.conn.fault(opAppend, a.folder, a.reply.err())
}
