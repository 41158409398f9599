package imap

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

const (
	// streamSet is how many messages one command asks for at most.
	streamSet = 200
	// streamAhead is how many messages are asked for at least, as long as there
	// are more: the server never waits for a command.
	streamAhead = 200
)

// stream reads content and gives it to fn while it comes from the socket. Several
// commands are on their way at once.
func (t *transfer) stream(ctx context.Context, s *session, left mail.KeySet) error {
	if _, err := s.enter(ctx, t.box, t.epoch, 0); err != nil {
		return err
	}
	caller := ctx
	ctx, stop := context.WithCancelCause(caller)
	defer stop(nil)
	st := &streaming{transfer: t, ctx: ctx, stop: stop, arrivals: make(chan arrival)}
	var failed error
	err := s.Run(ctx, "fetch", func(client *imapclient.Client) error {
		st.client = client
		failed = st.run(sets(left))
		return failed
	})
	switch {
	case st.cut && caller.Err() != nil:
		return context.Cause(caller)
	case st.cut:
		return t.d.closedErr(st.callback)
	case st.callback != nil:
		return st.callback
	}
	if err != nil && s.refused(ctx, err) {
		t.d.log.Debug("the server refused a part of a fetch", "folder", t.box.name, "error", err)
		err = nil
	}
	return inFolder(err, t.box.name)
}

// sets cuts UIDs into commands.
func sets(keys mail.KeySet) iter.Seq[mail.KeySet] {
	return func(yield func(mail.KeySet) bool) {
		for piece := range pieces(keys, streamSet) {
			for set := range conn.SplitUIDs(piece, conn.MaxSet) {
				if !yield(set) {
					return
				}
			}
		}
	}
}

// streaming is the commands of one stream.
//
// Each command has a goroutine that takes its messages off imapclient: a server
// may send the data of all of them before the first one's end, and imapclient
// reads on only when somebody takes what it has read. The messages are dealt
// with one at a time on the goroutine of Bodies.
type streaming struct {
	*transfer
	ctx      context.Context // of the one call that the streaming is
	client   *imapclient.Client
	stop     context.CancelCauseFunc // closes the connection
	arrivals chan arrival

	callback error // a *callbackError
	cut      bool  // it is about content that ended early
}

// arrival is a message, or the end of a command when message is nil.
type arrival struct {
	message *imapclient.FetchMessageData
	asked   int // by the command
	got     int
	err     error
	dealt   chan struct{} // closed when the message was dealt with
}

// run sends the commands and deals with what arrives. It returns the first
// error of a command.
func (st *streaming) run(sets iter.Seq[mail.KeySet]) error {
	next, end := iter.Pull(sets)
	defer end()
	var commands sync.WaitGroup
	var a arrival
	expected, open, more := 0, 0, true
	defer func() {
		if open > 0 { // fn panicked
			st.stop(errStopped)
			close(a.dealt)
			for open > 0 {
				if a = <-st.arrivals; a.message == nil {
					open--
				} else {
					close(a.dealt)
				}
			}
		}
		commands.Wait()
	}()
	options := &goimap.FetchOptions{
		UID: true, Flags: true, InternalDate: true,
		BodySection: []*goimap.FetchItemBodySection{{Peek: true}},
	}
	var failed error
	for {
		for more && expected < streamAhead && st.callback == nil && failed == nil {
			set, ok := next()
			if more = ok; !ok {
				break
			}
			cmd := st.client.Fetch(imapSet(set), options)
			expected += set.Len()
			open++
			commands.Go(func() { st.take(cmd, set.Len()) })
		}
		if open == 0 {
			return failed
		}
		if a = <-st.arrivals; a.message == nil {
			open--
			expected -= a.asked - a.got
			if failed == nil {
				failed = a.err
			}
			continue
		}
		expected--
		if st.callback == nil {
			st.deal(a.message)
		}
		close(a.dealt)
	}
}

// take takes the messages of one command off imapclient.
func (st *streaming) take(cmd *imapclient.FetchCommand, asked int) {
	got := 0
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		a := arrival{message: m, dealt: make(chan struct{})}
		st.arrivals <- a
		<-a.dealt
		got++
	}
	st.arrivals <- arrival{asked: asked, got: got, err: cmd.Close()}
}

// deal reads a message's items. Content that comes when flags and date are known
// goes to fn at once; content that comes too early waits in a spool.
func (st *streaming) deal(m *imapclient.FetchMessageData) {
	rec := record{}
	var early *spool
	defer func() {
		if early != nil {
			early.close()
		}
	}()
	handed := false
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			rec.uid = uint32(item.UID)
		case imapclient.FetchItemDataFlags:
			rec.flags, rec.have = mailFlags(item.Flags), rec.have|hasFlags
		case imapclient.FetchItemDataInternalDate:
			rec.date, rec.have = item.Time.UTC(), rec.have|hasDate
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil || rec.have&hasBody != 0 {
				continue // NIL; persist asks what this means
			}
			content := &tap{ctx: st.ctx, r: conn.Literal(item.Literal), left: item.Literal.Size()}
			if rec.have|hasBody == bodyItems && rec.uid != 0 {
				handed = st.pass(&rec, item.Literal.Size(), content)
			} else {
				early = newSpool(st.d.opts.TempDir)
				var err error
				if rec.span, err = early.add(content); err == nil {
					rec.have |= hasBody
				} else if !content.cut {
					st.end(err)
				}
			}
			if st.callback != nil {
				st.stop(errStopped) // rather than read on for nobody
			}
			if content.cut || st.callback != nil {
				return // take drops the rest
			}
		}
	}
	if !handed && rec.have == bodyItems && rec.uid != 0 {
		handed = st.pass(&rec, rec.span.size, early.reader(rec.span))
	}
	if handed {
		st.finished(rec.uid)
	}
}

// pass gives a message to fn and reports whether all of it was there. One that
// was cut has failed: fn is not given the same message twice.
func (st *streaming) pass(rec *record, size int64, r io.Reader) bool {
	err := st.hand(st.ctx, rec, size, r)
	content, streamed := r.(*tap)
	if err == nil && streamed {
		_, _ = io.Copy(io.Discard, content) // an error shows in cut
	}
	if !streamed || !content.cut || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		st.callback = err
		return err == nil
	}
	cut := (&fault.Error{Code: fault.Network, Op: "fetch", Folder: st.box.name, Key: string(mail.UIDKey(rec.uid)),
		Message: "the connection dropped in the middle of the message", Err: io.ErrUnexpectedEOF}).AsTemporary()
	if err != nil {
		cut.Err = errors.Unwrap(err) // what fn made of it
		st.cut = true
		st.end(cut)
		return false
	}
	st.transfer.fail(mail.UIDKey(rec.uid), cut)
	return false
}

// end ends Bodies.
func (st *streaming) end(err error) { st.callback = &callbackError{err} }

// tap notes when a literal ends early, and ends when its context does.
type tap struct {
	ctx  context.Context
	r    io.Reader
	left int64
	cut  bool
}

func (t *tap) Read(p []byte) (int, error) {
	if err := context.Cause(t.ctx); err != nil {
		return 0, err
	}
	n, err := t.r.Read(p)
	t.left -= int64(n)
	if err != nil && t.left > 0 {
		t.cut, err = true, io.ErrUnexpectedEOF
	}
	return n, err
}
