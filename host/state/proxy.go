package state

import (
	"context"
	"io"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Proxy returns the Store that a worker at the other end of ch serves. That
// worker opens and closes it: Open and Close do nothing here.
func Proxy(ch worker.Channel) Store { return proxy{ch} }

type proxy struct{ ch worker.Channel }

func (p proxy) Open(context.Context) error { return nil }
func (p proxy) Close() error               { return nil }

func (p proxy) local(ctx context.Context, op string, do localCall) error {
	_, err := p.ch.Call(ctx, &worker.Call{Op: op, Local: do})
	return err
}

func (p proxy) Info(ctx context.Context) (info Info, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callInfo, func(ctx context.Context, s Store) (err error) {
			info, err = s.Info(ctx)
			return err
		})
		return info, err
	}
	v, err := p.ch.Call(ctx, &worker.Call{Op: callInfo})
	if err != nil {
		return Info{}, err
	}
	return decodeInfo(v)
}

func (p proxy) SetInfo(ctx context.Context, info Info) error {
	if p.ch.Local() {
		return p.local(ctx, callSetInfo, func(ctx context.Context, s Store) error { return s.SetInfo(ctx, info) })
	}
	_, err := p.ch.Call(ctx, &worker.Call{Op: callSetInfo, Args: encodeInfo(info)})
	return err
}

func (p proxy) Folders(ctx context.Context) (folders []Folder, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callFolders, func(ctx context.Context, s Store) (err error) {
			folders, err = s.Folders(ctx)
			return err
		})
		return folders, err
	}
	return recvAll(ctx, p.ch, callFolders, nil, decodeFolder)
}

func (p proxy) Intents(ctx context.Context, folder string) (intents []Intent, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callIntents, func(ctx context.Context, s Store) (err error) {
			intents, err = s.Intents(ctx, folder)
			return err
		})
		return intents, err
	}
	return recvAll(ctx, p.ch, callIntents, wire.List{folder}, decodeIntent)
}

func (p proxy) Load(ctx context.Context, folder string, by Side, fn func([]Row) error) error {
	return handOut(ctx, p, callLoad, wire.List{folder, int64(by)}, decodeRow, fn,
		func(ctx context.Context, s Store, fn func([]Row) error) error { return s.Load(ctx, folder, by, fn) })
}

func (p proxy) Known(ctx context.Context, folder string, side Side, fn func([]Known) error) error {
	return handOut(ctx, p, callKnown, wire.List{folder, int64(side)}, decodeKnown, fn,
		func(ctx context.Context, s Store, fn func([]Known) error) error {
			return s.Known(ctx, folder, side, fn)
		})
}

// handOut makes a call that hands out batches: locally by do, or else on a stream.
func handOut[T any](ctx context.Context, p proxy, op string, args wire.List, decode func(wire.Value) (T, error), fn func([]T) error,
	do func(context.Context, Store, func([]T) error) error,
) error {
	var refused error // by fn; it goes back as it is
	read := func(items []T) error {
		// What was on its way when ctx ended is not handed out after it.
		if ctx.Err() != nil {
			return stopped(ctx, opLoad)
		}
		refused = fn(items)
		return refused
	}
	var err error
	if p.ch.Local() {
		err = p.local(ctx, op, func(ctx context.Context, s Store) error { return do(ctx, s, read) })
	} else {
		err = stream(ctx, p.ch, op, args, nil, func(item wire.Value) error {
			items, err := decodeAll(item, decode)
			if err != nil {
				return err
			}
			return read(items)
		})
	}
	if refused != nil {
		return refused
	}
	return err
}

func (p proxy) Find(ctx context.Context, folder string, wanted Wanted) (found Found, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callFind, func(ctx context.Context, s Store) (err error) {
			found, err = s.Find(ctx, folder, wanted)
			return err
		})
		return found, err
	}
	err = stream(ctx, p.ch, callFind, wire.List{folder, wanted.Far, wanted.Near, int64(wanted.Last)}, nil, func(item wire.Value) error {
		if n, first := item.(int64); first {
			found.Messages = int(n)
			return nil
		}
		return appendAll(&found.Rows, item, decodeRow)
	})
	return found, err
}

func (p proxy) Commit(ctx context.Context, folder string, c *Change) error {
	if p.ch.Local() {
		return p.local(ctx, callCommit, func(ctx context.Context, s Store) error { return s.Commit(ctx, folder, c) })
	}
	var ids []int64
	send := func(ctx context.Context, s worker.Stream) error { return sendChange(ctx, s, c) }
	err := stream(ctx, p.ch, callCommit, encodeHead(folder, c), send, func(item wire.Value) error {
		return appendAll(&ids, item, decodeID)
	})
	if err != nil {
		return err
	}
	if want := c.added(); len(ids) != want {
		return malformed("%d IDs for %d rows and intents", len(ids), want)
	}
	c.fillIn(ids[:len(c.Intend)], ids[len(c.Intend):])
	return nil
}

// recvAll makes a call whose answer is a stream of batches.
func recvAll[T any](ctx context.Context, ch worker.Channel, op string, args wire.Value, decode func(wire.Value) (T, error)) ([]T, error) {
	var out []T
	err := stream(ctx, ch, op, args, nil, func(item wire.Value) error { return appendAll(&out, item, decode) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// stream makes a call, sends what send has to, and hands out what comes back.
func stream(ctx context.Context, ch worker.Channel, op string, args wire.Value,
	send func(context.Context, worker.Stream) error, recv func(wire.Value) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := ch.Open(ctx, op, args)
	if err != nil {
		return err
	}
	if send != nil {
		// When the other side has stopped listening, its reply tells why.
		if err := send(ctx, s); err != nil {
			cancel()
			if _, reply := s.Wait(); reply != nil {
				return reply
			}
			return err
		}
	}
	for {
		item, err := s.Recv(ctx)
		if err == io.EOF {
			_, err = s.Wait()
			return err
		}
		if err == nil {
			err = recv(item)
		}
		if err != nil {
			cancel()
			_, _ = s.Wait() // ends the call; err is what it ended for
			return err
		}
	}
}
