package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/worker"
)

// Callers that give up at any moment, and a worker that ends at any moment: no
// call hangs or succeeds with a wrong answer, and each life has one exit.
func TestStorm(t *testing.T) {
	const lives = 12
	inAllModes(t, func(t *testing.T, b *bench) {
		b.start("far", "probe", nil, nil)
		c := b.Channel("engine")
		var over atomic.Bool
		var callers worker.Group
		for seed := range uint64(4) {
			callers.Go("caller", func() error {
				random := rand.New(rand.NewPCG(seed, 0))
				for i := int64(0); !over.Load(); i++ {
					if err := stormCall(b, c, i, time.Duration(random.IntN(2000))*time.Microsecond); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for i := range lives {
			b.start("engine", "probe", nil, map[string]string{"next": "far"})
			time.Sleep(time.Duration(i) * time.Millisecond) // more or less, so that calls are in flight
			if i%3 == 0 {
				b.Kill("engine")
			} else {
				ctx, cancel := context.WithTimeout(b.ctx, time.Second)
				_ = b.Host.Stop(ctx, "engine")
				cancel()
			}
			require.Equal(t, "engine", b.exit().Worker)
			require.Eventually(t, func() bool { return len(b.Running()) == 1 }, waitFor, tick)
		}
		over.Store(true)
		require.NoError(t, callers.Wait())
		require.Equal(t, []worker.Exit{{Worker: "far"}}, b.finish())
	})
}

// stormCall makes one call of each kind, and fails when the outcome is neither
// right nor an error that such a life may give.
func stormCall(b *bench, c worker.Channel, i int64, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	fine := func(err error) bool {
		return err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fault.Stopped) ||
			errors.Is(err, fault.NotFound) // before its first life
	}
	v, err := c.Call(ctx, &worker.Call{Op: "echo", Args: i})
	if !fine(err) || err == nil && v != i {
		return errors.Join(errors.New("wrong echo"), err)
	}
	s, err := c.Open(ctx, "forward stream", "copy")
	if err != nil {
		if fine(err) {
			return nil
		}
		return err
	}
	if s.Send(ctx, i) == nil && s.CloseSend() == nil {
		v, err := s.Recv(ctx)
		if !fine(err) || err == nil && v != i {
			return errors.Join(errors.New("wrong item"), err)
		}
	}
	if _, err := s.Wait(); !fine(err) {
		return err
	}
	return nil
}
