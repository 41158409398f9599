package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func (p *proxy) Folders(ctx context.Context) (folders []mail.Folder, err error) {
	err = p.do(ctx, opFolders, func(ctx context.Context, s driver.Store, _ *Server) (err error) {
		folders, err = s.Folders(ctx)
		return err
	}, func(ctx context.Context) error {
		v, err := p.call(ctx, opFolders, nil)
		if err != nil {
			return err
		}
		list, _ := v.(wire.List)
		folders, err = decodeFolders(list)
		return err
	})
	return folders, err
}

func (p *proxy) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (res mail.Result, err error) {
	err = p.do(ctx, opChanges, func(ctx context.Context, s driver.Store, _ *Server) (err error) {
		res, err = s.Changes(ctx, ref, since, fn)
		return err
	}, func(ctx context.Context) error {
		var present, gone mail.KeySet
		reply, err := p.stream(ctx, opChanges, putRef(wire.Map{"since": string(since)}, ref), nil,
			func(_ context.Context, _ worker.Session, item *fields) error {
				metas := item.metas("metas")
				present.AddSet(item.keys("present"))
				gone.AddSet(item.keys("gone"))
				if item.err != nil || len(metas) == 0 {
					return item.err
				}
				return fn(metas)
			})
		if err != nil && reply == nil {
			return err
		}
		var bad error
		if res, bad = decodeResult(reply, present, gone); bad != nil {
			return bad
		}
		return err
	})
	return res, err
}

func (p *proxy) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	return p.do(ctx, opDescribe, func(ctx context.Context, s driver.Store, _ *Server) error {
		return s.Describe(ctx, ref, keys, want, fn)
	}, func(ctx context.Context) error {
		_, err := p.stream(ctx, opDescribe, putRef(wire.Map{"want": int64(want)}, ref), &keys,
			func(_ context.Context, _ worker.Session, item *fields) error {
				ds, err := decodeDescriptions(item)
				if err != nil {
					return err
				}
				return fn(ds)
			})
		return err
	})
}

func (p *proxy) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	return p.do(ctx, opBodies, func(ctx context.Context, s driver.Store, _ *Server) error {
		return s.Bodies(ctx, ref, keys, fn)
	}, func(ctx context.Context) error {
		_, err := p.stream(ctx, opBodies, putRef(wire.Map{}, ref), &keys,
			func(ctx context.Context, s worker.Session, item *fields) error {
				metas, size, ends := item.metas("metas"), item.int("size"), mail.LineEnds(item.int("ends"))
				if item.err == nil && len(metas) != 1 {
					item.err = malformed("a body of %d messages", len(metas))
				}
				if item.err != nil {
					return item.err
				}
				body := newPieces(size, func() (wire.Value, error) { return s.Recv(ctx) })
				if err := fn(metas[0], mail.Body{Reader: body, Size: size, LineEnds: ends, Altered: item.bool("altered")}); err != nil {
					return err
				}
				// A body that broke was for fn to judge; the stream is in
				// order behind it, or the next item tells.
				_ = body.finish()
				return nil
			})
		return err
	})
}
