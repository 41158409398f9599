package memory

import (
	"context"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Change applies changes in order.
func (s *Store) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	ctx, done, err := s.begin(ctx, OpChange, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	s.mu.Lock()
	f, err := s.find(OpChange, ref)
	if err == nil && f.readOnly {
		err = fault.New(fault.ReadOnly, string(OpChange), "the folder is read only").InFolder(ref.Name)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	out := make([]mail.Outcome, len(cs))
	for i, c := range cs {
		if err := s.call(ctx, Call{Op: OpApply, Folder: ref.Name, Key: c.Key}); err != nil {
			if ends(ctx, err) {
				return nil, err
			}
			out[i] = mail.Outcome{Key: c.Key, Err: err}
			continue
		}
		s.mu.Lock()
		out[i] = s.apply(ref.Name, c)
		s.mu.Unlock()
		if err := s.call(ctx, Call{Op: OpApply, Folder: ref.Name, Key: c.Key, Done: true}); err != nil {
			return nil, err
		}
	}
	return out, s.finish(ctx, OpChange, ref.Name)
}

// apply does one change. s.mu is held.
func (s *Store) apply(name string, c mail.Change) mail.Outcome {
	o := mail.Outcome{Key: c.Key}
	f := s.folders[name]
	if f == nil || f.get(c.Key) == nil {
		o.Gone = true
		return o
	}
	m := f.get(c.Key)
	switch c.Op {
	case mail.ChangeFlags:
		kept := f.allowed(c.Add, s.opts.Keywords)
		before := s.markOf(m)
		f.setFlags(m, m.flags.Minus(c.Remove).Union(kept))
		o.Flags, o.Dropped, o.Mark = f.get(c.Key).flags, c.Add.Minus(kept), s.markOf(f.get(c.Key)).Minus(before)
	case mail.ChangeRemove:
		o.Mark = mail.Mark{}.Minus(s.markOf(m))
		f.remove(c.Key)
	case mail.ChangeMove:
		s.move(f, m, c.To, &o)
	default:
		o.Err = fault.New(fault.Internal, string(OpApply), "change %d is unknown", c.Op)
	}
	return o
}

func (s *Store) move(f *folder, m *message, to string, o *mail.Outcome) {
	target := s.folders[to]
	switch {
	case target == nil:
		o.Err = fault.New(fault.NotFound, string(OpApply), "no such folder").InFolder(to)
		return
	case target.readOnly:
		o.Err = fault.New(fault.ReadOnly, string(OpApply), "the folder is read only").InFolder(to)
		return
	case target == f:
		o.Flags, o.NewKey = m.flags, m.key
		return
	}
	moved := *m
	if !s.opts.Maildir {
		moved.key = ""
	} else if target.get(m.key) != nil {
		moved.key = s.chooseKey()
	}
	moved.flags = target.allowed(m.flags, s.opts.Keywords)
	o.Dropped = m.flags.Minus(moved.flags)
	f.remove(m.key)
	target.put(&moved)
	o.Flags = moved.flags
	if s.opts.Maildir || !s.opts.NoUIDPlus {
		o.NewKey = moved.key
	}
}
