package endpoint

import (
	"context"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The operations of a served Store.
const (
	opAbilities    = "store.abilities"
	opFolders      = "store.folders"
	opChanges      = "store.changes"
	opDescribe     = "store.describe"
	opBodies       = "store.bodies"
	opHold         = "store.hold"
	opReserve      = "store.reserve"
	opDeliver      = "store.deliver"
	opCommit       = "store.commit"
	opAbort        = "store.abort"
	opChange       = "store.change"
	opCreateFolder = "store.create_folder"
	opSubscribe    = "store.subscribe"
	opRemoveFolder = "store.remove_folder"
	opRenameFolder = "store.rename_folder"
	opStamp        = "store.stamp"
	opSetStamp     = "store.set_stamp"
)

// callsAtOnce is the Concurrency of a worker that serves a Store. It only has to
// be more than callers can have going: what may really run at once is for the
// Store to say. A long reading never keeps a writer waiting.
const callsAtOnce = 1024

// localCall is the payload of a call within the process: what to do with the
// Store, run by the side that has it. Callbacks and content go by reference.
type localCall func(ctx context.Context, s driver.Store, server *Server) error

// Server answers the calls of Proxies with a Store. The Store is opened and
// closed by whoever owns it.
type Server struct {
	store driver.Store

	mu      sync.Mutex
	last    int64
	callers map[int64]*caller // those that have something at stake
	ops     map[string]func(context.Context, *worker.Call) (wire.Value, error)
}

// Serve returns the serving side of a Store. Its Handle is what a worker's
// Handle passes its calls to.
func Serve(store driver.Store) *Server {
	s := &Server{store: store, callers: map[int64]*caller{}}
	s.ops = map[string]func(context.Context, *worker.Call) (wire.Value, error){
		opAbilities: s.abilities, opFolders: s.folders, opChanges: s.changes, opDescribe: s.describe, opBodies: s.bodies,
		opHold: s.hold, opReserve: s.reserve, opDeliver: s.deliver, opCommit: s.commit, opAbort: s.abort, opChange: s.change,
		opCreateFolder: s.createFolder, opSubscribe: s.subscribe, opRemoveFolder: s.removeFolder,
		opRenameFolder: s.renameFolder, opStamp: s.stamp, opSetStamp: s.setStamp,
	}
	return s
}

// Concurrency is that of a worker which passes all its calls to Handle.
func (s *Server) Concurrency() int { return callsAtOnce }

// Handles reports whether an operation is one of a Store.
func (s *Server) Handles(op string) bool { return s.ops[op] != nil }

// Handle answers one call. It may be called from several goroutines at once.
func (s *Server) Handle(ctx context.Context, call *worker.Call) (wire.Value, error) {
	if do, ok := call.Local.(localCall); ok {
		return nil, do(ctx, s.store, s)
	}
	op := s.ops[call.Op]
	if op == nil {
		return nil, fault.New(fault.Unsupported, call.Op, "a store does not know this operation")
	}
	switch call.Op {
	case opChanges, opDescribe, opBodies, opHold, opDeliver:
		if call.Stream == nil {
			return nil, fault.New(fault.Protocol, call.Op, "it needs a stream")
		}
	}
	return op(ctx, call)
}

// Close aborts what callers have begun and not ended. Call it once no call is in
// flight any more, and before the Store is closed.
func (s *Server) Close() {
	s.mu.Lock()
	left := s.callers
	s.callers = map[int64]*caller{}
	s.mu.Unlock()
	for _, c := range left {
		c.release()
	}
}

// attach makes the record of a caller that is about to write.
func (s *Server) attach() *caller {
	c := &caller{store: s.store, who: &Caller{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	c.id = s.last
	s.callers[c.id] = c
	return c
}

// detach ends what the caller has not, and forgets it.
func (s *Server) detach(c *caller) {
	s.mu.Lock()
	delete(s.callers, c.id)
	s.mu.Unlock()
	c.release()
}

func (s *Server) caller(id int64) (*caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.callers[id]; c != nil {
		return c, nil
	}
	return nil, fault.New(fault.Stopped, "find the caller", "the caller is gone, and what it had begun was aborted")
}

func (s *Server) abilities(context.Context, *worker.Call) (wire.Value, error) {
	var out wire.List
	for _, a := range abilitiesOf(s.store) {
		out = append(out, a)
	}
	return out, nil
}

func (s *Server) folders(ctx context.Context, _ *worker.Call) (wire.Value, error) {
	folders, err := s.store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	return encodeFolders(folders), nil
}
