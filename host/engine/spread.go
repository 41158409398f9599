package engine

import (
	"bytes"
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

const (
	// spreaders is how many messages are delivered at a time to a store that
	// takes them in any order, while the next are being read.
	spreaders = 3
	// spreadSize is the most octets of a message that is read ahead. A larger one
	// goes from its source to its target without detour. So a batch needs no more
	// than twice spreaders of it.
	spreadSize = 256 << 10
)

// ahead is a message that was read ahead.
type ahead struct {
	in   *state.Intent
	n    int
	meta mail.Meta
	body mail.Body
	text *bytes.Buffer
}

// spread reads the messages of a batch and delivers them, several at a time: while
// files are made, the source goes on.
func (c *copier) spread(ctx context.Context, b *batch) error {
	group, gctx := errgroup.WithContext(ctx)
	work := make(chan ahead, spreaders)
	for range spreaders {
		guarded(group, "deliver", func() error {
			for one := range work {
				one.body.Reader = bytes.NewReader(one.text.Bytes())
				// Not gctx: what was read is delivered, also when another fails meanwhile.
				err := c.deliverTaken(ctx, b, one.in, one.n, one.meta, one.body, nil)
				c.spare.Put(one.text)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := func() error {
		defer close(work) // also when a source panics
		return c.e.store(c.from).Bodies(ctx, c.fp.refs[c.from], b.keys, func(m mail.Meta, body mail.Body) error {
			in, n := b.take(m.Key)
			if in == nil {
				return nil
			}
			if body.Size < 0 || body.Size > spreadSize {
				return c.deliverTaken(gctx, b, in, n, m, body, nil)
			}
			text, _ := c.spare.Get().(*bytes.Buffer)
			if text == nil {
				text = new(bytes.Buffer)
			}
			text.Reset()
			if _, err := io.Copy(text, body.Reader); err != nil {
				return err
			}
			select {
			case work <- ahead{in, n, m, body, text}:
				return nil
			case <-gctx.Done():
				return context.Cause(gctx)
			}
		})
	}()
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}
