package endpoint_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// childArg makes this test binary a child process that runs one worker.
const childArg = "run-a-worker"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		in, out, err := worker.ChildPipes()
		if err == nil {
			err = worker.ServeChild(context.Background(), in, out, func(wire.Value) (worker.Registry, error) {
				return registry(nil), nil
			})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The race detector makes every child wait a second before it exits.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	goleak.VerifyTestMain(m)
}

// registry knows "store", which serves a store of the test, and "relay", which
// serves what it reaches through its channel.
func registry(store driver.Store) worker.Registry {
	return worker.Registry{
		"store": func(worker.Env) (worker.Worker, error) { return endpoint.NewWorker(store), nil },
		"relay": func(env worker.Env) (worker.Worker, error) {
			return endpoint.NewWorker(endpoint.Proxy(env.Channels["store"])), nil
		},
		"forgetful": func(env worker.Env) (worker.Worker, error) {
			return &forgetful{endpoint.Proxy(env.Channels["store"])}, nil
		},
	}
}

// mode is how the workers of a test are run.
type mode struct {
	name    string
	strict  bool
	backend worker.Backend
}

var modes = []mode{
	{"goroutine", false, worker.Goroutine},
	{"inline", false, worker.Inline},
	{"strict", true, worker.Goroutine},
	{"process", false, worker.Process},
}

// border starts a worker that serves the store and one that relays to it, and
// returns a way to the relay: what goes there crosses two borders, of which the
// mode makes at least the outer one.
func border(t testing.TB, m mode, store driver.Store) worker.Channel {
	t.Helper()
	command, err := worker.SelfCommand(childArg)
	require.NoError(t, err)
	h := worker.NewHost(worker.Options{Registry: registry(store), Strict: m.strict, Command: command})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, h.Close(ctx))
	})
	inner := worker.Goroutine
	if m.backend == worker.Inline {
		inner = worker.Inline
	}
	require.NoError(t, h.Start(t.Context(), worker.Spec{Name: "store", Kind: "store", Backend: inner}))
	require.NoError(t, h.Start(t.Context(), worker.Spec{Name: "relay", Kind: "relay", Backend: m.backend,
		Channels: map[string]string{"store": "store"}}))
	return h.Channel("relay")
}

// opened returns the proxy of a store behind a border.
func opened(t testing.TB, m mode, store driver.Store) driver.Store {
	p := endpoint.Proxy(border(t, m, store))
	require.NoError(t, p.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

type kind struct {
	name     string
	opts     memory.Options
	features drivertest.Features
}

var kinds = []kind{
	{"IMAP", memory.Options{Batch: 3, IDs: true, LateIDs: true}, drivertest.Features{LineEnds: mail.CRLF, Delta: true, FolderIDs: true}},
	{"Maildir", memory.Options{Maildir: true}, drivertest.Features{LineEnds: mail.LF, ChosenKeys: true}},
	{"Eager", memory.Options{Eager: true, NoUIDPlus: true},
		drivertest.Features{LineEnds: mail.CRLF, Delta: true, EarlyVisible: true, KeysUntold: true}},
}

// place is a memory store as the conformance suite wants it, seen through wrap.
func place(s *memory.Store, wrap func(t *testing.T) driver.Store) drivertest.Place {
	return drivertest.Place{
		Store: wrap,
		Add: func(_ *testing.T, folder string, m drivertest.Message) {
			s.Add(folder, memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
		},
		SetFlags: func(_ *testing.T, folder string, key mail.Key, flags mail.Flags) { s.SetFlags(folder, key, flags) },
		Remove:   func(_ *testing.T, folder string, key mail.Key) { s.Remove(folder, key) },
		Recreate: func(_ *testing.T, folder string) { s.DropFolder(folder); s.AddFolder(folder) },
	}
}

// A store behind a border is the same store, wherever the border runs.
func TestProxyConforms(t *testing.T) {
	for _, m := range modes {
		for _, k := range kinds {
			if k.name != "IMAP" && m.name+k.name != "goroutineEager" && m.name+k.name != "strictMaildir" {
				continue // one kind of store shows that the mode works
			}
			t.Run(m.name+"/"+k.name, func(t *testing.T) {
				drivertest.Run(t, drivertest.Harness{Features: k.features, New: func(t *testing.T) drivertest.Place {
					s := memory.New(k.opts)
					ch := border(t, m, s)
					return place(s, func(*testing.T) driver.Store { return endpoint.Proxy(ch) })
				}})
			})
		}
	}
}
