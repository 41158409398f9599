package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// delivery is a message between Deliver and Commit.
type delivery struct {
	store   *Store
	folder  string
	epoch   uint32
	msg     *message
	eager   bool       // it is in the folder already
	dropped mail.Flags // what there is no room for
	err     error      // why this one message is refused
	ended   bool
}

// Reserve tells UIDNEXT, or chooses keys.
func (s *Store) Reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	ctx, done, err := s.begin(ctx, OpReserve, ref.Name)
	if err != nil {
		return mail.Reservation{}, err
	}
	defer done()
	s.mu.Lock()
	f, err := s.find(OpReserve, ref)
	if err != nil {
		s.mu.Unlock()
		return mail.Reservation{}, err
	}
	r := mail.Reservation{Epoch: f.epochString()}
	if s.opts.Maildir {
		for range n {
			r.Keys = append(r.Keys, s.chooseKey())
		}
	} else {
		r.Next = mail.UIDKey(f.next)
	}
	s.mu.Unlock()
	return r, s.finish(ctx, OpReserve, ref.Name)
}

// chooseKey makes a key that was never used. s.mu is held.
func (s *Store) chooseKey() mail.Key {
	s.serial++
	return mail.Key(fmt.Sprintf("%d.M%06dQ%d.memory", s.opts.Now().Unix(), s.serial, s.serial))
}

// Deliver reads the whole message.
func (s *Store) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	ctx, done, err := s.begin(ctx, OpDeliver, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()

	s.mu.Lock()
	f, err := s.find(OpDeliver, ref)
	if err == nil && f.readOnly {
		err = fault.New(fault.ReadOnly, string(OpDeliver), "the folder is read only").InFolder(ref.Name)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}

	content, err := readAll(ctx, body)
	if err != nil {
		return nil, err
	}
	if s.opts.Maildir && body.LineEnds == mail.CRLF {
		content = toLF(content)
	} else if !s.opts.Maildir && body.LineEnds == mail.LF {
		content = toCRLF(content)
	}
	if m.Date.IsZero() {
		m.Date = s.opts.Now()
	}
	d := &delivery{store: s, folder: ref.Name, epoch: f.epoch, eager: s.opts.Eager,
		msg: &message{flags: m.Flags, date: m.Date.Truncate(time.Second), body: content}}
	if s.opts.Maildir {
		d.msg.key = m.Key
	}
	if d.err = s.acceptable(content); d.err != nil {
		return d, nil
	}
	if err := s.call(ctx, Call{Op: OpStore, Folder: ref.Name, Key: m.Key}); err != nil {
		if ends(ctx, err) {
			return nil, err
		}
		d.err = err
		return d, nil
	}
	if d.eager {
		s.mu.Lock()
		d.err = s.place(d)
		s.mu.Unlock()
	}
	if err := s.call(ctx, Call{Op: OpStore, Folder: ref.Name, Key: d.msg.key, Done: true}); err != nil {
		return nil, err
	}
	return d, s.finish(ctx, OpDeliver, ref.Name)
}

// readAll reads a body of exactly the size it has promised.
func readAll(ctx context.Context, body mail.Body) ([]byte, error) {
	var b bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := body.Read(buf)
		b.Write(buf[:n])
		switch {
		case int64(b.Len()) > body.Size:
			return nil, fault.New(fault.IO, string(OpDeliver), "the message is longer than its %d bytes", body.Size)
		case err == io.EOF && int64(b.Len()) < body.Size:
			return nil, fault.Wrap(fault.IO, string(OpDeliver), io.ErrUnexpectedEOF)
		case err == io.EOF:
			return b.Bytes(), nil
		case err != nil:
			return nil, err
		}
	}
}

// place puts a delivered message into its folder. s.mu is held.
func (s *Store) place(d *delivery) error {
	f := s.folders[d.folder]
	if f == nil || f.epoch != d.epoch {
		return fault.New(fault.NotFound, string(OpPlace), "the folder is gone").InFolder(d.folder)
	}
	if s.opts.Maildir && d.msg.key == "" {
		d.msg.key = s.chooseKey()
	}
	if d.msg.key != "" && f.get(d.msg.key) != nil {
		return fault.New(fault.Exists, string(OpPlace), "the key %s is taken", d.msg.key).InFolder(d.folder)
	}
	kept := f.allowed(d.msg.flags, s.opts.Keywords)
	d.msg.flags, d.dropped = kept, d.msg.flags.Minus(kept)
	f.put(d.msg)
	return nil
}

// Commit makes the batch visible.
func (s *Store) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	// Whatever happens, the deliveries are ended.
	defer func() {
		for _, d := range ds {
			d.Abort()
		}
	}()
	ctx, done, err := s.begin(ctx, OpCommit, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	s.mu.Lock()
	_, err = s.find(OpCommit, ref)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	out := make([]mail.Placed, len(ds))
	for i, one := range ds {
		d, ok := one.(*delivery)
		if !ok || d.store != s || d.folder != ref.Name {
			return nil, fault.New(fault.Internal, string(OpCommit), "a delivery is not of this folder").InFolder(ref.Name)
		}
		if d.err == nil {
			if err := s.call(ctx, Call{Op: OpPlace, Folder: ref.Name, Key: d.msg.key}); err != nil {
				if ends(ctx, err) {
					return nil, err
				}
				d.err = err
			}
		}
		if out[i], err = s.commit(d); err != nil {
			return nil, err
		}
		if err := s.call(ctx, Call{Op: OpPlace, Folder: ref.Name, Key: d.msg.key, Done: true}); err != nil {
			return nil, err
		}
	}
	return out, s.finish(ctx, OpCommit, ref.Name)
}

func (s *Store) commit(d *delivery) (mail.Placed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.ended {
		return mail.Placed{}, fault.New(fault.Internal, string(OpCommit), "a delivery was ended before").InFolder(d.folder)
	}
	if d.err == nil && !d.eager {
		d.err = s.place(d)
	}
	if d.err != nil {
		d.drop()
		return mail.Placed{Err: d.err}, nil
	}
	d.ended = true
	p := mail.Placed{Key: d.msg.key, Flags: d.msg.flags, Dropped: d.dropped, Mark: d.store.markOf(d.msg)}
	if s.opts.NoUIDPlus && !s.opts.Maildir {
		p.Key = ""
	}
	return p, nil
}

// Abort takes an eager message away again, as STORE and UID EXPUNGE do.
func (d *delivery) Abort() {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.drop()
}

func (d *delivery) drop() {
	if d.ended {
		return
	}
	d.ended = true
	f := d.store.folders[d.folder]
	if d.eager && d.msg.key != "" && f != nil && f.epoch == d.epoch && f.get(d.msg.key) != nil {
		f.remove(d.msg.key)
	}
}
