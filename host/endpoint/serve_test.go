package endpoint_test

import (
	"context"
	"errors"
	"io"
	"strings"
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

// bare is a store without optional abilities.
type bare struct{ driver.Store }

func TestAbilitiesAreTrue(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			p := opened(t, m, memory.New(memory.Options{}))
			_, make := driver.As[driver.FolderMaker](p)
			_, remove := driver.As[driver.FolderRemover](p)
			_, stamp := driver.As[driver.Stamper](p)
			require.Equal(t, []bool{true, true, true}, []bool{make, remove, stamp})

			p = opened(t, m, bare{memory.New(memory.Options{})})
			_, make = driver.As[driver.FolderMaker](p)
			_, remove = driver.As[driver.FolderRemover](p)
			_, stamp = driver.As[driver.Stamper](p)
			require.Equal(t, []bool{false, false, false}, []bool{make, remove, stamp})
			if m.backend == worker.Process {
				return // what the child knows it has asked once
			}
			closed := endpoint.Proxy(border(t, m, memory.New(memory.Options{})))
			_, make = driver.As[driver.FolderMaker](closed)
			require.False(t, make, "nothing is known before Open")
		})
	}
}

func TestFaultsSurviveTheBorder(t *testing.T) {
	want := &fault.Error{Code: fault.Quota, Op: "append", Folder: "INBOX", Message: "over quota", Hint: "delete some", Temporary: true, Err: io.ErrUnexpectedEOF}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := memory.New(memory.Options{})
			p := opened(t, m, s)
			keys := list(fill(s, mail.Inbox, 5, 10))
			check := func(err error) {
				t.Helper()
				var got *fault.Error
				require.ErrorAs(t, err, &got)
				require.Equal(t, *want, *got)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.True(t, fault.IsTemporary(err))
			}
			s.SetHook(memory.Fail(memory.OpChanges, 0, want))
			_, err := p.Changes(t.Context(), inbox, "", nil)
			check(err)

			// Single messages that fail are told one by one.
			s.SetHook(memory.Chain(memory.FailKey(memory.OpBody, keys[1], want), memory.FailKey(memory.OpBody, keys[3], want)))
			n := 0
			err = p.Bodies(t.Context(), inbox, mail.NewKeySet(keys...), func(mail.Meta, mail.Body) error { n++; return nil })
			partial, ok := driver.AsPartial(err)
			require.True(t, ok)
			require.Equal(t, 3, n)
			require.Len(t, partial.Failed, 2)
			check(partial.Failed[keys[1]])
			check(partial.Failed[keys[3]])

			s.SetHook(memory.FailKey(memory.OpApply, keys[0], want))
			out, err := p.Change(t.Context(), inbox, []mail.Change{{Key: keys[0], Op: mail.ChangeRemove}, {Key: keys[1], Op: mail.ChangeRemove}})
			require.NoError(t, err)
			check(out[0].Err)
			require.NoError(t, out[1].Err)

			s.SetHook(memory.Fail(memory.OpStore, 2, want))
			ds := deliver(t, p, inbox, "Subject: a\n\n", "Subject: b\n\n")
			s.SetHook(memory.Fail(memory.OpPlace, 2, want))
			placed, err := p.Commit(t.Context(), inbox, ds)
			require.NoError(t, err)
			require.NoError(t, placed[0].Err)
			require.Error(t, placed[1].Err)
		})
	}
}

// What the callee's callback returns comes back as it is, from any border.
func TestCallbackErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := memory.New(memory.Options{Batch: 2})
			p := opened(t, m, s)
			keys := fill(s, mail.Inbox, 9, 300_000)
			_, err := p.Changes(t.Context(), inbox, "", func([]mail.Meta) error { return boom })
			require.Same(t, boom, err)
			require.Same(t, boom, p.Describe(t.Context(), inbox, keys, mail.WantHeader, func([]mail.Description) error { return boom }))
			n := 0
			require.Same(t, boom, p.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error {
				if n++; n == 3 {
					return boom
				}
				return nil
			}))
			require.Equal(t, 3, n)
		})
	}
}

// tamperer changes content on its way through a channel.
type tamperer struct {
	worker.Channel
	change func(piece []byte) wire.Value
}

func (tamperer) Local() bool { return false }

func (c tamperer) Open(ctx context.Context, op string, args wire.Value) (worker.Session, error) {
	s, err := c.Channel.Open(ctx, op, args)
	return tampered{s, c.change}, err
}

type tampered struct {
	worker.Session
	change func([]byte) wire.Value
}

func (s tampered) touch(v wire.Value) wire.Value {
	if piece, ok := v.([]byte); ok {
		return s.change(piece)
	}
	return v
}

func (s tampered) Send(ctx context.Context, v wire.Value) error {
	return s.Session.Send(ctx, s.touch(v))
}

func (s tampered) Recv(ctx context.Context) (wire.Value, error) {
	v, err := s.Session.Recv(ctx)
	return s.touch(v), err
}

// exact reads what was announced and not a byte more, as a driver may.
type exact struct{ driver.Store }

func (e exact) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, b mail.Body) (driver.Delivery, error) {
	b.Reader = io.LimitReader(b.Reader, b.Size)
	return e.Store.Deliver(ctx, ref, m, b)
}

// Content that was altered or cut on the way is refused, also by a target that
// does not wait for the end.
func TestAlteredContentIsRefused(t *testing.T) {
	flip := func(p []byte) wire.Value {
		p = append([]byte{}, p...)
		p[len(p)-1] ^= 1
		return p
	}
	for name, change := range map[string]func([]byte) wire.Value{
		"altered":   flip,
		"shorter":   func(p []byte) wire.Value { return p[:len(p)-1] },
		"longer":    func(p []byte) wire.Value { return append(append([]byte{}, p[:len(p)/2]...), p...) }, // also than allowed
		"empty":     func([]byte) wire.Value { return []byte{} },
		"no piece":  func([]byte) wire.Value { return wire.Map{"length": int64(0), "digest": []byte{}} },
		"no digest": func([]byte) wire.Value { return wire.Map{} },
		"rubbish":   func([]byte) wire.Value { return "text" },
	} {
		t.Run(name, func(t *testing.T) {
			s := memory.New(memory.Options{})
			clean := border(t, mode{strict: true}, exact{s})
			p := endpoint.Proxy(tamperer{clean, change})
			require.NoError(t, p.Open(t.Context()))
			defer p.Close()
			for _, size := range []int{10, 64 << 10, 200_000} {
				content := string(text(1, size).Body)
				_, err := p.Deliver(t.Context(), inbox, mail.Meta{}, body(content))
				require.Error(t, err)
				require.Empty(t, bodies(s, mail.Inbox))
			}
			key := s.Add(mail.Inbox, text(1, 200_000))
			seen := 0
			_ = p.Bodies(t.Context(), inbox, mail.NewKeySet(key), func(_ mail.Meta, b mail.Body) error {
				seen++
				n, err := io.Copy(io.Discard, io.LimitReader(b, b.Size))
				require.Error(t, err)
				require.Less(t, n, b.Size, "the last piece is not handed out")
				return nil
			})
			require.LessOrEqual(t, seen, 1)
		})
	}
}

// More content than was announced is refused also where nothing of it was read.
func TestUnannouncedContentIsRefused(t *testing.T) {
	s := memory.New(memory.Options{Eager: true})
	p := opened(t, mode{strict: true}, exact{s})
	_, err := p.Deliver(t.Context(), inbox, mail.Meta{}, mail.Body{Reader: strings.NewReader("more"), LineEnds: mail.LF})
	require.Error(t, err)
	require.Empty(t, bodies(s, mail.Inbox))
}

// deaf is a channel that loses the rest of a stream after so many items.
type deaf struct {
	worker.Channel
	after int
}

func (deaf) Local() bool { return false }

func (c deaf) Open(ctx context.Context, op string, args wire.Value) (worker.Session, error) {
	s, err := c.Channel.Open(ctx, op, args)
	return &deafened{s, c.after}, err
}

type deafened struct {
	worker.Session
	left int
}

func (s *deafened) Recv(ctx context.Context) (wire.Value, error) {
	v, err := s.Session.Recv(ctx)
	if s.left--; s.left < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return v, err
}

// What was cut short never looks complete: messages would look removed.
func TestCutStreams(t *testing.T) {
	s := memory.New(memory.Options{Batch: 2})
	keys := fill(s, mail.Inbox, 6, 10)
	clean := border(t, mode{strict: true}, s)
	for after := range 3 {
		p := endpoint.Proxy(deaf{clean, after})
		require.NoError(t, p.Open(t.Context()))
		_, err := p.Changes(t.Context(), inbox, "", func([]mail.Meta) error { return nil })
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, p.Describe(t.Context(), inbox, keys, mail.WantHeader, func([]mail.Description) error { return nil }), io.ErrUnexpectedEOF)
		require.ErrorIs(t, p.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error { return nil }), io.ErrUnexpectedEOF)
		require.NoError(t, p.Close())
	}
}

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
func (f *forgetful) Stop(context.Context) error      { return f.store.Close() }

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

// Key sets and lists of any size cross a border.
func TestLargeSets(t *testing.T) {
	s := memory.New(memory.Options{Maildir: true})
	p := opened(t, mode{strict: true}, s)
	var keys mail.KeySet
	for i := range 35_000 {
		m := memory.Message{Body: []byte("\n")}
		if i%1000 == 0 {
			m = text(i, 10)
		}
		keys.Add(s.Add(mail.Inbox, m))
	}
	n := 0
	res, err := p.Changes(t.Context(), inbox, "", func(some []mail.Meta) error { n += len(some); return nil })
	require.NoError(t, err)
	require.Equal(t, 35_000, n)
	require.Equal(t, keys, res.Present)
	n = 0
	require.NoError(t, p.Describe(t.Context(), inbox, keys, mail.WantSize, func(ds []mail.Description) error { n += len(ds); return nil }))
	require.Equal(t, 35_000, n)
	var cs []mail.Change
	for k := range keys.All() {
		cs = append(cs, mail.Change{Key: k, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)})
	}
	out, err := p.Change(t.Context(), inbox, cs)
	require.NoError(t, err)
	require.Len(t, out, 35_000)
	require.Equal(t, cs[34_999].Key, out[34_999].Key)
}

// Whatever another process sends, serving it does not end in a panic.
func FuzzServe(f *testing.F) {
	ops := []string{"abilities", "folders", "changes", "describe", "bodies", "hold", "reserve", "deliver", "commit", "abort", "change",
		"create_folder", "subscribe", "remove_folder", "stamp", "set_stamp", "unknown"}
	add := func(op byte, args wire.Map, items ...wire.Value) {
		a, err := wire.Encode(args)
		require.NoError(f, err)
		b, err := wire.Encode(wire.List(items))
		require.NoError(f, err)
		f.Add(op, a, b)
	}
	add(2, wire.Map{"folder": "INBOX", "since": ""})
	add(3, wire.Map{"folder": "INBOX", "keys": mail.NewKeySet(mail.UIDKey(1)), "want": int64(7)})
	add(7, wire.Map{"folder": "INBOX", "caller": int64(1), "metas": []mail.Meta{{}}, "size": int64(2)}, []byte("ab"), wire.Map{"length": int64(2)})
	add(10, wire.Map{"folder": "INBOX", "changes": wire.List{wire.Map{"key": "x", "op": int64(1)}}})
	s := memory.New(memory.Options{})
	require.NoError(f, s.Open(context.Background()))
	fill(s, mail.Inbox, 3, 10)
	f.Fuzz(func(t *testing.T, op byte, args, items []byte) {
		a, err := wire.Decode(args)
		if err != nil {
			return
		}
		b, err := wire.Decode(items)
		if err != nil {
			return
		}
		stream := &script{}
		stream.items, _ = b.(wire.List)
		server := endpoint.Serve(s)
		defer server.Close()
		_, _ = server.Handle(t.Context(), &worker.Call{Op: "store." + ops[int(op)%len(ops)], Args: a, Stream: stream})
	})
}

// script is a stream that says what it was told to, and forgets what it hears.
type script struct{ items wire.List }

func (s *script) Send(context.Context, wire.Value) error { return nil }
func (s *script) CloseSend() error                       { return nil }

func (s *script) Recv(context.Context) (wire.Value, error) {
	if len(s.items) == 0 {
		return nil, io.EOF
	}
	v := s.items[0]
	s.items = s.items[1:]
	return v, nil
}
