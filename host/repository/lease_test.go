package repository_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/repository"
	"github.com/imapfw/imapfw/host/worker"
)

var inbox = mail.Ref{Name: mail.Inbox}

// waits reports that a reservation is not granted before release was called,
// and is after.
func waits(t *testing.T, s driver.Store, ref mail.Ref, release func()) {
	t.Helper()
	got := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	short, stop := context.WithCancel(t.Context())
	probe := make(chan error, 1)
	go func() {
		_, err := s.Reserve(short, ref, 1)
		probe <- err
	}()
	stop()
	require.ErrorIs(t, <-probe, context.Canceled, "somebody else has the folder")
	go func() {
		_, err := s.Reserve(ctx, ref, 1)
		got <- err
	}()
	release()
	require.NoError(t, <-got)
	_, err := s.Commit(t.Context(), ref, nil)
	require.NoError(t, err)
}

func TestLease(t *testing.T) {
	for _, strict := range []bool{false, true} {
		s := server(t, memory.Options{})
		s.AddFolder("other")
		s.AddFolder("INBOX/third")
		ch := start(t, worker.Options{Strict: strict}, 2, s)
		a, b := proxy(t, ch), proxy(t, ch)
		deliver := func(s driver.Store) driver.Delivery {
			d, err := s.Deliver(t.Context(), inbox, mail.Meta{}, content(1))
			require.NoError(t, err)
			return d
		}
		reserve := func(s driver.Store, n int) {
			_, err := s.Reserve(t.Context(), inbox, n)
			require.NoError(t, err)
		}
		commit := func(s driver.Store, ds ...driver.Delivery) {
			_, err := s.Commit(t.Context(), inbox, ds)
			require.NoError(t, err)
		}

		reserve(a, 2)
		reserve(a, 2) // the same caller may
		_, err := b.Reserve(t.Context(), mail.Ref{Name: "other"}, 1)
		require.NoError(t, err, "another folder is free")
		d := deliver(a)
		waits(t, b, inbox, func() { commit(a, d) })

		reserve(a, 1)
		waits(t, b, inbox, func() { commit(a) }) // given back

		reserve(a, 2)
		d, e := deliver(a), deliver(a)
		d.Abort()
		waits(t, b, inbox, e.Abort)

		// All that a reservation was for was aborted, while the caller has
		// something else under way.
		reserve(a, 1)
		_, err = a.Reserve(t.Context(), mail.Ref{Name: "INBOX/third"}, 1)
		require.NoError(t, err)
		d = deliver(a)
		waits(t, b, inbox, d.Abort)
		_, err = a.Commit(t.Context(), mail.Ref{Name: "INBOX/third"}, nil)
		require.NoError(t, err)

		// While a batch is committed the next one may be under way.
		reserve(a, 3)
		d, e = deliver(a), deliver(a)
		commit(a, d)
		waits(t, b, inbox, func() { commit(a, e) })

		// The caller goes away.
		c := endpoint.Proxy(ch)
		require.NoError(t, c.Open(t.Context()))
		reserve(c, 5)
		deliver(c)
		waits(t, b, inbox, func() { require.NoError(t, c.Close()) })

		_, err = a.Reserve(t.Context(), mail.Ref{Name: "no such folder"}, 1)
		require.ErrorIs(t, err, fault.NotFound)
		_, err = b.Reserve(t.Context(), mail.Ref{Name: "no such folder"}, 1)
		require.ErrorIs(t, err, fault.NotFound, "what failed holds no lease")
		require.Equal(t, 3, count(t, s, mail.Inbox), "committed ones, and no others")
	}
}

// A folder is renamed or removed while nobody delivers to it, or below it; those
// who come meanwhile wait.
func TestFoldersStandStillToBeRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		gate := memory.NewGate(memory.OpRenameFolder, 1)
		s.SetHook(gate.Hook)
		for _, name := range []string{"A", "A/x", "AA", "Gone"} {
			s.AddFolder(name)
		}
		ch := start(t, worker.Options{}, 8, s)
		r, somebody := proxy(t, ch), proxy(t, ch)
		renamer, _ := driver.As[driver.FolderRenamer](r)
		remover, _ := driver.As[driver.FolderRemover](r)

		// Somebody delivers below it.
		below := mail.Ref{Name: "A/x"}
		_, err := somebody.Reserve(t.Context(), below, 1)
		require.NoError(t, err)
		theirs, _ := driver.As[driver.FolderRenamer](somebody)
		require.ErrorIs(t, theirs.RenameFolder(t.Context(), "A", "B"), fault.Busy, "not by himself")

		var renamed, removed, reserved error
		done := make(chan string, 4)
		go func() { renamed = renamer.RenameFolder(t.Context(), "A", "B"); done <- "renamed" }()
		synctest.Wait()
		require.Contains(t, s.Snapshot(), "A/x", "it waits")
		_, err = somebody.Reserve(t.Context(), mail.Ref{Name: "A"}, 1)
		require.NoError(t, err, "who has begun is not kept from going on")
		for _, name := range []string{"A/x", "A"} {
			_, err = somebody.Commit(t.Context(), mail.Ref{Name: name}, nil)
			require.NoError(t, err)
		}
		<-gate.Reached()
		go func() { _, reserved = r.Reserve(t.Context(), mail.Ref{Name: "A"}, 1); done <- "reserved" }()
		go func() { removed = remover.RemoveFolder(t.Context(), "B"); done <- "removed" }()
		_, err = r.Reserve(t.Context(), mail.Ref{Name: "AA"}, 1)
		require.NoError(t, err, "another folder is free")
		require.NoError(t, remover.RemoveFolder(t.Context(), "Gone"))
		synctest.Wait()
		require.Empty(t, done)
		gate.Open()
		for range 3 {
			<-done
		}
		require.NoError(t, renamed)
		require.NoError(t, removed)
		require.ErrorIs(t, reserved, fault.NotFound)
	})
}

// Many callers deliver to few folders: nothing is lost, nobody is stuck, and no
// two batches of one folder overlap.
func TestLeasesKeepBatchesApart(t *testing.T) {
	s := server(t, memory.Options{Eager: true})
	s.AddFolder("other")
	ch := start(t, worker.Options{}, 3, s)
	var wg sync.WaitGroup
	for i := range 6 {
		ref := []mail.Ref{inbox, {Name: "other"}}[i%2]
		wg.Go(func() {
			p := proxy(t, ch)
			for range 20 {
				r, err := p.Reserve(t.Context(), ref, 3)
				require.NoError(t, err)
				var ds []driver.Delivery
				for n := range 3 {
					d, err := p.Deliver(t.Context(), ref, mail.Meta{}, content(n))
					require.NoError(t, err)
					ds = append(ds, d)
				}
				placed, err := p.Commit(t.Context(), ref, ds)
				require.NoError(t, err)
				first, _ := r.Next.UID()
				for n, one := range placed {
					require.Equal(t, mail.UIDKey(first+uint32(n)), one.Key, "somebody else delivered in between")
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 180, count(t, s, mail.Inbox))
	require.Equal(t, 180, count(t, s, "other"))
}

// connection is a connection that knows its own deliveries from others'.
type connection struct {
	shared
	gates map[string]chan struct{} // by folder: Deliver waits there
}

type own struct {
	driver.Delivery
	by *connection
}

func (c *connection) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, b mail.Body) (driver.Delivery, error) {
	if gate := c.gates[ref.Name]; gate != nil {
		<-gate
	}
	d, err := c.Store.Deliver(ctx, ref, m, b)
	return own{d, c}, err
}

func (c *connection) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	var inner []driver.Delivery
	for _, d := range ds {
		if d.(own).by != c {
			return nil, errors.New("a delivery of another connection")
		}
		inner = append(inner, d.(own).Delivery)
	}
	return c.Store.Commit(ctx, ref, inner)
}

// Deliveries of one batch that run at once go to one endpoint, which commits
// them all.
func TestOneEndpointForABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		s.AddFolder("A")
		s.AddFolder("B")
		gates := map[string]chan struct{}{"A": make(chan struct{}), "B": make(chan struct{}), mail.Inbox: make(chan struct{})}
		r := repository.New(func(context.Context, int) (driver.Store, error) { return &connection{shared{s}, gates}, nil },
			repository.Options{Endpoints: 2})
		require.NoError(t, r.Open(t.Context()))
		defer r.Close()
		var wg sync.WaitGroup
		deliver := func(ref mail.Ref, into *driver.Delivery) {
			wg.Go(func() {
				d, err := r.Deliver(t.Context(), ref, mail.Meta{}, content(1))
				require.NoError(t, err)
				*into = d
			})
			synctest.Wait()
		}
		var a, b driver.Delivery
		ds := make([]driver.Delivery, 2)
		deliver(mail.Ref{Name: "A"}, &a) // both endpoints are busy
		deliver(mail.Ref{Name: "B"}, &b)
		deliver(inbox, &ds[0])
		deliver(inbox, &ds[1])
		for _, gate := range []string{"A", "B", mail.Inbox} {
			close(gates[gate])
			synctest.Wait()
		}
		wg.Wait()
		placed, err := r.Commit(t.Context(), inbox, ds)
		require.NoError(t, err)
		require.Len(t, placed, 2)
	})
}

// Two engines copy in opposite directions, with one endpoint on each side.
func TestOppositeCopies(t *testing.T) {
	one, two := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	var there, back mail.KeySet
	for i := range 60 {
		there.Add(one.Add("A", message(i, 200_000)))
		back.Add(two.Add("B", message(i, 200_000)))
	}
	one.AddFolder("B")
	two.AddFolder("A")
	a, b := start(t, worker.Options{}, 1, one), start(t, worker.Options{}, 1, two)
	var wg sync.WaitGroup
	for _, dir := range []struct {
		from, to worker.Channel
		folder   string
		keys     mail.KeySet
	}{{a, b, "A", there}, {b, a, "B", back}} {
		wg.Go(func() {
			ref := mail.Ref{Name: dir.folder}
			from, to := proxy(t, dir.from), proxy(t, dir.to)
			for keys := range dir.keys.Chunks(7) {
				var ds []driver.Delivery
				err := from.Bodies(t.Context(), ref, keys, func(m mail.Meta, b mail.Body) error {
					d, err := to.Deliver(t.Context(), ref, mail.Meta{Flags: m.Flags, Date: m.Date}, b)
					ds = append(ds, d)
					return err
				})
				require.NoError(t, err)
				placed, err := to.Commit(t.Context(), ref, ds)
				require.NoError(t, err)
				require.Len(t, placed, keys.Len())
			}
		})
	}
	wg.Wait()
	require.Equal(t, 60, count(t, one, "B"))
	require.Equal(t, 60, count(t, two, "A"))
}
