package state

import (
	"context"
	"io"
	"slices"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// A change crosses a channel in parts, since it may be larger than one value: a
// head, then batches, each naming the field it belongs to.
const (
	partIntend = "intend"
	partSettle = "settle"
	partPut    = "put"
	partDrop   = "drop"
	partLog    = "log"
)

// encodeHead writes the parts of a change that do not grow.
func encodeHead(folder string, c *Change) wire.Value {
	head := wire.List{folder, c.Forget, c.Later, nil}
	if c.Folder != nil {
		head[3] = encodeFolder(*c.Folder)
	}
	return head
}

func decodeHead(v wire.Value) (folder string, c *Change, err error) {
	cols := readColumns(v, 4)
	folder, c = cols.text(), &Change{Forget: next[bool](cols), Later: next[bool](cols)}
	if cols.err == nil && cols.left[0] != nil {
		record, err := decodeFolder(cols.left[0])
		if err != nil {
			return "", nil, err
		}
		c.Folder = &record
	}
	return folder, c, cols.err
}

func sendChange(ctx context.Context, s worker.Stream, c *Change) error {
	if err := sendParts(ctx, s, partIntend, c.Intend, encodeIntent); err != nil {
		return err
	}
	if err := sendParts(ctx, s, partSettle, c.Settle, encodeID); err != nil {
		return err
	}
	if err := sendParts(ctx, s, partPut, c.Put, encodeRow); err != nil {
		return err
	}
	if err := sendParts(ctx, s, partDrop, c.Drop, encodeID); err != nil {
		return err
	}
	if err := sendParts(ctx, s, partLog, c.Journal, encodeEvent); err != nil {
		return err
	}
	return s.CloseSend()
}

func sendParts[T any](ctx context.Context, s worker.Stream, name string, items []T, encode func(T) wire.Value) error {
	for batch := range slices.Chunk(items, batchRows) {
		if err := s.Send(ctx, wire.List{name, encodeAll(batch, encode)}); err != nil {
			return err
		}
	}
	return nil
}

// recvChange reads the batches of a change up to the end of the stream.
func recvChange(ctx context.Context, s worker.Stream, c *Change) error {
	for {
		item, err := s.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.add(item)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Change) add(item wire.Value) error {
	cols := readColumns(item, 2)
	name := cols.text()
	if cols.err != nil {
		return cols.err
	}
	switch batch := cols.left[0]; name {
	case partIntend:
		return appendAll(&c.Intend, batch, decodeIntent)
	case partSettle:
		return appendAll(&c.Settle, batch, decodeID)
	case partPut:
		return appendAll(&c.Put, batch, decodeRow)
	case partDrop:
		return appendAll(&c.Drop, batch, decodeID)
	case partLog:
		return appendAll(&c.Journal, batch, decodeEvent)
	}
	return malformed("a change has no part %q", name)
}

func appendAll[T any](to *[]T, batch wire.Value, decode func(wire.Value) (T, error)) error {
	items, err := decodeAll(batch, decode)
	*to = append(*to, items...)
	return err
}
