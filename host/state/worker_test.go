package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/statetest"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// workerArg makes this test binary a child process that runs one worker.
const workerArg = "run-a-worker"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case commitArg:
			commitUntilKilled(os.Args[2:])
		case workerArg:
			runWorker()
		}
	}
	// The race detector makes every child wait a second before it exits.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	goleak.VerifyTestMain(m)
}

func runWorker() {
	in, out, err := worker.ChildPipes()
	if err == nil {
		err = worker.ServeChild(context.Background(), in, out, func(wire.Value) (worker.Registry, error) {
			return worker.Registry{state.Kind: state.Factory}, nil
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// mode is how the worker of a test is run.
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

func newHost(t testing.TB, strict bool, registry worker.Registry) *worker.Host {
	t.Helper()
	command, err := worker.SelfCommand(workerArg)
	require.NoError(t, err)
	h := worker.NewHost(worker.Options{Registry: registry, Strict: strict, Command: command})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, h.Close(ctx))
	})
	return h
}

// A state behind a border is the same state, wherever the border runs. What is
// behind it does not matter to the border: only a child process, which can be
// given nothing but parameters, has a database.
func TestProxyConforms(t *testing.T) {
	registry := worker.Registry{state.Kind: func(worker.Env) (worker.Worker, error) {
		return state.NewWorker(state.NewMemory()), nil
	}}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			statetest.Run(t, func(t testing.TB) state.Store {
				h := newHost(t, m.strict, registry)
				require.NoError(t, h.Start(t.Context(), worker.Spec{
					Name: "state", Kind: state.Kind, Backend: m.backend, Params: state.Params(options(t.TempDir()), false),
				}))
				return state.Proxy(h.Channel("state"))
			})
		})
	}
}

func TestWorkerOfASecondInstance(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	fill(t, db, "INBOX", 0, 10)
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			h := newHost(t, m.strict, worker.Registry{state.Kind: state.Factory})
			spec := worker.Spec{Name: "state", Kind: state.Kind, Backend: m.backend, Params: state.Params(opts, false)}
			e := requireCode(t, fault.Busy, h.Start(t.Context(), spec))
			require.True(t, e.Temporary)
			require.NotEmpty(t, e.Hint, "the hint crosses the border")

			spec.Name, spec.Params = "dry run", state.Params(opts, true)
			require.NoError(t, h.Start(t.Context(), spec))
			s := state.Proxy(h.Channel("dry run"))
			require.Equal(t, 10, count(t, s, "INBOX"))
			requireNoWriting(t, s)
		})
	}
}

func TestWorkerParams(t *testing.T) {
	for name, params := range map[string]wire.Map{
		"none": nil, "a wrong type": {"dir": int64(7)}, "no side": {"dir": "x", "file": "", "account": "a", "read_only": true},
	} {
		_, err := state.Factory(worker.Env{Spec: worker.Spec{Name: "state", Params: params}})
		require.True(t, errors.Is(err, fault.Config), name)
	}
	want := options("/somewhere")
	got, readOnly, err := state.ParseParams(state.Params(want, true))
	require.NoError(t, err)
	require.True(t, readOnly)
	require.Equal(t, want, got)
}
