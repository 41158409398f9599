package state

import (
	"time"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

func encodeEvent(e Event) wire.Value {
	return wire.List{
		e.ID, e.Run, e.At, e.Folder, e.Row, int64(e.Put), e.Op, int64(e.Side), string(e.Far), string(e.Near), e.MessageID,
		e.Before, e.After, e.Date, e.Other, e.Spool, e.Reason, e.Was,
	}
}

func decodeEvent(v wire.Value) (Event, error) {
	c := readColumns(v, 18)
	return Event{
		ID: next[int64](c), Run: next[int64](c), At: next[time.Time](c), Folder: c.text(), Row: next[int64](c), Put: int(next[int64](c)),
		Op: c.text(), Side: Side(next[int64](c)), Far: c.key(), Near: c.key(), MessageID: c.text(),
		Before: next[mail.Flags](c), After: next[mail.Flags](c), Date: next[time.Time](c),
		Other: c.text(), Spool: c.text(), Reason: c.text(), Was: next[int64](c),
	}, c.err
}

func encodeRun(r Run) wire.Value {
	counts := wire.List{}
	for _, c := range r.Events {
		counts = append(counts, wire.List{c.Op, int64(c.Side), c.Count})
	}
	return wire.List{r.ID, r.Kind, r.Began, r.Ended, r.Outcome, counts}
}

func decodeRun(v wire.Value) (Run, error) {
	c := readColumns(v, 6)
	r := Run{ID: next[int64](c), Kind: c.text(), Began: next[time.Time](c), Ended: next[time.Time](c), Outcome: c.text()}
	counts, err := decodeAll(next[wire.List](c), func(v wire.Value) (Count, error) {
		c := readColumns(v, 3)
		return Count{Op: c.text(), Side: Side(next[int64](c)), Count: next[int64](c)}, c.err
	})
	if c.err == nil {
		c.err = err
	}
	r.Events = counts
	return r, c.err
}
