package endpoint_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

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

func (s *script) CloseSend() error { return nil }

func (s *script) Recv(context.Context) (wire.Value, error) {
	if len(s.items) == 0 {
		return nil, io.EOF
	}
	v := s.items[0]
	s.items = s.items[1:]
	return v, nil
}
