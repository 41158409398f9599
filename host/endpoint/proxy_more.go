package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/wire"
)

// remote has every optional ability; the proxy shows those of them that the
// other side has.
type remote struct{ p *proxy }

var (
	_ driver.FolderMaker   = remote{}
	_ driver.FolderRemover = remote{}
	_ driver.FolderRenamer = remote{}
	_ driver.Stamper       = remote{}
)

func (r remote) CreateFolder(ctx context.Context, name string) error {
	return r.onFolder(ctx, opCreateFolder, name, func(ctx context.Context, s driver.Store) error {
		m, err := ability[driver.FolderMaker](s, "create folder")
		if err != nil {
			return err
		}
		return m.CreateFolder(ctx, name)
	})
}

func (r remote) Subscribe(ctx context.Context, name string) error {
	return r.onFolder(ctx, opSubscribe, name, func(ctx context.Context, s driver.Store) error {
		m, err := ability[driver.FolderMaker](s, "subscribe")
		if err != nil {
			return err
		}
		return m.Subscribe(ctx, name)
	})
}

func (r remote) RemoveFolder(ctx context.Context, name string) error {
	if err := r.p.held.busy("remove folder", name); err != nil {
		return err
	}
	return r.onFolder(ctx, opRemoveFolder, name, func(ctx context.Context, s driver.Store) error {
		m, err := ability[driver.FolderRemover](s, "remove folder")
		if err != nil {
			return err
		}
		return m.RemoveFolder(ctx, name)
	})
}

func (r remote) RenameFolder(ctx context.Context, from, to string) error {
	for _, name := range []string{from, to} {
		if err := r.p.held.busy("rename folder", name); err != nil {
			return err
		}
	}
	return r.p.do(ctx, opRenameFolder, func(ctx context.Context, s driver.Store, _ *Server) error {
		renamer, err := ability[driver.FolderRenamer](s, "rename folder")
		if err != nil {
			return err
		}
		return renamer.RenameFolder(ctx, from, to)
	}, func(ctx context.Context) error {
		_, err := r.p.call(ctx, opRenameFolder, wire.Map{"folder": from, "to": to})
		return err
	})
}

func (r remote) onFolder(ctx context.Context, op, name string, do func(context.Context, driver.Store) error) error {
	return r.p.do(ctx, op, func(ctx context.Context, s driver.Store, _ *Server) error {
		return do(ctx, s)
	}, func(ctx context.Context) error {
		_, err := r.p.call(ctx, op, wire.Map{"folder": name})
		return err
	})
}

func (r remote) Stamp(ctx context.Context) (stamp string, err error) {
	err = r.p.do(ctx, opStamp, func(ctx context.Context, s driver.Store, _ *Server) error {
		st, err := ability[driver.Stamper](s, "read the stamp")
		if err != nil {
			return err
		}
		stamp, err = st.Stamp(ctx)
		return err
	}, func(ctx context.Context) error {
		v, err := r.p.call(ctx, opStamp, nil)
		stamp, _ = v.(string)
		return err
	})
	return stamp, err
}

func (r remote) SetStamp(ctx context.Context, stamp string) error {
	return r.p.do(ctx, opSetStamp, func(ctx context.Context, s driver.Store, _ *Server) error {
		st, err := ability[driver.Stamper](s, "write the stamp")
		if err != nil {
			return err
		}
		return st.SetStamp(ctx, stamp)
	}, func(ctx context.Context) error {
		_, err := r.p.call(ctx, opSetStamp, wire.Map{"stamp": stamp})
		return err
	})
}
