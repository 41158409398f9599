package endpoint

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// The limits of a batch where CopyOptions leaves them at zero.
const (
	DefaultBatchMessages = 1000
	DefaultBatchBytes    = 16 << 20
	DefaultBatchAge      = 200 * time.Millisecond
)

// CopyOptions is everything about a Copy that is not which messages go where.
// The zero value copies without any record of it.
//
// The hooks make a copy safe against crashes. Begin is called after the store
// has reserved room for a batch and before the first byte is sent: the caller
// makes an intent durable for each key. End is called after the store has made
// the batch durable: the caller records, in one transaction, what it was told
// and that the intents of the batch are settled. Both run on the goroutine that
// the source calls back on, one at a time.
type CopyOptions struct {
	// Begin is told the keys that the batch may hold, in order, and what the
	// target said about them. An error ends the copy before anything is sent.
	Begin func(ctx context.Context, r mail.Reservation, keys []mail.Key) error
	// End is told what became of a batch. An error ends the copy.
	End func(ctx context.Context, b CopyBatch) error
	// Meta returns flags and date as the target is to have them. Nil delivers
	// those of the source.
	Meta func(m mail.Meta) mail.Meta
	// Tap returns a writer that sees the content of a message once, from its
	// first byte on, as the source keeps it. Its errors fail the message.
	Tap func(m mail.Meta, ends mail.LineEnds) io.Writer
	// Progress is told the octets of each piece that went by, and 1 message
	// with the last one.
	Progress func(messages int, octets int64)
	// Budget bounds the bytes in flight over all copies that share it. Nil is
	// no bound.
	Budget *Budget
	// Soft ends the copy early when it is done: the message on its way is left,
	// what was delivered is committed under the context of Copy.
	Soft context.Context
	// A batch ends at the first of these. The age grows with the time that
	// commits take, so that they never are a large part of the whole.
	BatchMessages int
	BatchBytes    int64
	BatchAge      time.Duration
}

// Copied is one message that was delivered and committed, or refused.
type Copied struct {
	Source mail.Key
	Meta   mail.Meta // as it was delivered; Key is the reserved one, if any
	Size   int64     // octets, as the source keeps it
	Placed mail.Placed
}

// CopyBatch is what became of the keys that one Begin was told.
type CopyBatch struct {
	Reservation mail.Reservation
	Keys        []mail.Key // as given to Begin
	// Copied has an entry for each message that was committed. One with
	// Placed.Err was refused and is not there.
	Copied []Copied
	// Doubtful are keys whose delivery was cut short in a way that leaves open
	// whether the target has them: their intents must stay. Every other key of
	// the batch that is not in Copied was not delivered, and may be named again
	// by the next Begin.
	Doubtful []mail.Key
}

// CopyReport is what a Copy did, also when it returns an error.
type CopyReport struct {
	Copied int
	Octets int64
	// Failed are messages that could not be copied, with the reason.
	Failed map[mail.Key]error
	// Gone are keys that the source no longer had.
	Gone mail.KeySet
}

// Copy streams messages from one folder into another, in the order of their
// keys, and commits them in batches. The failure of one message is kept in the
// report and the rest goes on; the error is that of the whole. When ctx ends,
// what was not committed is aborted; see CopyOptions.Soft for the gentle way.
//
// from and to may be the same Store only if it can deliver while it reads.
func Copy(ctx context.Context, from driver.Reader, at mail.Ref, keys mail.KeySet,
	to driver.Writer, into mail.Ref, o CopyOptions) (CopyReport, error) {
	c := newCopier(ctx, to, into, keys, o)
	defer c.stop()
	if keys.Empty() {
		return c.report, nil
	}
	read, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Soft != nil {
		defer context.AfterFunc(o.Soft, cancel)()
	}
	err := from.Bodies(read, at, keys, c.one)
	if c.fatal != nil {
		err = c.fatal
	}
	if ctx.Err() != nil {
		c.abort()
		return c.report, context.Cause(ctx)
	}
	if end := c.end(); end != nil && c.fatal == nil {
		err = end
	}
	if partial, ok := driver.AsPartial(err); ok {
		for k, why := range partial.Failed {
			c.fail(k, why)
		}
		err = nil
	}
	switch {
	case c.fatal != nil:
	case err != nil && o.Soft != nil && o.Soft.Err() != nil:
		err = &fault.Error{Code: fault.Stopped, Op: "copy into", Folder: into.Name, Err: context.Cause(o.Soft)}
	case err == nil:
		c.noteGone()
	}
	return c.report, err
}

// ends reports whether the failure of one delivery concerns every other one
// too, so that going on is pointless or unsafe.
func ends(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch fault.CodeOf(err) {
	case fault.Refused, fault.Exists, fault.Unsupported, fault.BadName, fault.Partial, fault.Script:
		return false
	}
	return true
}
