package imap_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
)

func TestTwoStoresThatReadEachOther(t *testing.T) {
	// Each copies into the other, with one connection each: whoever waits for
	// the other's connection must not hold its own.
	var stores [2]*imap.Driver
	for i := range stores {
		s := memory(t, imaptest.Options{})
		require.NoError(t, s.Account("").CreateFolder("Copy"))
		fill(t, s.Account(""), 40)
		opts := options(s.Addr(), "user", "secret")
		opts.Connections = 1
		stores[i] = open(t, opts)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("they wait for each other"))
	defer cancel()
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range stores {
		both.Go(func() {
			from, to := stores[i], stores[1-i]
			errs[i] = from.Bodies(ctx, inbox, uids(1, 40), func(m mail.Meta, b mail.Body) error {
				dl, err := to.Deliver(ctx, mail.Ref{Name: "Copy"}, m, b)
				if err != nil {
					return err
				}
				_, err = to.Commit(ctx, mail.Ref{Name: "Copy"}, []driver.Delivery{dl})
				return err
			})
		})
	}
	both.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestAServerThatTakesFewConnections(t *testing.T) {
	var signedIn atomic.Int64
	p := &imaptest.Proxy{Client: func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(rest, "AUTHENTICATE") && signedIn.Add(1) > 1 {
			return tag + " NO [LIMIT] too many connections"
		}
		return ""
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 100)
	d := open(t, options(p.Addr(), "user", "secret"))
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			errs[i] = d.Bodies(t.Context(), inbox, uids(1, 100), func(_ mail.Meta, b mail.Body) error {
				_, err := io.Copy(io.Discard, b)
				return err
			})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...), "one connection is enough for everything")
}

func TestAPanicOfTheReaderLeavesNothingBehind(t *testing.T) {
	for _, connections := range []int{1, 3} {
		s := memory(t, imaptest.Options{})
		fill(t, s.Account(""), 500)
		opts := options(s.Addr(), "user", "secret")
		opts.Connections = connections
		d := open(t, opts)
		require.PanicsWithValue(t, "oops", func() {
			_ = d.Bodies(t.Context(), inbox, uids(1, 500), func(m mail.Meta, b mail.Body) error {
				if m.Key == mail.UIDKey(100) {
					panic("oops")
				}
				return nil
			})
		})
		got, err := bodies(t, d, uids(1, 500))
		require.NoError(t, err)
		require.Len(t, got, 500)
	}
}

func TestManyFoldersAtOnce(t *testing.T) {
	// More readers than connections: those beyond spool.
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 100)
	opts := options(s.Addr(), "user", "secret")
	opts.Connections = 2
	d := open(t, opts)
	var all sync.WaitGroup
	var read atomic.Int64
	for range 6 {
		all.Go(func() {
			_ = d.Bodies(t.Context(), inbox, uids(1, 100), func(_ mail.Meta, b mail.Body) error {
				read.Add(1)
				_, err := io.Copy(io.Discard, b)
				return err
			})
		})
	}
	all.Wait()
	require.EqualValues(t, 600, read.Load())
}
