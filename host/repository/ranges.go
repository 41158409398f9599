package repository

import (
	"context"
	"io"
	"sync"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// The shape of a Bodies that is spread over several endpoints: each reads a
// range of keys into a queue, and the caller gets the ranges one after the
// other, in order. The memory this takes is bounded by the queues.
const (
	rangeKeys   = 64       // keys of one range
	rangePiece  = 64 << 10 // octets of one item of a queue
	rangeItems  = 32       // items of a queue
	rangesAhead = 2        // ranges under way for each endpoint
)

// bodies reads content with s, whose turn the caller has, and with others that
// are free where the repository may use them.
func (r *Repository) bodies(ctx context.Context, s driver.Store, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	if r.opt.Ranges < 2 || keys.Len() < 2*rangeKeys {
		return s.Bodies(ctx, ref, keys, fn)
	}
	others := r.helpers(ref.Name)
	if len(others) == 0 {
		return s.Bodies(ctx, ref, keys, fn)
	}
	ctx, cancel := context.WithCancel(ctx)
	sp := &spread{ctx: ctx, ref: ref, ahead: make(chan *span, rangesAhead*(len(others)+1)), pieces: make(chan *span)}
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	readers.Go(func() { sp.cut(keys) })
	readers.Go(func() { sp.read(s, func() bool { return true }) })
	for _, m := range others {
		readers.Go(func() {
			defer r.pool.give(m, reading)
			// Whoever waits for an endpoint gets this one before long.
			sp.read(m.store, func() bool { return !r.pool.wanted() })
		})
	}
	return sp.merge(fn)
}

// helpers takes turns on endpoints that have nothing to do right now.
func (r *Repository) helpers(folder string) []*member {
	var out []*member
	for len(out) < r.opt.Ranges-1 {
		m := r.pool.tryTake(reading, folder)
		if m == nil {
			break
		}
		out = append(out, m)
	}
	return out
}

// spread is one Bodies over several endpoints.
type spread struct {
	ctx    context.Context
	ref    mail.Ref
	ahead  chan *span // in order, for the one who merges
	pieces chan *span // in order, for those who read
}

// span is one range of keys and the queue of what was read of it, which ends
// with err, io.EOF where all is well.
type span struct {
	keys  mail.KeySet
	queue chan item
}

// item is the beginning of a message, or a piece of one, or an end.
type item struct {
	meta *mail.Meta
	body mail.Body // without a reader
	data []byte
	err  error // io.EOF ends a message
	end  error // ends the range; io.EOF as it should
}

func (sp *spread) cut(keys mail.KeySet) {
	defer close(sp.ahead)
	defer close(sp.pieces)
	for part := range keys.Chunks(rangeKeys) {
		one := &span{part, make(chan item, rangeItems)}
		select {
		case sp.ahead <- one:
		case <-sp.ctx.Done():
			return
		}
		select {
		case sp.pieces <- one:
		case <-sp.ctx.Done():
			return
		}
	}
}

// read reads range after range as long as it may.
func (sp *spread) read(s driver.Store, may func() bool) {
	for may() {
		one, ok := <-sp.pieces
		if !ok {
			return
		}
		err := s.Bodies(sp.ctx, sp.ref, one.keys, func(m mail.Meta, body mail.Body) error {
			return sp.queue(one, m, body)
		})
		if err == nil {
			err = io.EOF
		}
		_ = sp.put(one, item{end: err})
	}
}

func (sp *spread) put(one *span, it item) error {
	select {
	case one.queue <- it:
		return nil
	case <-sp.ctx.Done():
		return context.Cause(sp.ctx)
	}
}

func (sp *spread) queue(one *span, m mail.Meta, body mail.Body) error {
	if err := sp.put(one, item{meta: &m, body: mail.Body{Size: body.Size, LineEnds: body.LineEnds, Altered: body.Altered}}); err != nil {
		return err
	}
	left := body.Size
	for {
		data := make([]byte, min(rangePiece, max(left, 0)+1))
		n, err := io.ReadFull(body, data)
		left -= int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF { // ReadFull says either
			err = io.ErrUnexpectedEOF
			if left <= 0 {
				err = io.EOF
			}
		}
		if err := sp.put(one, item{data: data[:n], err: err}); err != nil {
			return err
		}
		if err != nil {
			return nil // what it means is for the caller to say
		}
	}
}

// merge hands out the ranges in order.
func (sp *spread) merge(fn func(mail.Meta, mail.Body) error) error {
	var partial driver.Partial
	for one := range sp.ahead {
		for {
			it, err := sp.next(one)
			if err != nil {
				return err
			}
			if it.end != nil {
				if p, ok := driver.AsPartial(it.end); ok {
					for k, why := range p.Failed {
						partial.Fail(k, why)
					}
				} else if it.end != io.EOF {
					return it.end
				}
				break
			}
			if it.meta == nil {
				return fault.New(fault.Internal, "read", "a message without its beginning").InFolder(sp.ref.Name)
			}
			r := &reader{sp: sp, one: one}
			it.body.Reader = r
			if err := fn(*it.meta, it.body); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, r); err != nil && r.broken {
				return err
			}
		}
	}
	if sp.ctx.Err() != nil {
		return context.Cause(sp.ctx)
	}
	return partial.OrNil()
}

func (sp *spread) next(one *span) (item, error) {
	select {
	case it := <-one.queue:
		return it, nil
	case <-sp.ctx.Done():
		return item{}, context.Cause(sp.ctx)
	}
}

// reader reads one message from a queue.
type reader struct {
	sp     *spread
	one    *span
	data   []byte
	err    error
	broken bool // the queue itself has ended
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.data) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		it, err := r.sp.next(r.one)
		if err != nil {
			r.err, r.broken = err, true
		} else {
			r.data, r.err = it.data, it.err
		}
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}
