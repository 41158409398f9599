package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// Delta is what changed on one side of a folder since the state was recorded.
type Delta struct {
	New    Metas                // messages no row knows, in the order they were read
	Flags  map[int64]mail.Flags // flags now, of rows whose flags are not what the side had
	Gone   map[int64]bool       // rows whose message is not there any more
	Hidden map[int64]bool       // rows whose message a filter hides
	// Excluded are rows whose message is not to be kept near, and Kept those
	// that were not and are now. Of messages that were not read nothing is told.
	Excluded, Kept map[int64]bool
	Count          int // messages on this side now, as far as it is known
}

// comparer takes a side's messages as they are read, in any order, and finds
// out what is new, changed and gone. It is a pure function in pieces.
type comparer struct {
	side state.Side
	rows []state.Row
	keys keyIndex
	seen []bool
	// fresh tells where the messages of delta.New are. It is nil as long as they
	// came in the order of their keys, as most stores tell them: then none can
	// have come twice.
	fresh map[mail.Key]int
	last  mail.Key // of delta.New
	// beyond is how many more rows there are, of messages nothing happened to.
	beyond int
	delta  Delta
}

func newComparer(rows []state.Row, side state.Side) *comparer {
	c := &comparer{
		side: side, rows: rows, keys: newKeyIndex(rows, side), seen: make([]bool, len(rows)),
		delta: Delta{Flags: map[int64]mail.Flags{}, Gone: map[int64]bool{}, Hidden: map[int64]bool{},
			Excluded: map[int64]bool{}, Kept: map[int64]bool{}},
	}
	return c
}

// add takes one batch. A message that is reported twice counts as last told.
func (c *comparer) add(batch []mail.Meta) error {
	for _, m := range batch {
		i, known := c.keys.find(m.Key)
		if !known {
			c.addNew(m)
			continue
		}
		c.seen[i] = true
		id := c.rows[i].ID
		delete(c.delta.Flags, id)
		delete(c.delta.Hidden, id)
		switch {
		case m.Hidden:
			c.delta.Hidden[id] = true
		case !m.Flags.Equal(c.rows[i].Had(c.side)):
			c.delta.Flags[id] = m.Flags
		}
		c.delta.judge(c.rows[i], m)
	}
	return nil
}

func (c *comparer) addNew(m mail.Meta) {
	list := &c.delta.New
	if c.fresh == nil && (list.Len() == 0 || c.last < m.Key) {
		c.last = m.Key
		list.Add(m)
		return
	}
	if c.fresh == nil {
		c.fresh = make(map[mail.Key]int, list.Len())
		for i := range list.Len() {
			c.fresh[list.At(i).Key] = i
		}
	}
	if at, again := c.fresh[m.Key]; again {
		list.Set(at, m)
		return
	}
	c.fresh[m.Key] = list.Len()
	list.Add(m)
}

// judge notes whether a message of a row is to be kept near.
func (d Delta) judge(row state.Row, m mail.Meta) {
	delete(d.Excluded, row.ID)
	delete(d.Kept, row.ID)
	switch {
	case m.Hidden:
	case m.Excluded:
		d.Excluded[row.ID] = true
	case row.Note != "":
		d.Kept[row.ID] = true
	}
}

// finish takes the result of the reading and returns the delta.
func (c *comparer) finish(res mail.Result) Delta {
	c.delta.Count = c.beyond + c.delta.New.Len()
	for i, r := range c.rows {
		k := r.Key(c.side)
		if k == "" {
			continue
		}
		there := c.seen[i] || res.Present.Contains(k)
		gone := !there && (res.Complete || res.Gone.Contains(k))
		if gone && !res.Unsure {
			c.delta.Gone[r.ID] = true
			continue
		}
		c.delta.Count++
	}
	if !res.Gone.Empty() { // it came and went while we were reading
		c.delta.New = c.delta.New.Without(func(m mail.Meta) bool { return res.Gone.Contains(m.Key) })
	}
	c.delta.New.Freeze()
	return c.delta
}
