package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/repository"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shared is one more connection to a server that is open already.
type shared struct{ driver.Store }

func (s shared) Open(context.Context) error { return nil }
func (s shared) Close() error               { return nil }
func (s shared) Unwrap() driver.Store       { return s.Store }

func server(t testing.TB, opts memory.Options) *memory.Store {
	s := memory.New(opts)
	require.NoError(t, s.Open(context.Background()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// start runs a repository of n endpoints as a worker.
func start(t testing.TB, opt worker.Options, n int, store driver.Store) worker.Channel {
	b := endpoint.Builders{Drivers: map[string]endpoint.DriverBuilder{
		"memory": func(worker.Env, wire.Map) (driver.Store, error) { return shared{store}, nil },
	}}
	opt.Registry = worker.Registry{repository.Kind: repository.Factory(b), endpoint.Kind: endpoint.Factory(b)}
	h := worker.NewHost(opt)
	t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
	params := repository.Params{Endpoint: endpoint.Params{Driver: "memory"}, Endpoints: n, Ranges: n}
	require.NoError(t, h.Start(t.Context(), worker.Spec{Name: "far", Kind: repository.Kind, Params: params.Map()}))
	return h.Channel("far")
}

func proxy(t testing.TB, ch worker.Channel) driver.Store {
	p := endpoint.Proxy(ch)
	require.NoError(t, p.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// A repository of several endpoints is a store like any other.
func TestConformance(t *testing.T) {
	for name, one := range map[string]struct {
		opts     memory.Options
		strict   bool
		features drivertest.Features
	}{
		"IMAP":    {memory.Options{}, false, drivertest.Features{LineEnds: mail.CRLF, Delta: true}},
		"Maildir": {memory.Options{Maildir: true}, true, drivertest.Features{LineEnds: mail.LF, ChosenKeys: true}},
	} {
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, drivertest.Harness{Features: one.features, New: func(t *testing.T) drivertest.Place {
				s := server(t, one.opts)
				ch := start(t, worker.Options{Strict: one.strict}, 3, s)
				return drivertest.Place{
					Store: func(*testing.T) driver.Store { return endpoint.Proxy(ch) },
					Add: func(_ *testing.T, folder string, m drivertest.Message) {
						s.Add(folder, memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
					},
					SetFlags: func(_ *testing.T, folder string, key mail.Key, flags mail.Flags) { s.SetFlags(folder, key, flags) },
					Remove:   func(_ *testing.T, folder string, key mail.Key) { s.Remove(folder, key) },
					Recreate: func(_ *testing.T, folder string) { s.DropFolder(folder); s.AddFolder(folder) },
				}
			}})
		})
	}
}

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
func (c *counted) Close() error               { return nil }

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

func open(t testing.TB, r *repository.Repository) *repository.Repository {
	require.NoError(t, r.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func none([]mail.Meta) error { return nil }

func TestSpreads(t *testing.T) {
	f := &fleet{gate: make(chan struct{})}
	r := open(t, repository.New(f.make, repository.Options{Endpoints: 3}))
	require.Equal(t, 1, f.made, "endpoints are made when they are needed")

	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			_, err := r.Changes(t.Context(), mail.Ref{Name: fmt.Sprint("folder ", i)}, "", none)
			require.NoError(t, err)
		})
	}
	f.wait(t, 3)
	require.Equal(t, 3, f.made, "never more than allowed")
	close(f.gate)
	wg.Wait()

	// A folder stays with the endpoint that had it last.
	for range 3 {
		for i := range 5 {
			_, err := r.Changes(t.Context(), mail.Ref{Name: fmt.Sprint("folder ", i)}, "", none)
			require.NoError(t, err)
		}
	}
	for folder, by := range f.served {
		for _, n := range by {
			require.Equal(t, by[0], n, "%s was served by %v", folder, by)
		}
	}
}

func TestOneEndpointTooFew(t *testing.T) {
	f := &fleet{gate: make(chan struct{}), fail: func(n int) error {
		if n > 1 {
			return fault.New(fault.Refused, "connect", "too many connections")
		}
		return nil
	}}
	r := open(t, repository.New(f.make, repository.Options{Endpoints: 3}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := r.Changes(t.Context(), mail.Ref{Name: "F"}, "", none)
			require.NoError(t, err)
		})
	}
	f.wait(t, 1)
	close(f.gate)
	wg.Wait()
	require.Equal(t, 2, f.made, "it is not tried again at once")
}

func TestNoEndpoint(t *testing.T) {
	f := &fleet{fail: func(int) error { return fault.New(fault.Auth, "sign in", "no") }}
	r := repository.New(f.make, repository.Options{})
	require.ErrorIs(t, r.Open(t.Context()), fault.Auth)
	_, err := r.Folders(t.Context())
	require.ErrorIs(t, err, fault.Stopped)
	require.NoError(t, r.Close())
}

func TestWaitersHonourTheirContext(t *testing.T) {
	f := &fleet{gate: make(chan struct{})}
	r := open(t, repository.New(f.make, repository.Options{}))
	first := make(chan error, 1)
	go func() {
		_, err := r.Changes(t.Context(), mail.Ref{Name: "F"}, "", none)
		first <- err
	}()
	f.wait(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		_, err := r.Changes(ctx, mail.Ref{Name: "G"}, "", none)
		second <- err
	}()
	cancel()
	require.ErrorIs(t, <-second, context.Canceled)

	// Writing does not wait for reading. The stores within were never opened,
	// but they are asked.
	ref := mail.Ref{Name: "INBOX"}
	_, err := r.Reserve(t.Context(), ref, 1)
	require.ErrorContains(t, err, "the store is not open")
	_, err = r.Change(t.Context(), ref, nil)
	require.ErrorContains(t, err, "the store is not open")

	require.NoError(t, r.Close(), "Close ends what is under way")
	require.ErrorIs(t, <-first, fault.Stopped)
}

func message(n, size int) memory.Message {
	return memory.Message{Body: fmt.Appendf(nil, "Subject: %d\r\n\r\n%s\r\n", n, strings.Repeat("x", size))}
}

func content(n int) mail.Body {
	b := fmt.Appendf(nil, "Subject: new %d\r\n\r\nbody\r\n", n)
	return mail.Body{Reader: bytes.NewReader(b), Size: int64(len(b)), LineEnds: mail.CRLF}
}

// Content that several endpoints read together arrives as from one.
func TestRanges(t *testing.T) {
	s := server(t, memory.Options{})
	var keys mail.KeySet
	for i := range 700 {
		keys.Add(s.Add("F", message(i, i*37%3000)))
	}
	big := s.Add("F", message(700, 5<<20))
	keys.Add(big)
	gone := []mail.Key{}
	i := 0
	for k := range keys.All() {
		if i++; i%50 == 0 && k != big {
			gone = append(gone, k)
		}
	}
	s.Remove("F", gone...)
	refused := mail.UIDKey(333)
	s.SetHook(memory.FailKey(memory.OpBody, refused, fault.New(fault.Refused, "fetch", "cannot read it")))

	r := open(t, repository.New(func(context.Context, int) (driver.Store, error) { return shared{s}, nil },
		repository.Options{Endpoints: 3, Ranges: 3}))
	// The endpoints are there once they were needed.
	var wg sync.WaitGroup
	for _, f := range []string{"A", "B", "C"} {
		s.AddFolder(f)
		wg.Go(func() {
			_, err := r.Changes(t.Context(), mail.Ref{Name: f}, "", none)
			require.NoError(t, err)
		})
	}
	wg.Wait()

	type seen struct {
		meta mail.Meta
		body string
	}
	all := func(store driver.Store) (out []seen, err error) {
		err = store.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(m mail.Meta, b mail.Body) error {
			if m.Key == mail.UIDKey(100) {
				out = append(out, seen{m, "not read"})
				return nil
			}
			content, err := io.ReadAll(b)
			require.NoError(t, err)
			require.EqualValues(t, b.Size, len(content))
			out = append(out, seen{m, string(content)})
			return nil
		})
		return out, err
	}
	want, wantErr := all(s)
	got, gotErr := all(r)
	require.Equal(t, want, got)
	p, ok := driver.AsPartial(gotErr)
	require.True(t, ok)
	require.Equal(t, wantErr.(*driver.Partial).Failed, p.Failed)

	// An error of the callback ends it all, at once.
	boom := errors.New("boom")
	n := 0
	err := r.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error {
		if n++; n == 200 {
			return boom
		}
		return nil
	})
	require.ErrorIs(t, err, boom)
	require.Equal(t, 200, n)

	// So does a failure of the store.
	s.SetHook(memory.Fail(memory.OpBody, 0, fault.New(fault.Network, "fetch", "dropped")))
	require.ErrorIs(t, r.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error { return nil }), fault.Network)

	ctx, cancel := context.WithCancel(t.Context())
	s.SetHook(nil)
	err = r.Bodies(ctx, mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
}

// count returns the number of messages of a folder.
func count(t testing.TB, s *memory.Store, folder string) int {
	list, err := s.Folders(t.Context())
	require.NoError(t, err)
	for _, f := range list {
		if f.Name == folder {
			return f.Count
		}
	}
	return -1
}
