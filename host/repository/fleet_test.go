package repository_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
)

// counted is a store that knows how many calls run in it.
type counted struct {
	driver.Store
	n    int
	gate chan struct{} // Changes waits for it, when set

	mu      *sync.Mutex
	running map[string]int // "n" of calls now
	served  map[string][]int
}

func (c *counted) Open(context.Context) error { return nil }

func (c *counted) Close() error { return nil }

func (c *counted) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	c.mu.Lock()
	c.running[fmt.Sprint(c.n)]++
	c.served[ref.Name] = append(c.served[ref.Name], c.n)
	n := c.running[fmt.Sprint(c.n)]
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.running[fmt.Sprint(c.n)]--
		c.mu.Unlock()
	}()
	if n > 1 {
		return mail.Result{}, errors.New("two readers at once")
	}
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return mail.Result{}, context.Cause(ctx)
		}
	}
	return mail.Result{}, nil
}

type fleet struct {
	mu      sync.Mutex
	running map[string]int
	served  map[string][]int
	made    int
	fail    func(n int) error
	gate    chan struct{}
}

func (f *fleet) make(_ context.Context, n int) (driver.Store, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == nil {
		f.running, f.served = map[string]int{}, map[string][]int{}
	}
	f.made++
	if f.fail != nil {
		if err := f.fail(n); err != nil {
			return nil, err
		}
	}
	return &counted{Store: memory.New(memory.Options{}), n: n, gate: f.gate, mu: &f.mu, running: f.running, served: f.served}, nil
}

func (f *fleet) wait(t *testing.T, running int) {
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		sum := 0
		for _, n := range f.running {
			sum += n
		}
		return sum == running
	}, 5*time.Second, time.Millisecond)
}
