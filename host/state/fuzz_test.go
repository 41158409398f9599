package state_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

var operations = []string{
	"state.info", "state.set_info", "state.folders", "state.load", "state.find", "state.intents", "state.commit", "state.unknown", "state.known",
}

// FuzzServe sends any value as the arguments of any operation, and any value on
// its stream. Whatever they are, the server answers, and the state stays whole.
func FuzzServe(f *testing.F) {
	add := func(op int, args wire.Value, items ...wire.Value) {
		a, err := wire.Encode(args)
		require.NoError(f, err)
		i, err := wire.Encode(wire.List(items))
		require.NoError(f, err)
		f.Add(op, a, i)
	}
	row := wire.List{int64(0), "0000000002", "near", mail.NewFlags(`\Seen`), int64(7), time.Unix(1, 0), "ident"}
	intent := wire.List{int64(0), int64(1), "a", "b", "c", "d", mail.Flags{}, int64(7), time.Time{}, "ident"}
	record := wire.List{"INBOX", "near", "1", "2", "3", "4", "5", int64(6)}
	add(0, nil)
	add(1, wire.List{"account", int64(1), int64(2)})
	add(2, nil)
	add(3, wire.List{"INBOX", int64(2)})
	add(4, wire.List{"INBOX"})
	add(5, wire.List{"INBOX", true, record}, wire.List{"put", wire.List{row, row}}, wire.List{"intend", wire.List{intent}},
		wire.List{"settle", wire.List{int64(3)}}, wire.List{"drop", wire.List{int64(4)}})
	add(5, wire.List{"INBOX", false, nil}, wire.List{"put", wire.List{row}})

	add(7, wire.List{"INBOX", int64(2)})

	f.Fuzz(func(t *testing.T, op int, args, items []byte) {
		call := &worker.Call{Op: operations[uint(op)%uint(len(operations))]}
		var err error
		if call.Args, err = wire.Decode(args); err != nil {
			t.Skip()
		}
		v, err := wire.Decode(items)
		list, ok := v.(wire.List)
		if err != nil || !ok {
			t.Skip()
		}
		call.Stream = &tape{in: list}
		memory := state.NewMemory()
		require.NoError(t, memory.Open(t.Context()))
		fill(t, memory, "INBOX", 0, 3)

		reply, err := state.Serve(memory).Handle(t.Context(), call)
		if err != nil {
			require.NotEqual(t, fault.Crashed, fault.CodeOf(err))
		}
		require.NoError(t, wire.Check(reply))
		folders, err := memory.Folders(t.Context())
		require.NoError(t, err)
		for _, folder := range folders {
			require.NotEmpty(t, folder.Far)
			seen := map[mail.Key]bool{}
			require.NoError(t, memory.Load(t.Context(), folder.Far, state.Far, func(rows []state.Row) error {
				for _, r := range rows {
					require.False(t, r.Far != "" && seen[r.Far])
					seen[r.Far] = true
				}
				return nil
			}))
		}
	})
}

// tape is a stream whose other end has said everything already.
type tape struct{ in wire.List }

func (s *tape) Send(_ context.Context, item wire.Value) error { return wire.Check(item) }
func (s *tape) CloseSend() error                              { return nil }
func (s *tape) Recv(context.Context) (wire.Value, error) {
	if len(s.in) == 0 {
		return nil, io.EOF
	}
	first := s.in[0]
	s.in = s.in[1:]
	return first, nil
}
