package endpoint

import (
	"context"
	"io"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// Op is a method of a Store, for controllers that treat them alike.
type Op string

// The methods.
const (
	OpOpen         Op = "open"
	OpFolders      Op = "folders"
	OpChanges      Op = "changes"
	OpDescribe     Op = "describe"
	OpBodies       Op = "bodies"
	OpReserve      Op = "reserve"
	OpDeliver      Op = "deliver"
	OpCommit       Op = "commit"
	OpChange       Op = "change"
	OpCreateFolder Op = "create folder"
	OpSubscribe    Op = "subscribe"
	OpRemoveFolder Op = "remove folder"
	OpRenameFolder Op = "rename folder"
	OpStamp        Op = "stamp"
	OpSetStamp     Op = "set stamp"
)

// call is one call of a method on its way through a controller.
type call struct {
	op     Op
	folder string
	keys   int      // asked for, delivered or changed
	items  int      // handed out
	octets int64    // of content that went by
	key    mail.Key // of the message on its way, of Bodies
	cs     []mail.Change
}

// around is a controller that does the same to every call. run must call do,
// unless the call is refused; body is put around content, both ways.
type around struct {
	driver.Store
	run  func(ctx context.Context, c *call, do func() error) error
	body func(ctx context.Context, c *call, m mail.Meta, body mail.Body) mail.Body
}

// Unwrap shows the abilities with the controller around them. The walk goes on
// behind them: what is unknown here is only not treated.
func (a *around) Unwrap() driver.Store {
	can := FindAbilities(a.Store)
	if can.Maker != nil {
		can.Maker = aroundMaker{a, can.Maker}
	}
	if can.Remover != nil {
		can.Remover = aroundRemover{a, can.Remover}
	}
	if can.Renamer != nil {
		can.Renamer = aroundRenamer{a, can.Renamer}
	}
	if can.Stamper != nil {
		can.Stamper = aroundStamper{a, can.Stamper}
	}
	return can.Over(a, a.Store)
}

func (a *around) content(ctx context.Context, c *call, m mail.Meta, body mail.Body) mail.Body {
	if a.body == nil {
		return body
	}
	return a.body(ctx, c, m, body)
}

func (a *around) Open(ctx context.Context) error {
	return a.run(ctx, &call{op: OpOpen}, func() error { return a.Store.Open(ctx) })
}

func (a *around) Folders(ctx context.Context) (folders []mail.Folder, err error) {
	c := &call{op: OpFolders}
	err = a.run(ctx, c, func() (err error) {
		folders, err = a.Store.Folders(ctx)
		c.items = len(folders)
		return err
	})
	return folders, err
}

func (a *around) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (res mail.Result, err error) {
	c := &call{op: OpChanges, folder: ref.Name}
	err = a.run(ctx, c, func() (err error) {
		res, err = a.Store.Changes(ctx, ref, since, func(metas []mail.Meta) error {
			c.items += len(metas)
			return fn(metas)
		})
		return err
	})
	return res, err
}

func (a *around) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	c := &call{op: OpDescribe, folder: ref.Name, keys: keys.Len()}
	return a.run(ctx, c, func() error {
		return a.Store.Describe(ctx, ref, keys, want, func(ds []mail.Description) error {
			c.items += len(ds)
			return fn(ds)
		})
	})
}

func (a *around) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	c := &call{op: OpBodies, folder: ref.Name, keys: keys.Len()}
	return a.run(ctx, c, func() error {
		return a.Store.Bodies(ctx, ref, keys, func(m mail.Meta, body mail.Body) error {
			c.items++
			c.key = m.Key
			return fn(m, a.content(ctx, c, m, body))
		})
	})
}

func (a *around) Reserve(ctx context.Context, ref mail.Ref, n int) (r mail.Reservation, err error) {
	err = a.run(ctx, &call{op: OpReserve, folder: ref.Name, keys: n}, func() (err error) {
		r, err = a.Store.Reserve(ctx, ref, n)
		return err
	})
	return r, err
}

func (a *around) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (d driver.Delivery, err error) {
	c := &call{op: OpDeliver, folder: ref.Name, keys: 1, key: m.Key}
	err = a.run(ctx, c, func() (err error) {
		d, err = a.Store.Deliver(ctx, ref, m, a.content(ctx, c, m, body))
		return err
	})
	return d, err
}

func (a *around) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) (placed []mail.Placed, err error) {
	ran := false
	err = a.run(ctx, &call{op: OpCommit, folder: ref.Name, keys: len(ds)}, func() (err error) {
		ran = true
		placed, err = a.Store.Commit(ctx, ref, ds)
		return err
	})
	if !ran {
		abortAll(ds)
	}
	return placed, err
}

func (a *around) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) (out []mail.Outcome, err error) {
	err = a.run(ctx, &call{op: OpChange, folder: ref.Name, keys: len(cs), cs: cs}, func() (err error) {
		out, err = a.Store.Change(ctx, ref, cs)
		return err
	})
	return out, err
}

type aroundMaker struct {
	a     *around
	inner driver.FolderMaker
}

func (m aroundMaker) CreateFolder(ctx context.Context, name string) error {
	return m.a.run(ctx, &call{op: OpCreateFolder, folder: name}, func() error { return m.inner.CreateFolder(ctx, name) })
}

func (m aroundMaker) Subscribe(ctx context.Context, name string) error {
	return m.a.run(ctx, &call{op: OpSubscribe, folder: name}, func() error { return m.inner.Subscribe(ctx, name) })
}

type aroundRemover struct {
	a     *around
	inner driver.FolderRemover
}

func (r aroundRemover) RemoveFolder(ctx context.Context, name string) error {
	return r.a.run(ctx, &call{op: OpRemoveFolder, folder: name}, func() error { return r.inner.RemoveFolder(ctx, name) })
}

type aroundRenamer struct {
	a     *around
	inner driver.FolderRenamer
}

func (r aroundRenamer) RenameFolder(ctx context.Context, from, to string) error {
	return r.a.run(ctx, &call{op: OpRenameFolder, folder: from}, func() error { return r.inner.RenameFolder(ctx, from, to) })
}

type aroundStamper struct {
	a     *around
	inner driver.Stamper
}

func (s aroundStamper) Stamp(ctx context.Context) (stamp string, err error) {
	err = s.a.run(ctx, &call{op: OpStamp}, func() (err error) {
		stamp, err = s.inner.Stamp(ctx)
		return err
	})
	return stamp, err
}

func (s aroundStamper) SetStamp(ctx context.Context, stamp string) error {
	return s.a.run(ctx, &call{op: OpSetStamp}, func() error { return s.inner.SetStamp(ctx, stamp) })
}

// onRead returns r with see told how many bytes each Read gave, and with Seek
// where r has it.
func onRead(r io.Reader, see func(n int) error) io.Reader {
	w := &seenReader{r, see}
	if s, ok := r.(io.Seeker); ok {
		return struct {
			io.Reader
			io.Seeker
		}{w, s}
	}
	return w
}

type seenReader struct {
	r   io.Reader
	see func(n int) error
}

func (s *seenReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if n > 0 {
		if stop := s.see(n); stop != nil {
			return n, stop
		}
	}
	return n, err
}
