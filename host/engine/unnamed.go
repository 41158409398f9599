package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// findUnnamed looks for what was delivered to a store that does not tell the
// keys it gives (IMAP without UIDPLUS), by identity among what came since the
// reservation. What is not found keeps its intent, and the next run looks again.
func (c *copier) findUnnamed(ctx context.Context) error {
	if len(c.unnamed) == 0 {
		return nil
	}
	sent := make([]described, len(c.unnamed))
	for i, row := range c.unnamed {
		sent[i] = described{
			meta: mail.Meta{Key: row.Key(c.from), Flags: row.Flags, Date: row.Date},
			id:   c.kept[i],
		}
	}
	r := &reading{e: c.e, p: pair{name: c.fp.Name}, results: map[state.Side]mail.Result{
		state.Far: {Epoch: c.fp.refs[state.Far].Epoch}, state.Near: {Epoch: c.fp.refs[state.Near].Epoch}}}
	arrived, err := c.arrivals(ctx, r)
	if err != nil {
		return err
	}
	far, near := arrived, sent
	if c.to == state.Near {
		far, near = sent, arrived
	}
	found := match(far, near)
	if c.step.Form == FormPlaceholder {
		// Equal placeholders stand for equal headers: which is which does not
		// matter, and there is no content to compare.
		found.inOrder()
	}
	if err := r.digest(ctx, found.unsure); err != nil {
		return err
	}
	for _, g := range found.unsure {
		found.pairs = append(found.pairs, g.settle()...)
	}
	alike, err := c.findAlike(ctx, r, far, near, found.pairs)
	if err != nil {
		return err
	}
	exact := len(found.pairs)
	found.pairs = append(found.pairs, alike...)
	bySource := make(map[mail.Key]int, len(c.unnamed))
	for i, row := range c.unnamed {
		bySource[row.Key(c.from)] = i
	}
	change := state.Change{}
	var names []string
	for n, p := range found.pairs {
		source, target := p[1], p[0]
		if c.to == state.Near {
			source, target = p[0], p[1]
		}
		i := bySource[source.Key]
		row := c.unnamed[i]
		if n >= exact && row.Status != state.StatusPlaceholder {
			row.Size, row.Ident = -1, ""
		}
		if c.to == state.Far {
			row.Far = target.Key
		} else {
			row.Near = target.Key
		}
		missing := c.given(&row).Minus(target.Flags)
		dropped := missing.OnlyKeywords()
		row.Flags = row.Flags.Minus(missing)
		c.e.keepApart(c.fp, c.to, &row, dropped)
		change.Put = append(change.Put, row)
		names = append(names, c.names[i])
		change.Settle = append(change.Settle, c.intents[i])
	}
	if missing := len(c.unnamed) - len(found.pairs); missing > 0 {
		c.fp.blocked.Store(true)
		err := fault.New(fault.Partial, "deliver to", "%d messages were accepted but not found afterwards", missing).
			InFolder(c.fp.Name).WithHint("the next run looks for them again")
		if err := c.e.folderFailed(ctx, c.fp.Name, err); err != nil {
			return err
		}
	}
	c.journal(&change, names)
	if err := c.e.State.Commit(ctx, c.fp.Name, &change); err != nil {
		return err
	}
	c.joined(change.Put)
	c.found = make(map[mail.Key]state.Row, len(change.Put))
	for _, row := range change.Put {
		c.found[row.Key(c.from)] = row
	}
	return nil
}

// findAlike looks among what is left for messages that the store has altered.
func (c *copier) findAlike(ctx context.Context, r *reading, far, near []described, pairs [][2]mail.Meta) ([][2]mail.Meta, error) {
	found := [2]map[mail.Key]bool{{}, {}}
	for _, p := range pairs {
		found[0][p[0].Key], found[1][p[1].Key] = true, true
	}
	var left [2][]mail.Meta
	for i, list := range [][]described{far, near} {
		for _, d := range list {
			if !found[i][d.meta.Key] {
				left[i] = append(left[i], d.meta)
			}
		}
	}
	return r.pairAlike(ctx, left[0], left[1])
}

// arrivals describes the messages of the target that came since the reservation.
func (c *copier) arrivals(ctx context.Context, r *reading) ([]described, error) {
	var fresh []mail.Meta
	_, err := c.e.store(c.to).Changes(ctx, c.ref, "", func(batch []mail.Meta) error {
		for _, m := range batch {
			if m.Key >= c.announcing.reserved.Next {
				fresh = append(fresh, m)
			}
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	return r.describe(ctx, c.to, fresh)
}
