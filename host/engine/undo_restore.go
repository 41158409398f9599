package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// restore puts messages back that the run removed, on every side that lacks
// them. Cut short, it leaves them on one side: then the next sync brings them to
// the other.
func (u *undoing) restore(ctx context.Context, f *undoFolder, rows map[int64]*state.Row) error {
	if f.unkept > 0 {
		if err := u.missed(ctx, f.name, "%d messages that the run removed were not kept", f.unkept); err != nil {
			return err
		}
	}
	for from := 0; from < len(f.lost); from += batchMessages {
		batch := f.lost[from:min(from+batchMessages, len(f.lost))]
		if err := u.restoreBatch(ctx, f.name, batch, rows); err != nil {
			return err
		}
	}
	return nil
}

// restored is a message on its way back.
type restored struct {
	row  state.Row
	id   Identity
	keys map[state.Side]mail.Key
	done bool // it was delivered somewhere
}

func (u *undoing) restoreBatch(ctx context.Context, folder string, batch []*lostMessage, rows map[int64]*state.Row) error {
	back := make([]restored, len(batch))
	for i, l := range batch {
		back[i] = restored{row: state.Row{Flags: l.Before, Date: l.Date, Size: -1}, keys: map[state.Side]mail.Key{}}
		if row := rows[l.Row]; row != nil && l.Row != 0 {
			back[i].row = *row
		}
	}
	if err := u.already(ctx, folder, batch, back, rows); err != nil {
		return err
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		there, err := u.there(ctx, folder, side, back)
		if err != nil {
			return err
		}
		var need []int
		for i, l := range batch {
			if there[back[i].row.Key(side)] {
				back[i].keys[side] = back[i].row.Key(side)
			} else if back[i].keys[side] != "" {
				// It is back already, and the state is to know it.
			} else if l.written.Has(side) || l.Row != 0 && u.may(side, OpNew) {
				need = append(need, i)
			}
		}
		if len(need) == 0 {
			continue
		}
		if err := u.ensure(ctx, side, folder); err != nil {
			return err
		}
		if err := u.deliver(ctx, folder, side, batch, back, need); err != nil {
			return err
		}
	}
	return u.record(ctx, folder, batch, back)
}

// there finds out which messages a side still has.
func (u *undoing) there(ctx context.Context, folder string, side state.Side, back []restored) (map[mail.Key]bool, error) {
	there := map[mail.Key]bool{}
	var keys mail.KeySet
	for _, b := range back {
		if k := b.row.Key(side); k != "" {
			keys.Add(k)
		}
	}
	if _, listed := u.listed[side][folder]; !listed || keys.Empty() {
		return there, nil
	}
	return there, u.e.store(side).Describe(ctx, u.ref(side, folder), keys, 0, func(ds []mail.Description) error {
		for _, d := range ds {
			there[d.Key] = true
		}
		return nil
	})
}

// deliver puts messages on one side, and notes the keys they were given.
func (u *undoing) deliver(ctx context.Context, folder string, side state.Side, batch []*lostMessage, back []restored, need []int) error {
	store := u.e.store(side)
	ref := mail.Ref{Name: folder}
	reserved, err := store.Reserve(ctx, ref, len(need))
	if err != nil {
		return err
	}
	ref.Epoch = reserved.Epoch
	var deliveries []driver.Delivery
	var items []int // of back, one for each delivery
	missing := 0
	for n, i := range need {
		var key mail.Key
		if len(reserved.Keys) > n {
			key = reserved.Keys[n]
		}
		closer, body, err := u.e.Spool.Open(batch[i].Spool)
		if err != nil {
			missing++
			u.e.Log.Warn("restoring a message", "error", err)
			continue
		}
		var tap headerTap
		body.Reader = tapped(body.Reader, &tap)
		d, err := store.Deliver(ctx, ref, mail.Meta{Key: key, Flags: back[i].row.Flags, Size: body.Size, Date: back[i].row.Date}, body)
		if closeErr := closer.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			for _, d := range deliveries {
				d.Abort()
			}
			u.e.giveBack(ctx, side, ref)
			return err
		}
		back[i].id = tap.identity()
		deliveries, items = append(deliveries, d), append(items, i)
	}
	placed, err := store.Commit(ctx, ref, deliveries)
	if err != nil {
		return err
	}
	var failed []error
	done := 0
	for n, p := range placed {
		if p.Err != nil {
			failed = append(failed, p.Err)
			continue
		}
		done++
		one := &back[items[n]]
		one.keys[side], one.done = p.Key, true
		one.row.Flags = one.row.Flags.Intersect(p.Flags)
	}
	u.e.report.count(&u.e.report.Restored, done)
	if missing > 0 {
		if err := u.missed(ctx, folder, "%d messages that the run removed are not kept any more, for the %s side", missing, side); err != nil {
			return err
		}
	}
	return u.e.allFailed(ctx, folder, failed)
}

// record makes pairs of what both sides have again. A copy whose key the store
// did not tell is paired by the next sync, by what it is.
func (u *undoing) record(ctx context.Context, folder string, batch []*lostMessage, back []restored) error {
	var change state.Change
	for i, b := range back {
		if !b.done {
			continue
		}
		ev := eventOf(logRestore, 0, &b.row, u.kind)
		ev.Spool, ev.MessageID, ev.Row = batch[i].Spool, b.id.MessageID, batch[i].Row
		if b.keys[state.Far] != "" && b.keys[state.Near] != "" {
			row := b.row
			row.Far, row.Near, row.Size, row.Ident = b.keys[state.Far], b.keys[state.Near], b.id.Size, b.id.Header
			row.Status, row.Note = state.StatusPair, ""
			change.Put = append(change.Put, row)
			ev.Put, ev.Was, ev.Row = len(change.Put), batch[i].Row, 0
			ev.Far, ev.Near = row.Far, row.Near
		}
		u.e.journal(&change, ev)
	}
	if len(change.Journal) == 0 {
		return nil
	}
	return u.e.State.Commit(ctx, folder, &change)
}
