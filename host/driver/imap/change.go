package imap

import (
	"context"
	"sync"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Change groups what it is asked into few commands: one STORE for each set of
// flags, one MOVE for each folder, one removal. Flags come first, then moves,
// then removals.
func (d *Driver) Change(ctx context.Context, folder mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	box, err := d.names.forServer(folder.Name)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	if err := d.toWrite("change", folder.Name); err != nil {
		return nil, err
	}
	ch := &changing{d: d, box: box, epoch: folder.Epoch, out: make([]mail.Outcome, len(cs)), at: map[uint32][]int{}}
	for i, c := range cs {
		ch.out[i].Key = c.Key
		uid, ok := c.Key.UID()
		if !ok {
			ch.out[i].Err = fault.New(fault.NotFound, "change", "%q is no UID", c.Key).InFolder(box.name)
			continue
		}
		ch.at[uid] = append(ch.at[uid], i)
	}
	err = ch.all(ctx, cs)
	if err = first(err, ch.restoreLater(ctx)); err != nil {
		return nil, d.closedErr(err)
	}
	return ch.out, nil
}

func (ch *changing) all(ctx context.Context, cs []mail.Change) error {
	if err := ch.flags(ctx, cs); err != nil {
		return err
	}
	for _, to := range targets(cs) {
		if err := ch.move(ctx, to, ch.uids(cs, func(c mail.Change) bool { return c.Op == mail.ChangeMove && c.To == to })); err != nil {
			return err
		}
	}
	return ch.remove(ctx, ch.uids(cs, func(c mail.Change) bool { return c.Op == mail.ChangeRemove }))
}

// changing is one call of Change.
type changing struct {
	d     *Driver
	box   mailbox
	epoch string
	out   []mail.Outcome
	at    map[uint32][]int // UID to its places in out

	// strangers are messages that others have marked \Deleted, and that are
	// without the mark for as long as we expunge ours.
	strangers mail.KeySet
}

// targets returns the folders of the moves, each once.
func targets(cs []mail.Change) []string {
	var list []string
	seen := map[string]bool{}
	for _, c := range cs {
		if c.Op == mail.ChangeMove && !seen[c.To] {
			seen[c.To] = true
			list = append(list, c.To)
		}
	}
	return list
}

// uids returns the UIDs of the changes that are meant.
func (ch *changing) uids(cs []mail.Change, meant func(mail.Change) bool) mail.KeySet {
	var set mail.KeySet
	for _, c := range cs {
		if uid, ok := c.Key.UID(); ok && meant(c) {
			set.AddUIDs(uid, uid)
		}
	}
	return set
}

// each sets the outcomes of UIDs.
func (ch *changing) each(uids mail.KeySet, set func(*mail.Outcome)) {
	for k := range uids.All() {
		uid, _ := k.UID()
		for _, i := range ch.at[uid] {
			set(&ch.out[i])
		}
	}
}

func (ch *changing) fail(k mail.Key, err error) {
	ch.each(mail.NewKeySet(k), func(o *mail.Outcome) { o.Err = err })
}

func (ch *changing) gone(uids mail.KeySet) {
	ch.each(uids, func(o *mail.Outcome) { o.Gone, o.Err = true, nil })
}

// on runs fn on a session with the folder selected for writing.
func (ch *changing) on(ctx context.Context, op string, repeat bool, fn func(context.Context, *session) error) error {
	return ch.d.with(ctx, ch.box.name, repeat, func(ctx context.Context, s *session) error {
		sel, err := s.enter(ctx, ch.box, ch.epoch, toWrite)
		if err != nil {
			return err
		}
		if sel.readOnly {
			return readOnly(op, ch.box.name)
		}
		ch.epoch = sel.epoch()
		return inFolder(fn(ctx, s), ch.box.name)
	})
}

// store is one STORE command.
type store struct {
	op    goimap.StoreFlagsOp
	flags mail.Flags
	uids  mail.KeySet
}

// stores groups changes of flags, additions first.
func stores(cs []mail.Change, keep func(mail.Flags) mail.Flags) []*store {
	type kind struct {
		op    goimap.StoreFlagsOp
		flags mail.Flags
	}
	var list []*store
	find := map[kind]*store{}
	for _, half := range []struct {
		op  goimap.StoreFlagsOp
		get func(mail.Change) mail.Flags
	}{
		{goimap.StoreFlagsAdd, func(c mail.Change) mail.Flags { return keep(c.Add) }},
		{goimap.StoreFlagsDel, func(c mail.Change) mail.Flags { return sendable(c.Remove) }},
	} {
		for _, c := range cs {
			uid, ok := c.Key.UID()
			flags := half.get(c)
			if c.Op != mail.ChangeFlags || !ok || flags.Empty() {
				continue
			}
			k := kind{half.op, flags}
			if find[k] == nil {
				find[k] = &store{op: half.op, flags: flags}
				list = append(list, find[k])
			}
			find[k].uids.AddUIDs(uid, uid)
		}
	}
	return list
}

// flags does the changes of flags, and reads the flags afterwards: that tells
// who is gone and what the folder kept.
func (ch *changing) flags(ctx context.Context, cs []mail.Change) error {
	uids := ch.uids(cs, func(c mail.Change) bool { return c.Op == mail.ChangeFlags })
	if uids.Empty() {
		return nil
	}
	return ch.on(ctx, "store", true, func(ctx context.Context, s *session) error {
		list := stores(cs, s.selected.flags.keep)
		refused, err := s.storeAll(ctx, list)
		if err != nil {
			return err
		}
		for _, st := range refused {
			if err := ch.again(ctx, s, st); err != nil {
				return err
			}
		}
		return ch.verify(ctx, s, cs, uids)
	})
}

// again repeats a STORE that was refused, in pieces: the system flags are not to
// suffer from a keyword that the server does not take, nor the other messages
// from one.
func (ch *changing) again(ctx context.Context, s *session, st *store) error {
	for _, part := range st.parts() {
		err := inHalves(part.uids, func(set mail.KeySet) (mail.KeySet, error) {
			return s.attempt(ctx, set, part.command(set))
		}, func(k mail.Key, err error) {
			if !part.mayDrop(err) { // else the flags afterwards show it
				ch.fail(k, err)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// verify reads the flags of the messages that were changed: who is gone, what
// the folder kept, and what it does not keep.
func (ch *changing) verify(ctx context.Context, s *session, cs []mail.Change, uids mail.KeySet) error {
	after, err := s.fetchSet(ctx, uids, hasFlags, nil)
	if err != nil && !s.refused(ctx, err) {
		return err
	}
	for _, rec := range after {
		for _, i := range ch.at[rec.uid] {
			o, sent := &ch.out[i], s.selected.flags.keep(cs[i].Add)
			if o.Flags = rec.flags; o.Err == nil {
				// Of keywords that were sent, servers drop some without a word.
				// A system flag that is not there was taken off by somebody else.
				o.Dropped = cs[i].Add.Minus(sent).Union(sent.Minus(rec.flags).OnlyKeywords())
			}
		}
	}
	missing := minus(uids, uidsOf(after))
	if missing.Empty() {
		return nil
	}
	there, err := s.present(ctx, missing)
	ch.gone(minus(missing, there))
	for k := range intersect(missing, there).All() {
		ch.fail(k, errNotServed())
	}
	return err
}

// parts splits a STORE in one of system flags and one of keywords.
func (st *store) parts() []*store {
	var out []*store
	for _, flags := range []mail.Flags{{System: st.flags.System}, st.flags.OnlyKeywords()} {
		if !flags.Empty() {
			out = append(out, &store{st.op, flags, st.uids})
		}
	}
	return out
}

// mayDrop reports whether a refusal only means that the server does not keep
// these keywords.
func (st *store) mayDrop(err error) bool {
	code := fault.CodeOf(err)
	return st.op == goimap.StoreFlagsAdd && st.flags.System == 0 && !fault.IsTemporary(err) &&
		(code == fault.Refused || code == fault.Protocol)
}

// command is the STORE for a part of its UIDs.
func (st *store) command(set mail.KeySet) *conn.Command {
	item := "+FLAGS.SILENT"
	if st.op == goimap.StoreFlagsDel {
		item = "-FLAGS.SILENT"
	}
	return conn.Cmd("UID STORE").UIDs(set).Raw(item).Flags(st.flags)
}

// attempt sends a command for a set; it is done for all of them, or for nobody
// knows whom.
func (s *session) attempt(ctx context.Context, set mail.KeySet, cmd *conn.Command) (mail.KeySet, error) {
	_, err := s.Do(ctx, cmd, nil)
	switch {
	case err == nil:
		return set, nil
	case s.refused(ctx, err):
		return mail.KeySet{}, refusal{err}
	}
	return mail.KeySet{}, err
}

// storeAll sends STORE commands, all of them at once, and returns those that
// were refused.
func (s *session) storeAll(ctx context.Context, list []*store) (refused []*store, err error) {
	var flat []*store
	for _, st := range list {
		for piece := range conn.SplitUIDs(st.uids, conn.MaxSet) {
			flat = append(flat, &store{st.op, st.flags, piece})
		}
	}
	errs := make([]error, len(flat))
	err = s.Run(ctx, "store", func(client *imapclient.Client) error {
		var answers sync.WaitGroup
		for i, st := range flat {
			cmd := client.Store(imapSet(st.uids), &goimap.StoreFlags{Op: st.op, Silent: true, Flags: imapFlags(st.flags)}, nil)
			// Servers that do not keep silent would fill imapclient's queues.
			answers.Go(func() { errs[i] = cmd.Close() })
		}
		answers.Wait()
		for _, err := range errs {
			if err != nil && !answered(err) {
				return err
			}
		}
		return nil
	})
	for i, err := range errs {
		if err != nil {
			refused = append(refused, flat[i])
		}
	}
	return refused, err
}
