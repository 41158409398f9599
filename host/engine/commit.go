package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// commit makes a batch durable on the target and records its pairs. The intents
// of messages that were not there any more, or that failed, end with it.
func (c *copier) commit(ctx context.Context, b *batch) error {
	placed, err := c.e.store(c.to).Commit(ctx, c.ref, b.deliveries)
	if err != nil {
		return err
	}
	var change state.Change
	var failed []error
	var names []string // the Message-IDs of change.Put
	copied, refused := 0, 0
	var mark mail.Mark
	for i, p := range placed {
		row := b.rows[i]
		mark = mark.Plus(p.Mark)
		source := row.Key(c.from)
		if p.Err != nil {
			if !definite(p.Err) {
				delete(b.intents, source) // it may have arrived: the next run finds out
				c.fp.blocked.Store(true)
				failed = append(failed, withKey(p.Err, source))
				continue
			}
			aside, again := c.setAside(row, p.Err)
			if c.step.Form == FormUpgrade { // its placeholder stays
				aside, again = nil, true
			}
			if again {
				c.fp.blocked.Store(true)
			}
			if aside == nil {
				failed = append(failed, withKey(p.Err, source))
				continue
			}
			change.Put = append(change.Put, *aside)
			names = append(names, b.names[i])
			failed = append(failed, refusedError(p.Err, source, again))
			refused++
			continue
		}
		copied++
		sent := b.sent[i]
		if c.step.Form == FormUpgrade {
			c.gave(source, sent.flags)
		}
		c.e.keepApart(c.fp, c.to, &row, sent.flags.Intersect(p.Dropped))
		row.Flags = row.Flags.Minus(sent.flags.Minus(p.Flags))
		kept := Identity{Header: sent.id.Header, Size: sent.id.Size, HasID: true}
		placeholder := row.Status == state.StatusPlaceholder
		if a := p.Altered; a != nil { // the two copies have no identity in common
			kept = HeaderIdentity(a.Header, kept.Size+a.Grown)
			if !placeholder {
				row.Size, row.Ident = -1, ""
			}
		}
		if b.altered[i] && !placeholder {
			row.Size, row.Ident = -1, ""
		}
		if p.Key == "" {
			c.unnamed = append(c.unnamed, row)
			c.names = append(c.names, b.names[i])
			c.kept = append(c.kept, kept)
			c.intents = append(c.intents, b.intents[source].ID)
			delete(b.intents, source)
			continue
		}
		if c.to == state.Far {
			row.Far = p.Key
		} else {
			row.Near = p.Key
		}
		change.Put = append(change.Put, row)
		names = append(names, b.names[i])
	}
	for _, in := range b.intents {
		change.Settle = append(change.Settle, in.ID)
	}
	if err := c.keywords(ctx, change.Put); err != nil {
		return err
	}
	c.journal(&change, names)
	if err := c.recordWith(ctx, &change); err != nil {
		return err
	}
	c.fp.advance(c.to, mark)
	c.joined(change.Put)
	if refused > 0 {
		c.fp.refused += refused
		c.e.refusing.Store(true)
	}
	if c.to == state.Near {
		c.e.report.count(&c.e.report.Pulled, copied)
	} else {
		c.e.report.count(&c.e.report.Pushed, copied)
	}
	c.e.counter.add(c.fp.Name, copied, b.bytes)
	if full := overQuota(placed); full != nil {
		c.overQuota.CompareAndSwap(nil, full)
		return nil
	}
	return c.e.allFailed(ctx, c.fp.Name, failed)
}

// gave remembers the flags that a message was given to the target with, where the
// row agrees on others: what of them is not there was not kept.
func (c *copier) gave(source mail.Key, flags mail.Flags) {
	if c.flags == nil {
		c.flags = map[mail.Key]mail.Flags{}
	}
	c.flags[source] = flags
}

// given returns the flags that the message of a row was given to the target with.
func (c *copier) given(row *state.Row) mail.Flags {
	if flags, ok := c.flags[row.Key(c.from)]; ok {
		return flags
	}
	return row.Flags
}

// joined tells the rows of messages that got a copy again what they are now, and
// notes which placeholders are of no use any more.
func (c *copier) joined(rows []state.Row) {
	for _, row := range rows {
		it, known := c.known[row.Key(c.from)]
		if !known {
			continue
		}
		if c.step.Form == FormUpgrade && row.Status == state.StatusPair {
			c.fp.replaced = append(c.fp.replaced, replaced{key: it.row.Near, flags: it.extra().placeholder, by: row.Near})
		}
		*it.row = row
	}
}

// keywords takes from rows the keywords that the store dropped without a word,
// as some servers do: agreed on, they would count as removed there by the next
// run, and be removed from the source.
func (c *copier) keywords(ctx context.Context, rows []state.Row) error {
	at := map[mail.Key]*state.Row{}
	var keys mail.KeySet
	for i := range rows {
		key := rows[i].Key(c.to)
		if _, isUID := key.UID(); isUID && len(rows[i].Flags.Keywords()) > 0 {
			at[key] = &rows[i]
			keys.Add(key)
		}
	}
	if keys.Empty() {
		return nil
	}
	err := c.e.store(c.to).Describe(ctx, c.ref, keys, 0, func(ds []mail.Description) error {
		for _, d := range ds {
			if row := at[d.Key]; row != nil {
				dropped := c.given(row).Minus(d.Flags).OnlyKeywords()
				row.Flags = row.Flags.Minus(dropped)
				c.e.keepApart(c.fp, c.to, row, dropped)
			}
		}
		return nil
	})
	if _, partial := driver.AsPartial(err); partial {
		return nil
	}
	return err
}

// journal tells about the rows that a change makes, each with its Message-ID.
func (c *copier) journal(change *state.Change, names []string) {
	for i := range change.Put {
		ev := eventOf(string(c.step.Op), c.to, &change.Put[i], c.step.Reason)
		if change.Put[i].Status == state.StatusRefused {
			ev.Op, ev.Reason = logRefuse, answered(change.Put[i])
		}
		ev.Put, ev.MessageID = i+1, names[i]
		if was := c.moves[change.Put[i].Key(c.from)]; was != nil {
			ev.Was, ev.Other = was.was, c.step.Folder
		}
		c.e.journal(change, ev)
	}
}

// definite reports whether a refused delivery certainly did not take place: the
// store answered. Silence says nothing.
func definite(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Network, fault.Stopped, fault.Crashed, fault.IO, fault.Protocol:
		return fault.IsFinal(err)
	}
	return true
}
