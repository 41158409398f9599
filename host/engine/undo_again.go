package engine

import (
	"context"
	"io"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What a run removed may be back before it is undone: an undo that was cut short
// put it back, and a sync recorded that or did not come to it; or the user did. It
// must not be put back a second time.

// returned is a message that came to a folder after the run that is undone.
type returned struct {
	row  *state.Row // where the state knows it
	side state.Side // where it was looked at
	key  mail.Key
}

// laterRows are the rows that the runs after the one that is undone made.
func (u *undoing) laterRows(ctx context.Context, runs []state.Run) error {
	u.later = map[int64]bool{}
	for _, r := range runs {
		if r.ID <= u.run {
			continue
		}
		err := u.e.State.Events(ctx, state.Query{Run: r.ID}, func(batch []state.Event) error {
			for _, ev := range batch {
				if ev.Row != 0 && (Op(ev.Op) == OpPull || Op(ev.Op) == OpPush || ev.Op == logPair || ev.Op == logRestore) {
					u.later[ev.Row] = true
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// already finds out which messages of a batch are back in their folder, and notes
// where.
func (u *undoing) already(ctx context.Context, folder string, batch []*lostMessage, back []restored, rows map[int64]*state.Row) error {
	there := map[sameHeader][]returned{}
	for _, side := range []state.Side{state.Far, state.Near} {
		if err := u.came(ctx, folder, side, rows, there); err != nil {
			return err
		}
	}
	if len(there) == 0 {
		return nil
	}
	for i, l := range batch {
		id, err := u.keptIdentity(l.Spool)
		if err != nil {
			continue // what cannot be opened is told when it is delivered
		}
		at := sameHeader{id.Header, id.bare()}
		there[at] = u.take(there[at], &back[i], id)
	}
	return nil
}

// take notes where a message is: a pair of the state, or a copy on each side where
// none is left.
func (u *undoing) take(list []returned, b *restored, id Identity) (rest []returned) {
	taken := [state.Near + 1]bool{state.Far: b.row.Far != "", state.Near: b.row.Near != ""}
	for _, r := range list {
		switch {
		case r.row != nil && !taken[state.Far] && !taken[state.Near]:
			b.row, taken = *r.row, [state.Near + 1]bool{state.Far: true, state.Near: true}
		case r.row == nil && !taken[r.side]:
			b.keys[r.side], b.id, b.done, taken[r.side] = r.key, id, true, true
		default:
			rest = append(rest, r)
		}
	}
	return rest
}

// came adds the messages of a folder that came to a side since the run, by what
// they are. A pair of the state is looked at on one side only.
func (u *undoing) came(ctx context.Context, folder string, side state.Side, rows map[int64]*state.Row, there map[sameHeader][]returned) error {
	if _, listed := u.listed[side][folder]; !listed {
		return nil
	}
	known := map[mail.Key]*state.Row{}
	for _, r := range rows {
		if k := r.Key(side); k != "" {
			known[k] = r
		}
	}
	ref := mail.Ref{Name: folder}
	var keys mail.KeySet
	_, err := u.e.store(side).Changes(ctx, ref, "", func(metas []mail.Meta) error {
		for _, m := range metas {
			if r := known[m.Key]; r == nil || u.later[r.ID] && (side == state.Far || r.Far == "") {
				keys.Add(m.Key)
			}
		}
		return nil
	})
	if err != nil || keys.Empty() {
		return err
	}
	err = u.e.store(side).Describe(ctx, ref, keys, mail.WantHeader|mail.WantCRLFSize, func(ds []mail.Description) error {
		for _, d := range ds {
			id := HeaderIdentity(d.Header, d.CRLFSize)
			at := sameHeader{id.Header, id.bare()}
			there[at] = append(there[at], returned{known[d.Key], side, d.Key})
		}
		return nil
	})
	return asFarAsPossible(err)
}

// keptIdentity returns what a message in the spool is.
func (u *undoing) keptIdentity(name string) (Identity, error) {
	closer, body, err := u.e.Spool.Open(name)
	if err != nil {
		return Identity{}, err
	}
	defer closer.Close()
	var tap headerTap
	_, err = io.Copy(io.Discard, tapped(body.Reader, &tap))
	return tap.identity(), err
}
