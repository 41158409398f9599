package drivertest

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

func testContextBefore(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, text(1))
	set := mail.NewKeySet(keys...)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	for name, call := range map[string]func() error{
		"Folders": func() error { _, err := e.store.Folders(ctx); return err },
		"Changes": func() error {
			_, err := e.store.Changes(ctx, ref, "", func([]mail.Meta) error { return nil })
			return err
		},
		"Describe": func() error {
			return e.store.Describe(ctx, ref, set, mail.WantHeader, func([]mail.Description) error { return nil })
		},
		"Bodies":  func() error { return e.store.Bodies(ctx, ref, set, func(mail.Meta, mail.Body) error { return nil }) },
		"Reserve": func() error { _, err := e.store.Reserve(ctx, ref, 1); return err },
		"Deliver": func() error {
			_, err := e.store.Deliver(ctx, ref, mail.Meta{}, bodyOf(text(2).Body, mail.LF))
			return err
		},
		"Change": func() error {
			_, err := e.store.Change(ctx, ref, []mail.Change{{Key: keys[0], Op: mail.ChangeRemove}})
			return err
		},
	} {
		soon(t, name, func() { require.ErrorIs(t, call(), context.Canceled, name) })
	}
	require.Equal(t, subjects(1), e.subjects(t, ref), "nothing happened, and the store goes on working")
}

func testContextInBody(t *testing.T, e *env) {
	ref := e.create(t, "F")
	big := text(1)
	big.Body = append(big.Body, pattern(3<<20)...)
	keys := e.add(t, ref, big, text(2))
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	soon(t, "Bodies", func() {
		n := 0
		err := e.store.Bodies(ctx, ref, mail.NewKeySet(keys...), func(_ mail.Meta, b mail.Body) error {
			n++
			if _, err := io.CopyN(io.Discard, b, 10); err != nil {
				return err
			}
			cancel()
			_, err := io.Copy(io.Discard, b)
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, n)
	})
	require.Len(t, e.read(t, ref), 2)
}

// testContextInDelivery ends the context while a message is being delivered,
// and between Deliver and Commit.
func testContextInDelivery(t *testing.T, e *env) {
	ref := e.create(t, "F")
	content := append(text(1).Body, pattern(3<<20)...)
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	soon(t, "Deliver", func() {
		r := &cancelling{r: bytes.NewReader(content), at: 1 << 20, cancel: cancel}
		_, err := e.store.Deliver(ctx, ref, mail.Meta{}, mail.Body{Reader: r, Size: int64(len(content)), LineEnds: mail.LF})
		require.ErrorIs(t, err, context.Canceled)
	})
	require.Empty(t, e.subjects(t, ref), "a message that was cut is not there")

	if !e.h.EarlyVisible {
		ctx, cancel = context.WithCancel(e.ctx)
		d, err := e.store.Deliver(ctx, ref, mail.Meta{}, bodyOf(text(2).Body, mail.LF))
		require.NoError(t, err)
		cancel()
		_, err = e.store.Commit(ctx, ref, []driver.Delivery{d})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, e.subjects(t, ref))
	}
	e.add(t, ref, text(3))
	require.Equal(t, subjects(3), e.subjects(t, ref), "the store goes on working")
}

// cancelling ends a context when so much was read of it.
type cancelling struct {
	r      io.Reader
	at     int
	cancel context.CancelFunc
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 64<<10)])
	if c.at -= n; c.at < 0 {
		c.cancel()
	}
	return n, err
}
