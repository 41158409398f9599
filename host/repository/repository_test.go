package repository_test

import (
	"context"
	"fmt"
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

func (s shared) Close() error { return nil }

func (s shared) Unwrap() driver.Store { return s.Store }

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
	// Of two, one at a time is tried; of more, as many callers as wait try one each.
	r := open(t, repository.New(f.make, repository.Options{Endpoints: 2}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := r.Changes(t.Context(), mail.Ref{Name: "F"}, "", none)
			require.NoError(t, err)
		})
	}
	f.wait(t, 1)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.made == 2
	}, 5*time.Second, time.Millisecond, "while somebody waits, another endpoint is tried")
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
