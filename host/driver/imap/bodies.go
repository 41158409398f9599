package imap

import (
	"context"
	"errors"
	"io"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// bodyItems is what Bodies fetches.
const bodyItems = hasFlags | hasDate | hasBody

// maxDeaths is how many messages may each cut the connection twice before
// Bodies gives up.
const maxDeaths = 3

// Bodies streams content from the socket to fn where a connection is left for
// others meanwhile, and through a spool where not. Content comes in the order in
// which the server gives it, which is the order of keys; messages that had to be
// asked for again come last.
func (d *Driver) Bodies(ctx context.Context, folder mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	box, err := d.names.forServer(folder.Name)
	if err != nil {
		return err
	}
	t := &transfer{d: d, box: box, epoch: folder.Epoch, fn: fn, keys: keys}
	for left := t.left(); !left.Empty(); left = t.left() {
		if err = t.attempt(ctx, left); err == nil {
			break
		}
		if err = t.survive(ctx, err, left); err != nil {
			return err
		}
	}
	if err := t.again(ctx); err != nil {
		return err
	}
	return t.failed.OrNil()
}

// transfer is one call of Bodies.
type transfer struct {
	d     *Driver
	box   mailbox
	epoch string
	fn    func(mail.Meta, mail.Body) error

	keys   mail.KeySet
	over   mail.KeySet // handed out, or failed
	stuck  int         // connections that ended in a row without a message done
	deaths int         // messages given up because of that
	failed driver.Partial
}

// left returns what is neither handed out nor failed.
func (t *transfer) left() mail.KeySet { return minus(t.keys, t.over) }

// attempt asks for messages once. It returns nil when the server has answered,
// if only with NO.
func (t *transfer) attempt(ctx context.Context, left mail.KeySet) error {
	if !t.d.pool.stream() {
		return t.spooled(ctx, left)
	}
	defer t.d.pool.endStream()
	s, err := t.d.borrow(ctx, t.box.name)
	if err != nil {
		return &callbackError{err} // no connection is to be had
	}
	defer t.d.pool.giveBack(s)
	return t.stream(ctx, s, left)
}

// survive decides what to do when an attempt failed. It returns nil when another
// one is worth it.
func (t *transfer) survive(ctx context.Context, err error, left mail.KeySet) error {
	var stop *callbackError
	if errors.As(err, &stop) {
		return stop.err
	}
	if ctx.Err() != nil || !errors.Is(err, fault.Network) || t.d.pool.isClosed() {
		return t.d.closedErr(err)
	}
	now := t.left()
	if now.Len() < left.Len() {
		t.stuck = 0
	}
	t.stuck++
	t.d.log.Debug("connection lost while reading messages", "folder", t.box.name, "left", now.Len(), "error", err)
	if t.stuck < 2 || now.Empty() {
		return nil
	}
	// Is it the network, or a message that ends every connection?
	if t.deaths++; t.deaths > maxDeaths {
		return err
	}
	if err := t.d.with(ctx, t.box.name, false, func(ctx context.Context, s *session) error {
		_, err := s.Do(ctx, conn.Cmd("NOOP"), nil)
		return err
	}); err != nil {
		return err
	}
	first, _ := bounds(now)
	t.fail(mail.UIDKey(first), err)
	t.stuck = 0
	return nil
}

// callbackError is an error on its way out that ends Bodies: mostly one of fn.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }
func (e *callbackError) Unwrap() error { return e.err }

// hand gives one message to fn.
func (t *transfer) hand(ctx context.Context, rec *record, size int64, r io.Reader) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m := rec.meta()
	m.Size = size
	if err := t.fn(m, mail.Body{Reader: r, Size: size, LineEnds: mail.CRLF}); err != nil {
		return &callbackError{err}
	}
	return nil
}

func (t *transfer) finished(uid uint32) { t.over.AddUIDs(uid, uid) }

func (t *transfer) fail(k mail.Key, err error) {
	t.failed.Fail(k, err)
	t.over.Add(k)
}

// again asks once more for what the server left out, and finds out what is gone.
func (t *transfer) again(ctx context.Context) error {
	left := t.left()
	if left.Empty() {
		return nil
	}
	err := t.d.persist(ctx, t.box, t.epoch, left, bodyItems, func(list []record, sp *spool) error {
		for i := range list {
			if err := t.hand(ctx, &list[i], list[i].span.size, sp.reader(list[i].span)); err != nil {
				return err
			}
			t.finished(list[i].uid)
		}
		return nil
	}, t.fail)
	var stop *callbackError
	if errors.As(err, &stop) {
		return stop.err
	}
	return err
}
