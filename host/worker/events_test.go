package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestEvents(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		c := b.start("probe", "probe", wire.Map{"concurrency": int64(1)}, nil)
		b.must(c, "emit", int64(100))
		require.NoError(t, b.Host.Stop(b.ctx, "probe"))
		b.exit() // everything it emitted was delivered before
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Equal(t, worker.Event{Worker: "probe", Name: "progress", Data: "at once"}, b.events[0])
		for i := range 100 {
			require.Equal(t, worker.Event{Worker: "probe", Name: "told", Data: int64(i)}, b.events[i+1])
		}
		require.Equal(t, "probe stopped", b.events[101].Data)
		require.Len(t, b.events, 102)
	})
}

// A listener that calls the worker it hears from cannot block it.
func TestAListenerMayCall(t *testing.T) {
	inAllModes(t, func(t *testing.T, b *bench) {
		answers := make(chan wire.Value, 10)
		b = newBench(t, b.mode, func(o *worker.Options) {
			o.OnEvent = func(e worker.Event) {
				if e.Name == "told" && e.Data == int64(0) {
					v, _ := b.call(b.Channel("probe"), "echo", "from the listener")
					answers <- v
				}
			}
		})
		b.must(b.start("probe", "probe", wire.Map{"concurrency": int64(1)}, nil), "emit", int64(1))
		require.Equal(t, "from the listener", <-answers)
	})
}
