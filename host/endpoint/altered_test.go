package endpoint_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// tamperer changes content on its way through a channel.
type tamperer struct {
	worker.Channel
	change func(piece []byte) wire.Value
}

func (tamperer) Local() bool { return false }

func (c tamperer) Open(ctx context.Context, op string, args wire.Value) (worker.Session, error) {
	s, err := c.Channel.Open(ctx, op, args)
	return tampered{s, c.change}, err
}

type tampered struct {
	worker.Session
	change func([]byte) wire.Value
}

func (s tampered) touch(v wire.Value) wire.Value {
	if piece, ok := v.([]byte); ok {
		return s.change(piece)
	}
	return v
}

func (s tampered) Send(ctx context.Context, v wire.Value) error {
	return s.Session.Send(ctx, s.touch(v))
}

func (s tampered) Recv(ctx context.Context) (wire.Value, error) {
	v, err := s.Session.Recv(ctx)
	return s.touch(v), err
}

// exact reads what was announced and not a byte more, as a driver may.
type exact struct{ driver.Store }

func (e exact) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, b mail.Body) (driver.Delivery, error) {
	b.Reader = io.LimitReader(b.Reader, b.Size)
	return e.Store.Deliver(ctx, ref, m, b)
}

// Content that was altered or cut on the way is refused, also by a target that
// does not wait for the end.
func TestAlteredContentIsRefused(t *testing.T) {
	flip := func(p []byte) wire.Value {
		p = append([]byte{}, p...)
		p[len(p)-1] ^= 1
		return p
	}
	for name, change := range map[string]func([]byte) wire.Value{
		"altered":   flip,
		"shorter":   func(p []byte) wire.Value { return p[:len(p)-1] },
		"longer":    func(p []byte) wire.Value { return append(append([]byte{}, p[:len(p)/2]...), p...) }, // also than allowed
		"empty":     func([]byte) wire.Value { return []byte{} },
		"no piece":  func([]byte) wire.Value { return wire.Map{"length": int64(0), "digest": []byte{}} },
		"no digest": func([]byte) wire.Value { return wire.Map{} },
		"rubbish":   func([]byte) wire.Value { return "text" },
	} {
		t.Run(name, func(t *testing.T) {
			s := memory.New(memory.Options{})
			clean := border(t, mode{strict: true}, exact{s})
			p := endpoint.Proxy(tamperer{clean, change})
			require.NoError(t, p.Open(t.Context()))
			defer p.Close()
			for _, size := range []int{10, 64 << 10, 200_000} {
				content := string(text(1, size).Body)
				_, err := p.Deliver(t.Context(), inbox, mail.Meta{}, body(content))
				require.Error(t, err)
				require.Empty(t, bodies(s, mail.Inbox))
			}
			key := s.Add(mail.Inbox, text(1, 200_000))
			seen := 0
			_ = p.Bodies(t.Context(), inbox, mail.NewKeySet(key), func(_ mail.Meta, b mail.Body) error {
				seen++
				n, err := io.Copy(io.Discard, io.LimitReader(b, b.Size))
				require.Error(t, err)
				require.Less(t, n, b.Size, "the last piece is not handed out")
				return nil
			})
			require.LessOrEqual(t, seen, 1)
		})
	}
}

// More content than was announced is refused also where nothing of it was read.
func TestUnannouncedContentIsRefused(t *testing.T) {
	s := memory.New(memory.Options{Eager: true})
	p := opened(t, mode{strict: true}, exact{s})
	_, err := p.Deliver(t.Context(), inbox, mail.Meta{}, mail.Body{Reader: strings.NewReader("more"), LineEnds: mail.LF})
	require.Error(t, err)
	require.Empty(t, bodies(s, mail.Inbox))
}

// deaf is a channel that loses the rest of a stream after so many items.
type deaf struct {
	worker.Channel
	after int
}

func (deaf) Local() bool { return false }

func (c deaf) Open(ctx context.Context, op string, args wire.Value) (worker.Session, error) {
	s, err := c.Channel.Open(ctx, op, args)
	return &deafened{s, c.after}, err
}

type deafened struct {
	worker.Session
	left int
}

func (s *deafened) Recv(ctx context.Context) (wire.Value, error) {
	v, err := s.Session.Recv(ctx)
	if s.left--; s.left < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return v, err
}

// What was cut short never looks complete: messages would look removed.
func TestCutStreams(t *testing.T) {
	s := memory.New(memory.Options{Batch: 2})
	keys := fill(s, mail.Inbox, 6, 10)
	clean := border(t, mode{strict: true}, s)
	for after := range 3 {
		p := endpoint.Proxy(deaf{clean, after})
		require.NoError(t, p.Open(t.Context()))
		_, err := p.Changes(t.Context(), inbox, "", func([]mail.Meta) error { return nil })
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, p.Describe(t.Context(), inbox, keys, mail.WantHeader, func([]mail.Description) error { return nil }), io.ErrUnexpectedEOF)
		require.ErrorIs(t, p.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error { return nil }), io.ErrUnexpectedEOF)
		require.NoError(t, p.Close())
	}
}
