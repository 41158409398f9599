package endpoint_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// A caller that goes away takes with it what it has begun, and nothing else.
func TestCallerGoesAway(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := memory.New(memory.Options{Eager: true})
			ch := border(t, m, s)
			stays, goes := endpoint.Proxy(ch), endpoint.Proxy(ch)
			require.NoError(t, stays.Open(t.Context()))
			require.NoError(t, goes.Open(t.Context()))
			kept := deliver(t, stays, inbox, "Subject: kept\n\n")
			lost := deliver(t, goes, inbox, "Subject: a\n\n", "Subject: b\n\n", "Subject: committed\n\n")
			_, err := goes.Commit(t.Context(), inbox, lost[2:])
			require.NoError(t, err)
			lost[0].Abort()
			require.NoError(t, goes.Close())
			require.Equal(t, []string{"Subject: kept\n\n", "Subject: committed\n\n"}, bodies(s, mail.Inbox))
			lost[1].Abort() // too late, and no harm
			_, err = goes.Commit(t.Context(), inbox, nil)
			require.ErrorIs(t, err, fault.Stopped)

			placed, err := stays.Commit(t.Context(), inbox, kept)
			require.NoError(t, err)
			require.NoError(t, placed[0].Err)
			require.NoError(t, stays.Close())
		})
	}
}

// forgetful is a worker that delivers, and never commits.
type forgetful struct{ store driver.Store }

func (f *forgetful) Start(ctx context.Context) error { return f.store.Open(ctx) }

func (f *forgetful) Stop(context.Context) error { return f.store.Close() }

func (f *forgetful) Handle(ctx context.Context, _ *worker.Call) (wire.Value, error) {
	if _, err := f.store.Reserve(ctx, inbox, 2); err != nil {
		return nil, err
	}
	_, err := f.store.Deliver(ctx, inbox, mail.Meta{}, body("Subject: x\n\n"))
	return nil, err
}

// A caller in another process that is killed does not say good-bye.
func TestCallerIsKilled(t *testing.T) {
	for _, backend := range []worker.Backend{worker.Process, worker.Goroutine} {
		t.Run(string(backend), func(t *testing.T) {
			s := memory.New(memory.Options{Eager: true})
			command, err := worker.SelfCommand(childArg)
			require.NoError(t, err)
			h := worker.NewHost(worker.Options{Registry: registry(s), Command: command})
			defer func() { _ = h.Close(context.Background()) }() // the killed one's error
			require.NoError(t, h.Start(t.Context(), worker.Spec{Name: "store", Kind: "store"}))
			require.NoError(t, h.Start(t.Context(), worker.Spec{Name: "w", Kind: "forgetful", Backend: backend,
				Channels: map[string]string{"store": "store"}}))
			_, err = h.Channel("w").Call(t.Context(), &worker.Call{Op: "go"})
			require.NoError(t, err)
			require.Len(t, bodies(s, mail.Inbox), 1)
			h.Kill("w")
			require.Eventually(t, func() bool { return len(bodies(s, mail.Inbox)) == 0 }, 10*time.Second, time.Millisecond)
		})
	}
}
