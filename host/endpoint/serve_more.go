package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// ability finds an optional ability, or says that the store lacks it.
func ability[T any](s driver.Store, op string) (T, error) {
	a, ok := driver.As[T](s)
	if !ok {
		return a, fault.New(fault.Unsupported, op, "this store cannot do it")
	}
	return a, nil
}

func (s *Server) createFolder(ctx context.Context, call *worker.Call) (wire.Value, error) {
	return s.onFolder(call, func(name string) error {
		m, err := ability[driver.FolderMaker](s.store, "create folder")
		if err != nil {
			return err
		}
		return m.CreateFolder(ctx, name)
	})
}

func (s *Server) subscribe(ctx context.Context, call *worker.Call) (wire.Value, error) {
	return s.onFolder(call, func(name string) error {
		m, err := ability[driver.FolderMaker](s.store, "subscribe")
		if err != nil {
			return err
		}
		return m.Subscribe(ctx, name)
	})
}

func (s *Server) removeFolder(ctx context.Context, call *worker.Call) (wire.Value, error) {
	return s.onFolder(call, func(name string) error {
		r, err := ability[driver.FolderRemover](s.store, "remove folder")
		if err != nil {
			return err
		}
		return r.RemoveFolder(ctx, name)
	})
}

func (s *Server) renameFolder(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	from, to := args.text("folder"), args.text("to")
	if args.err != nil {
		return nil, args.err
	}
	r, err := ability[driver.FolderRenamer](s.store, "rename folder")
	if err != nil {
		return nil, err
	}
	return nil, r.RenameFolder(ctx, from, to)
}

func (s *Server) onFolder(call *worker.Call, do func(name string) error) (wire.Value, error) {
	args := read(call.Args)
	name := args.text("folder")
	if args.err != nil {
		return nil, args.err
	}
	return nil, do(name)
}

func (s *Server) stamp(ctx context.Context, _ *worker.Call) (wire.Value, error) {
	st, err := ability[driver.Stamper](s.store, "read the stamp")
	if err != nil {
		return nil, err
	}
	stamp, err := st.Stamp(ctx)
	if err != nil {
		return nil, err
	}
	return stamp, nil
}

func (s *Server) setStamp(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	stamp := args.text("stamp")
	if args.err != nil {
		return nil, args.err
	}
	st, err := ability[driver.Stamper](s.store, "write the stamp")
	if err != nil {
		return nil, err
	}
	return nil, st.SetStamp(ctx, stamp)
}
