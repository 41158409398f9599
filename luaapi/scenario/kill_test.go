package scenario_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
)

// TestKilledScenarios tells scenarios once more, over stores in memory, and kills
// a run at a random moment before each that is told of: it must end the same. The
// moments are the same ones each time, unless the test is to be thorough.
func TestKilledScenarios(t *testing.T) {
	paths, err := files()
	require.NoError(t, err)
	rounds, first := 1, uint64(1)
	if os.Getenv("IMAPFW_TEST_FULL") != "" {
		rounds, first = 50, uint64(time.Now().UnixNano())
	}
	if s := os.Getenv("IMAPFW_TEST_SEED"); s != "" {
		first, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	for _, path := range paths {
		f, err := readFile(path)
		require.NoError(t, err)
		if f.skip("memory") != "" || f.setting("not killed") != "" {
			continue
		}
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			for round := range uint64(rounds) {
				f, err := readFile(path)
				require.NoError(t, err)
				w := newWorld(t, f, "memory", nil)
				w.kills = rand.New(rand.NewPCG(first+round, 0))
				err = w.play()
				require.NoError(t, err, "again with IMAPFW_TEST_SEED=%d\n%s", first+round, strings.Join(w.history, ""))
			}
		})
	}
}

// tryKilled kills a run before the one that a scenario tells of.
func (w *world) tryKilled() error {
	if w.kills == nil || w.once.job != engine.JobSync {
		return nil
	}
	w.kill = 1 + w.kills.IntN(60)
	_, err := w.run(false)
	w.kill = 0
	return err
}

// killer ends a run at the nth thing that it does to either side: nothing that it
// does afterwards has any effect.
type killer struct {
	mu     sync.Mutex
	left   int
	cancel context.CancelFunc
}

func (k *killer) hook(context.Context, memory.Call) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left > 0 {
		k.left--
		return nil
	}
	k.cancel()
	return context.Canceled
}

// cutAt makes the killer stand beside both sides, which only stores in memory let
// it do; what it returns sends it away.
func (w *world) cutAt(n int, cancel context.CancelFunc) (mend func()) {
	var stores []*memory.Store
	for _, s := range []side{w.far, w.near} {
		if m, ok := s.(*memorySide); ok && n > 0 {
			stores = append(stores, m.store)
		}
	}
	k := &killer{left: n, cancel: cancel}
	for _, s := range stores {
		s.SetHook(k.hook)
	}
	return func() {
		for _, s := range stores {
			s.SetHook(nil)
		}
	}
}
