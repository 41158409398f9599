package endpoint

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// WouldDo is something that a dry run did not do.
type WouldDo struct {
	Op     string // "deliver", "flags", "remove", "move", "create folder", "subscribe", "remove folder", "rename folder", "stamp"
	Folder string
	To     string // of a move, and of a new name
	Count  int
	Octets int64 // delivered
}

// dryRun passes on what reads and keeps back what writes.
type dryRun struct {
	driver.Store
	report func(WouldDo)

	mu      sync.Mutex
	made    map[string]bool // folders that would be there
	removed map[string]bool // folders that would not, by the name they have
	renamed [][2]string     // from and to, in order
	stamp   *string
}

// DryRun returns a Store that writes nothing: not a message, a flag, a folder or
// a stamp. Outcomes are as if it did, and report is told what it would have
// done; it may be called from several goroutines at once. Content that is
// delivered is read to its end and thrown away.
func DryRun(inner driver.Store, report func(WouldDo)) driver.Store {
	if report == nil {
		report = func(WouldDo) {}
	}
	return &dryRun{Store: inner, report: report, made: map[string]bool{}, removed: map[string]bool{}}
}

// Unwrap ends at the abilities that write nothing: around it there is no way to
// the Store within.
func (d *dryRun) Unwrap() driver.Store {
	can := FindAbilities(d.Store)
	if can.Maker != nil {
		can.Maker = dryFolders{d}
	}
	if can.Remover != nil {
		can.Remover = dryFolders{d}
	}
	if can.Renamer != nil {
		can.Renamer = dryFolders{d}
	}
	if can.Stamper != nil {
		can.Stamper = dryStamp{d, can.Stamper}
	}
	return can.Over(d, nil)
}

func (d *dryRun) isMade(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[name]
}

// dryEpoch is that of folders which would be there.
const dryEpoch = "dry-run"

func (d *dryRun) Folders(ctx context.Context) ([]mail.Folder, error) {
	folders, err := d.Store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	folders = slices.DeleteFunc(folders, func(f mail.Folder) bool { return d.removed[f.Name] })
	for i := range folders {
		for _, r := range d.renamed {
			folders[i].Name = renamedTo(folders[i].Name, r[0], r[1])
		}
	}
	for name := range d.made {
		if !slices.ContainsFunc(folders, func(f mail.Folder) bool { return f.Name == name }) {
			folders = append(folders, mail.Folder{Name: name, Raw: name, Epoch: dryEpoch})
		}
	}
	slices.SortFunc(folders, func(a, b mail.Folder) int { return cmp.Compare(a.Name, b.Name) })
	return folders, nil
}

// renamedTo returns the name of a folder after a folder was renamed.
func renamedTo(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
		return to + rest
	}
	return name
}

// inner returns a folder by the name that it has.
func (d *dryRun) inner(ref mail.Ref) mail.Ref {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range slices.Backward(d.renamed) {
		ref.Name = renamedTo(ref.Name, r[1], r[0])
	}
	return ref
}

func (d *dryRun) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	if d.isMade(ref.Name) {
		return mail.Result{Epoch: dryEpoch, Complete: true}, nil
	}
	return d.Store.Changes(ctx, d.inner(ref), since, fn)
}

func (d *dryRun) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	return d.Store.Describe(ctx, d.inner(ref), keys, want, fn)
}

func (d *dryRun) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	return d.Store.Bodies(ctx, d.inner(ref), keys, fn)
}

func (d *dryRun) Reserve(ctx context.Context, ref mail.Ref, _ int) (mail.Reservation, error) {
	if err := ctx.Err(); err != nil {
		return mail.Reservation{}, context.Cause(ctx)
	}
	if d.isMade(ref.Name) {
		return mail.Reservation{Epoch: dryEpoch}, nil
	}
	return mail.Reservation{Epoch: ref.Epoch}, nil
}

// dryDelivery is a message that was read and thrown away.
type dryDelivery struct {
	flags mail.Flags
	size  int64
}

func (dryDelivery) Abort() {}

func (d *dryRun) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	n, err := io.Copy(io.Discard, contextReader{ctx, body})
	if err == nil && n != body.Size {
		err = fault.New(fault.IO, "deliver", "%d bytes came where %d were announced", n, body.Size).InFolder(ref.Name)
	}
	if err != nil {
		return nil, err
	}
	return dryDelivery{m.Flags, n}, nil
}

// contextReader ends reading when a context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

func (d *dryRun) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	placed := make([]mail.Placed, len(ds))
	did := WouldDo{Op: "deliver", Folder: ref.Name, Count: len(ds)}
	for i, one := range ds {
		dry, ok := one.(dryDelivery)
		if !ok {
			return nil, fault.New(fault.Internal, "commit", "a delivery is not of this store").InFolder(ref.Name)
		}
		placed[i].Flags = dry.flags
		did.Octets += dry.size
	}
	if len(ds) > 0 {
		d.report(did)
	}
	return placed, nil
}

// Change tells of flags only those it was given: it does not know the others.
func (d *dryRun) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	out := make([]mail.Outcome, len(cs))
	did := map[WouldDo]int{}
	for i, c := range cs {
		out[i] = mail.Outcome{Key: c.Key, Flags: c.Add}
		switch c.Op {
		case mail.ChangeFlags:
			did[WouldDo{Op: "flags", Folder: ref.Name}]++
		case mail.ChangeRemove:
			did[WouldDo{Op: "remove", Folder: ref.Name}]++
		case mail.ChangeMove:
			did[WouldDo{Op: "move", Folder: ref.Name, To: c.To}]++
		}
	}
	for what, n := range did {
		what.Count = n
		d.report(what)
	}
	return out, nil
}

type dryFolders struct{ d *dryRun }

func (f dryFolders) CreateFolder(ctx context.Context, name string) error {
	folders, err := f.d.Folders(ctx)
	if err != nil || slices.ContainsFunc(folders, func(have mail.Folder) bool { return have.Name == name }) {
		return err
	}
	f.d.mu.Lock()
	f.d.made[name] = true
	f.d.mu.Unlock()
	f.d.report(WouldDo{Op: "create folder", Folder: name, Count: 1})
	return nil
}

func (f dryFolders) Subscribe(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.d.report(WouldDo{Op: "subscribe", Folder: name, Count: 1})
	return nil
}

func (f dryFolders) RemoveFolder(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	inner := f.d.inner(mail.Ref{Name: name}).Name
	f.d.mu.Lock()
	if !f.d.made[name] {
		f.d.removed[inner] = true
	}
	delete(f.d.made, name)
	f.d.mu.Unlock()
	f.d.report(WouldDo{Op: "remove folder", Folder: name, Count: 1})
	return nil
}

func (f dryFolders) RenameFolder(ctx context.Context, from, to string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.d.mu.Lock()
	made := map[string]bool{}
	for name := range f.d.made {
		made[renamedTo(name, from, to)] = true
	}
	f.d.made, f.d.renamed = made, append(f.d.renamed, [2]string{from, to})
	f.d.mu.Unlock()
	f.d.report(WouldDo{Op: "rename folder", Folder: from, To: to, Count: 1})
	return nil
}

type dryStamp struct {
	d     *dryRun
	inner driver.Stamper
}

func (s dryStamp) Stamp(ctx context.Context) (string, error) {
	s.d.mu.Lock()
	stamp := s.d.stamp
	s.d.mu.Unlock()
	if stamp != nil {
		return *stamp, nil
	}
	return s.inner.Stamp(ctx)
}

func (s dryStamp) SetStamp(ctx context.Context, stamp string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	old, err := s.inner.Stamp(ctx)
	if err != nil {
		return err
	}
	s.d.mu.Lock()
	if s.d.stamp != nil {
		old = *s.d.stamp
	}
	merged := driver.MergeStamp(old, stamp)
	s.d.stamp = &merged
	s.d.mu.Unlock()
	s.d.report(WouldDo{Op: "stamp", Count: 1})
	return nil
}
