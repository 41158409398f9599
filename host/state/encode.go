package state

import (
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// What is kept crosses a channel as lists of columns: rows come in hundreds of
// thousands, and naming each column of each would double them.

// columns reads such a list. The first column of a wrong type makes err, and
// the rest read as their zero value.
type columns struct {
	left wire.List
	err  error
}

func readColumns(v wire.Value, n int) *columns {
	list, ok := v.(wire.List)
	if !ok || len(list) != n {
		return &columns{err: malformed("%d columns expected", n)}
	}
	return &columns{left: list}
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Protocol, "read what another worker sent", format, args...)
}

func next[T any](c *columns) (out T) {
	if c.err != nil {
		return out
	}
	v, ok := c.left[0].(T)
	if !ok {
		c.err = malformed("a column is a %T", c.left[0])
		return out
	}
	c.left = c.left[1:]
	return v
}

func (c *columns) text() string  { return next[string](c) }
func (c *columns) key() mail.Key { return mail.Key(next[string](c)) }
func (c *columns) side() Side {
	s := Side(next[int64](c))
	if c.err == nil && s != Far && s != Near {
		c.err = malformed("a side is %d", s)
	}
	return s
}

func encodeInfo(i Info) wire.Value {
	return wire.List{i.Account, i.Run, i.Pending, i.FarMark, i.NearMark}
}

func decodeInfo(v wire.Value) (Info, error) {
	c := readColumns(v, 5)
	return Info{Account: c.text(), Run: next[int64](c), Pending: next[int64](c), FarMark: next[int64](c), NearMark: next[int64](c)}, c.err
}

func encodeFolder(f Folder) wire.Value {
	return wire.List{f.Far, f.Near, f.FarEpoch, f.NearEpoch, string(f.FarCursor), string(f.NearCursor), f.Policy,
		f.FarID, f.NearID, int64(f.Messages), int64(f.Open), int64(f.Refused), int64(f.Ambiguous)}
}

func decodeFolder(v wire.Value) (Folder, error) {
	c := readColumns(v, 13)
	return Folder{
		Far: c.text(), Near: c.text(), FarEpoch: c.text(), NearEpoch: c.text(),
		FarCursor: mail.Cursor(c.text()), NearCursor: mail.Cursor(c.text()), Policy: c.text(),
		FarID: c.text(), NearID: c.text(), Messages: int(next[int64](c)), Open: int(next[int64](c)), Refused: int(next[int64](c)),
		Ambiguous: int(next[int64](c)),
	}, c.err
}

func encodeRow(r Row) wire.Value {
	return wire.List{r.ID, string(r.Far), string(r.Near), r.Flags, r.Size, r.Date, r.Ident, string(r.Status), r.Note,
		r.FarOnly, r.NearOnly}
}

func decodeRow(v wire.Value) (Row, error) {
	c := readColumns(v, 11)
	return Row{
		ID: next[int64](c), Far: c.key(), Near: c.key(), Flags: next[mail.Flags](c),
		Size: next[int64](c), Date: next[time.Time](c), Ident: c.text(),
		Status: Status(c.text()), Note: c.text(),
		FarOnly: next[mail.Flags](c), NearOnly: next[mail.Flags](c),
	}, c.err
}

func encodeKnown(k Known) wire.Value { return wire.List{string(k.Key), k.Flags, k.Odd} }

func decodeKnown(v wire.Value) (Known, error) {
	c := readColumns(v, 3)
	return Known{Key: c.key(), Flags: next[mail.Flags](c), Odd: next[bool](c)}, c.err
}

func encodeIntent(in Intent) wire.Value {
	return wire.List{
		in.ID, int64(in.To), string(in.Source), string(in.Target), string(in.Next), in.Epoch,
		in.Flags, in.Size, in.Date, in.Ident,
	}
}

func decodeIntent(v wire.Value) (Intent, error) {
	c := readColumns(v, 10)
	return Intent{
		ID: next[int64](c), To: c.side(), Source: c.key(), Target: c.key(), Next: c.key(), Epoch: c.text(),
		Flags: next[mail.Flags](c), Size: next[int64](c), Date: next[time.Time](c), Ident: c.text(),
	}, c.err
}

func encodeID(id int64) wire.Value { return id }

func decodeID(v wire.Value) (int64, error) {
	id, ok := v.(int64)
	if !ok {
		return 0, malformed("an ID is a %T", v)
	}
	return id, nil
}

func encodeAll[T any](items []T, encode func(T) wire.Value) wire.List {
	out := make(wire.List, len(items))
	for i, item := range items {
		out[i] = encode(item)
	}
	return out
}

func decodeAll[T any](v wire.Value, decode func(wire.Value) (T, error)) ([]T, error) {
	list, ok := v.(wire.List)
	if !ok {
		return nil, malformed("a list is a %T", v)
	}
	var out []T
	for _, item := range list {
		one, err := decode(item)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}
