package state

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The operations of a served state.
const (
	callInfo    = "state.info"
	callSetInfo = "state.set_info"
	callFolders = "state.folders"
	callLoad    = "state.load"
	callKnown   = "state.known"
	callFind    = "state.find"
	callIntents = "state.intents"
	callCommit  = "state.commit"
)

// callsAtOnce is the Concurrency of a worker that serves a state. It only has to
// be more than callers can have going: a Load that waits for its reader must not
// keep that reader's Commit out.
const callsAtOnce = 1024

// localCall is the payload of a call within the process: what to do with the
// Store, run by the side that has it.
type localCall func(ctx context.Context, s Store) error

// Server answers the calls of Proxies with a Store. The Store is opened and
// closed by whoever owns it.
type Server struct{ store Store }

// Serve returns the serving side of a Store. Its Handle is what a worker's
// Handle passes its calls to.
func Serve(s Store) *Server { return &Server{store: s} }

// Concurrency is that of a worker which passes all its calls to Handle.
func (s *Server) Concurrency() int { return callsAtOnce }

// Handle answers one call. It may be called from several goroutines at once.
func (s *Server) Handle(ctx context.Context, call *worker.Call) (wire.Value, error) {
	if do, ok := call.Local.(localCall); ok {
		return nil, do(ctx, s.store)
	}
	switch call.Op {
	case callInfo:
		info, err := s.store.Info(ctx)
		return encodeInfo(info), err
	case callSetInfo:
		info, err := decodeInfo(call.Args)
		if err != nil {
			return nil, err
		}
		return nil, s.store.SetInfo(ctx, info)
	case callFolders:
		return s.folders(ctx, call)
	case callLoad:
		return s.load(ctx, call)
	case callKnown:
		return s.known(ctx, call)
	case callFind:
		return s.find(ctx, call)
	case callIntents:
		return s.intents(ctx, call)
	case callCommit:
		return s.commit(ctx, call)
	}
	if v, ours, err := s.journal(ctx, call); ours {
		return v, err
	}
	return nil, fault.New(fault.Unsupported, call.Op, "a state does not know this operation")
}

func (s *Server) folders(ctx context.Context, call *worker.Call) (wire.Value, error) {
	folders, err := s.store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	return nil, sendAll(ctx, call, folders, encodeFolder)
}

func (s *Server) intents(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := readColumns(call.Args, 1)
	folder := args.text()
	if args.err != nil {
		return nil, args.err
	}
	intents, err := s.store.Intents(ctx, folder)
	if err != nil {
		return nil, err
	}
	return nil, sendAll(ctx, call, intents, encodeIntent)
}

func (s *Server) load(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := readColumns(call.Args, 2)
	folder, by := args.text(), args.side()
	if args.err != nil {
		return nil, args.err
	}
	return nil, s.store.Load(ctx, folder, by, func(rows []Row) error {
		return sendAll(ctx, call, rows, encodeRow)
	})
}

func (s *Server) known(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := readColumns(call.Args, 2)
	folder, side := args.text(), args.side()
	if args.err != nil {
		return nil, args.err
	}
	return nil, s.store.Known(ctx, folder, side, func(known []Known) error {
		return sendAll(ctx, call, known, encodeKnown)
	})
}

func (s *Server) find(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := readColumns(call.Args, 4)
	folder := args.text()
	wanted := Wanted{Far: next[mail.KeySet](args), Near: next[mail.KeySet](args), Last: int(next[int64](args))}
	if args.err != nil {
		return nil, args.err
	}
	found, err := s.store.Find(ctx, folder, wanted)
	if err != nil {
		return nil, err
	}
	if call.Stream == nil {
		return nil, noStream(call.Op)
	}
	if err := call.Stream.Send(ctx, int64(found.Messages)); err != nil {
		return nil, err
	}
	return nil, sendAll(ctx, call, found.Rows, encodeRow)
}

func (s *Server) commit(ctx context.Context, call *worker.Call) (wire.Value, error) {
	folder, c, err := decodeHead(call.Args)
	if err != nil {
		return nil, err
	}
	if call.Stream == nil {
		return nil, noStream(call.Op)
	}
	if err := recvChange(ctx, call.Stream, c); err != nil {
		return nil, err
	}
	var added []int // places in Put of new rows
	for i := range c.Put {
		if c.Put[i].ID == 0 {
			added = append(added, i)
		}
	}
	if err := s.store.Commit(ctx, folder, c); err != nil {
		return nil, err
	}
	// From here on the change is durable, whatever becomes of this answer.
	ids := make([]int64, 0, len(c.Intend)+len(added))
	for _, in := range c.Intend {
		ids = append(ids, in.ID)
	}
	for _, i := range added {
		ids = append(ids, c.Put[i].ID)
	}
	return nil, sendAll(ctx, call, ids, encodeID)
}

// sendAll sends items in batches on the stream of a call.
func sendAll[T any](ctx context.Context, call *worker.Call, items []T, encode func(T) wire.Value) error {
	if call.Stream == nil {
		return noStream(call.Op)
	}
	for len(items) > 0 {
		n := min(len(items), batchRows)
		if err := call.Stream.Send(ctx, encodeAll(items[:n], encode)); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

func noStream(op string) error { return fault.New(fault.Protocol, op, "it needs a stream") }
