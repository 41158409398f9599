package endpoint

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/semaphore"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

// nameTrans makes a Store that has far names look as if it had near ones. Every
// name is translated, in requests and in results; a folder whose name cannot be
// turned round is shown with its Fault, and refused.
type nameTrans struct {
	driver.Store
	rename *naming.Rename

	turn  *semaphore.Weighted // to read the folders for the first time
	table *naming.Table       // guarded by turn
}

// NameTrans returns a Store whose folders have the near names that rename gives
// to those of the inner one. Its optional abilities speak near names too, and
// none of the inner Store can be reached around it.
//
// Two far names that meet are both listed, under the near name they would have,
// with their Fault: so the near folder of that name is left alone as well.
func NameTrans(inner driver.Store, rename *naming.Rename) driver.Store {
	return &nameTrans{Store: inner, rename: rename, turn: semaphore.NewWeighted(1)}
}

func (n *nameTrans) Unwrap() driver.Store {
	can := FindAbilities(n.Store)
	if m := can.Maker; m != nil {
		can.Maker = nearMaker{n, m}
	}
	if r := can.Remover; r != nil {
		can.Remover = nearRemover{n, r}
	}
	if r := can.Renamer; r != nil {
		can.Renamer = nearRenamer{n, r}
	}
	return can.Over(n, nil)
}

// names returns the table, from the list of folders if it is not there yet.
func (n *nameTrans) names(ctx context.Context) (*naming.Table, error) {
	if err := n.turn.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	defer n.turn.Release(1)
	if n.table == nil {
		folders, err := n.Store.Folders(ctx)
		if err != nil {
			return nil, err
		}
		n.table = n.rename.Build(folders)
	}
	return n.table, nil
}

func (n *nameTrans) far(ctx context.Context, near string) (string, error) {
	table, err := n.names(ctx)
	if err != nil {
		return "", err
	}
	return table.Far(near)
}

func (n *nameTrans) ref(ctx context.Context, ref mail.Ref) (mail.Ref, error) {
	far, err := n.far(ctx, ref.Name)
	return mail.Ref{Name: far, Epoch: ref.Epoch}, err
}

func (n *nameTrans) Folders(ctx context.Context) ([]mail.Folder, error) {
	folders, err := n.Store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	table := n.rename.Build(folders)
	if err := n.turn.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	n.table = table
	n.turn.Release(1)

	out := make([]mail.Folder, 0, len(folders))
	for _, f := range folders {
		near, err := table.Near(f.Name)
		if near == "" && f.Hidden {
			continue // it has no near name, or left it to another one
		}
		if near != "" {
			f.Name = near
		}
		if err != nil && f.Fault == "" {
			f.Fault = err.Error()
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b mail.Folder) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func (n *nameTrans) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		return mail.Result{}, err
	}
	return n.Store.Changes(ctx, ref, since, fn)
}

func (n *nameTrans) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		return err
	}
	return n.Store.Describe(ctx, ref, keys, want, fn)
}

func (n *nameTrans) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		return err
	}
	return n.Store.Bodies(ctx, ref, keys, fn)
}

func (n *nameTrans) Reserve(ctx context.Context, ref mail.Ref, count int) (mail.Reservation, error) {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		return mail.Reservation{}, err
	}
	return n.Store.Reserve(ctx, ref, count)
}

func (n *nameTrans) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		return nil, err
	}
	return n.Store.Deliver(ctx, ref, m, body)
}

func (n *nameTrans) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	ref, err := n.ref(ctx, ref)
	if err != nil {
		abortAll(ds)
		return nil, err
	}
	return n.Store.Commit(ctx, ref, ds)
}

// Change also translates where messages are moved to. A move to a name that
// cannot be is refused by itself.
func (n *nameTrans) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	table, err := n.names(ctx)
	if err != nil {
		return nil, err
	}
	far, err := table.Far(ref.Name)
	if err != nil {
		return nil, err
	}
	out := make([]mail.Outcome, len(cs))
	var good []mail.Change
	var at []int
	for i, c := range cs {
		if c.Op == mail.ChangeMove {
			if c.To, err = table.Far(c.To); err != nil {
				out[i] = mail.Outcome{Key: c.Key, Err: err}
				continue
			}
		}
		good, at = append(good, c), append(at, i)
	}
	if len(good) == 0 {
		return out, nil
	}
	done, err := n.Store.Change(ctx, mail.Ref{Name: far, Epoch: ref.Epoch}, good)
	if err == nil && len(done) != len(good) {
		err = fault.New(fault.Internal, "change", "%d outcomes of %d changes", len(done), len(good))
	}
	for i := range min(len(done), len(good)) {
		out[at[i]] = done[i]
	}
	return out, err
}

type nearMaker struct {
	n     *nameTrans
	inner driver.FolderMaker
}

func (m nearMaker) CreateFolder(ctx context.Context, near string) error {
	far, err := m.n.far(ctx, near)
	if err != nil {
		return err
	}
	return m.inner.CreateFolder(ctx, far)
}

func (m nearMaker) Subscribe(ctx context.Context, near string) error {
	far, err := m.n.far(ctx, near)
	if err != nil {
		return err
	}
	return m.inner.Subscribe(ctx, far)
}

type nearRemover struct {
	n     *nameTrans
	inner driver.FolderRemover
}

func (r nearRemover) RemoveFolder(ctx context.Context, near string) error {
	far, err := r.n.far(ctx, near)
	if err != nil {
		return err
	}
	return r.inner.RemoveFolder(ctx, far)
}

type nearRenamer struct {
	n     *nameTrans
	inner driver.FolderRenamer
}

func (r nearRenamer) RenameFolder(ctx context.Context, from, to string) error {
	table, err := r.n.names(ctx)
	if err != nil {
		return err
	}
	farFrom, farTo, err := table.Renaming(from, to)
	if err != nil {
		return err
	}
	err = r.inner.RenameFolder(ctx, farFrom, farTo)
	if err == nil {
		// The old name is free again, for whatever becomes it.
		if err := r.n.turn.Acquire(ctx, 1); err == nil {
			r.n.table = nil
			r.n.turn.Release(1)
		}
	}
	return err
}
