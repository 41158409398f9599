package worker_test

import (
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func (b *bench) open(c worker.Channel, op string, args wire.Value) worker.Session {
	b.t.Helper()
	s, err := c.Open(b.ctx, op, args)
	require.NoError(b.t, err)
	return s
}

func TestStreamBothWays(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		s := b.open(b.probe(), "copy", nil)
		metas := []mail.Meta{{Key: mail.UIDKey(1), Size: 5}, {Key: "x", Hidden: true}}
		for _, item := range []wire.Value{"a", metas, wire.List{int64(1)}, nil} {
			require.NoError(t, s.Send(b.ctx, item))
			got, err := s.Recv(b.ctx)
			require.NoError(t, err)
			require.Equal(t, item, got)
		}
		require.NoError(t, s.CloseSend())
		_, err := s.Recv(b.ctx)
		require.Equal(t, io.EOF, err)
		_, err = s.Wait()
		require.NoError(t, err)
		require.ErrorIs(t, s.Send(b.ctx, "too late"), fault.Stopped)
	})
}

// 50 MB arrive as they were sent, in either direction and through another
// worker, whatever processes they cross.
func TestStreamOfMuchContent(t *testing.T) {
	const size = 50_000_000
	upload := func(t *testing.T, b *bench, s worker.Session) {
		random, hash := rand.New(rand.NewPCG(1, 2)), sha256.New()
		for left := size; left > 0; {
			piece := make([]byte, min(left, worker.MaxChunk))
			for i := 0; i < len(piece); i += 512 {
				piece[i] = byte(random.Uint32())
			}
			hash.Write(piece)
			left -= len(piece)
			require.NoError(t, s.Send(b.ctx, piece))
		}
		require.NoError(t, s.CloseSend())
		got, err := s.Wait()
		require.NoError(t, err)
		require.Equal(t, wire.Map{"size": int64(size), "digest": string(hash.Sum(nil))}, got)
	}
	inAllModes(t, func(t *testing.T, b *bench) {
		far := b.probe()
		engine := b.start("engine", "probe", nil, map[string]string{"next": "probe"})
		t.Run("to", func(t *testing.T) { upload(t, b, b.open(far, "consume", nil)) })
		t.Run("through", func(t *testing.T) { upload(t, b, b.open(engine, "forward stream", "consume")) })
		t.Run("from", func(t *testing.T) {
			const items = size / worker.MaxChunk
			s := b.open(far, "produce", int64(items))
			for i := range items {
				item, err := s.Recv(b.ctx)
				require.NoError(t, err)
				require.Len(t, item, worker.MaxChunk)
				require.Equal(t, byte(i), item.([]byte)[worker.MaxChunk-1])
			}
			_, err := s.Recv(b.ctx)
			require.Equal(t, io.EOF, err)
			got, err := s.Wait()
			require.NoError(t, err)
			require.Equal(t, "produced", got)
		})
	})
}

// A reader that does not read keeps the sender from going on: what is on its
// way is bounded, whatever the sender has.
func TestSlowReaderHoldsTheSender(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		s, err := c.Open(ctx, "produce", int64(10_000))
		require.NoError(t, err)
		sent := func() int { return int(b.must(c, "sent", nil).(int64)) }
		for read := range 3 {
			require.Eventually(t, func() bool { return sent() >= read+3 }, waitFor, tick)
			for range 50 { // as many turns as it may take to go too far
				require.LessOrEqual(t, sent(), read+4)
			}
			_, err := s.Recv(ctx)
			require.NoError(t, err)
		}
		cancel()
		_, err = s.Wait()
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestSlowWorkerHoldsTheSender(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.probe()
		s := b.open(c, "hold", nil)
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		sent := 0
		for ; sent < 100; sent++ {
			if sent == 3 { // until here there is room
				b.await("held")
				cancel()
			}
			if s.Send(ctx, make([]byte, worker.MaxChunk)) != nil {
				break
			}
		}
		require.LessOrEqual(t, sent, 4)
		b.must(c, "release", nil)
		got, err := s.Wait()
		require.NoError(t, err)
		require.Equal(t, "released", got)
	})
}

func TestAnItemLargerThanTheWindowTravelsAlone(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		s := b.open(b.probe(), "copy", nil)
		large := wire.List{}
		for range 40 {
			large = append(large, make([]byte, worker.MaxChunk))
		}
		for range 3 {
			require.NoError(t, s.Send(b.ctx, "small"))
			require.NoError(t, s.Send(b.ctx, large))
			_, err := s.Recv(b.ctx)
			require.NoError(t, err)
			got, err := s.Recv(b.ctx)
			require.NoError(t, err)
			require.Len(t, got, 40)
		}
		require.NoError(t, s.CloseSend())
		_, err := s.Wait()
		require.NoError(t, err)
	})
}

func TestItemsAreChecked(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		s := b.open(b.probe(), "copy", nil)
		require.ErrorContains(t, s.Send(b.ctx, wire.Map{"fn": func() {}}), "item.fn: a func() cannot cross a channel")
		require.ErrorIs(t, s.Send(b.ctx, make([]byte, worker.MaxChunk+1)), fault.Internal)
		require.NoError(t, s.Send(b.ctx, "good"))
		require.NoError(t, s.CloseSend())
		_, err := s.Wait()
		require.NoError(t, err)
		got, err := s.Recv(b.ctx)
		require.NoError(t, err)
		require.Equal(t, "good", got, "what was sent before the reply can be read after it")
	})
}

// What was cut short never looks complete.
func TestAFailedHandlerEndsNoStreamWell(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		s := b.open(b.probe(), "produce and fail", nil)
		got, err := s.Recv(b.ctx)
		require.NoError(t, err)
		require.Equal(t, "one", got)
		_, err = s.Recv(b.ctx)
		require.ErrorIs(t, err, fault.Network)
		_, err = s.Wait()
		require.ErrorIs(t, err, fault.Network)
	})
}

func TestAHandlerMayReturnEarly(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		s := b.open(b.probe(), "consume one", nil)
		require.NoError(t, s.Send(b.ctx, "first"))
		got, err := s.Wait()
		require.NoError(t, err)
		require.Equal(t, "first", got)
		require.ErrorIs(t, s.Send(b.ctx, "more"), fault.Stopped)
		_, err = s.Recv(b.ctx)
		require.Equal(t, io.EOF, err)
	})
}

func TestCancelEndsAStream(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		b.probe()
		c := b.start("engine", "probe", nil, map[string]string{"next": "probe"})
		ctx, cancel := context.WithCancel(b.ctx)
		s, err := c.Open(ctx, "forward stream", "copy")
		require.NoError(t, err)
		require.NoError(t, s.Send(ctx, "x"))
		_, err = s.Recv(ctx)
		require.NoError(t, err)
		cancel()
		_, err = s.Recv(b.ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, s.Send(b.ctx, "y"), context.Canceled)
		_, err = s.Wait()
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "still there", b.must(c, "echo", "still there"))
	})
}
