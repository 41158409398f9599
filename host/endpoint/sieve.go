package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
)

// sieve is one Changes through a filter. As long as metas tell enough they pass
// at once; from the first one that does not they are kept, so that the order
// stays, and looked at again when the reading is over.
type sieve struct {
	f     *filter
	ctx   context.Context
	ref   mail.Ref
	now   time.Time
	fn    func([]mail.Meta) error
	spool metaSpool
}

func (s *sieve) first(metas []mail.Meta) error {
	if !s.spool.empty() {
		return s.spool.add(metas)
	}
	for i := range metas {
		got, err := s.ask(&predicate.View{Meta: metas[i]})
		if err != nil {
			return err
		}
		if got.Truth != predicate.Unknown {
			s.mark(&metas[i], got.Truth == predicate.False)
			continue
		}
		if err := s.spool.add(metas[i:]); err != nil {
			return err
		}
		metas = metas[:i]
		break
	}
	if len(metas) == 0 {
		return nil
	}
	return s.fn(metas)
}

// second looks at a batch with everything that it takes.
func (s *sieve) second(metas []mail.Meta) error {
	b := &sifted{sieve: s, metas: metas, at: make(map[mail.Key]int, len(metas)), hidden: map[mail.Key]bool{}}
	for i, m := range metas {
		b.at[m.Key] = i
		if m.Hidden {
			b.hidden[m.Key] = true
		}
		if err := b.decide(&predicate.View{Meta: metas[i]}); err != nil {
			return err
		}
	}
	// The size or the header may show that more is needed.
	for _, look := range []func(mail.KeySet) error{b.describe, b.describe, b.read} {
		if open := b.open; !open.Empty() {
			b.open = mail.KeySet{}
			b.hide(open) // unless they answer
			if err := look(open); err != nil {
				return err
			}
		}
	}
	b.hide(b.open)
	return s.fn(metas)
}

// ask asks the predicate about a message, whose view it completes.
func (s *sieve) ask(v *predicate.View) (predicate.Verdict, error) {
	v.Folder, v.Now = s.ref.Name, s.now
	if s.f.o.Call != nil {
		v.Call = func(id string, v *predicate.View) (bool, error) { return s.f.o.Call(s.ctx, id, v) }
	}
	got, err := s.f.o.Messages.Eval(v)
	if err == nil || !s.f.o.Keep || s.f.o.Failed == nil || s.ctx.Err() != nil {
		return got, err
	}
	return predicate.Verdict{Truth: predicate.True}, s.f.o.Failed(s.ctx, s.ref.Name, v.Meta.Key, err)
}

// mark notes what the predicate said about a message.
func (s *sieve) mark(m *mail.Meta, out bool) {
	if s.f.o.Keep {
		m.Excluded = out
	} else {
		m.Hidden = m.Hidden || out
	}
}

// sifted is one batch of which the metas did not tell enough.
type sifted struct {
	*sieve
	metas  []mail.Meta
	at     map[mail.Key]int
	hidden map[mail.Key]bool // hidden by somebody within
	open   mail.KeySet       // undecided
	items  mail.Items        // asked for so far
	needs  predicate.Needs   // of those that are undecided
}

// hide hides what there is no answer about. What is to be kept is kept then.
func (b *sifted) hide(keys mail.KeySet) {
	if b.f.o.Keep {
		return
	}
	for k := range keys.All() {
		b.metas[b.at[k]].Hidden = true
	}
}

// decide marks a message, or notes what is missing for it.
func (b *sifted) decide(v *predicate.View) error {
	i, ours := b.at[v.Meta.Key]
	if !ours {
		return nil
	}
	m := &b.metas[i]
	if v.Meta.Size >= 0 {
		m.Size = v.Meta.Size
	}
	if !v.Meta.Date.IsZero() {
		m.Date = v.Meta.Date
	}
	v.Meta.Flags, v.Meta.Size, v.Meta.Date = m.Flags, m.Size, m.Date
	got, err := b.ask(v)
	if err != nil {
		return err
	}
	if got.Truth == predicate.Unknown {
		b.open.Add(m.Key)
		b.needs |= got.Missing
		return nil
	}
	m.Hidden = b.hidden[m.Key]
	b.mark(m, got.Truth == predicate.False)
	return nil
}

// describe fetches what is missing, in one call for the whole batch.
func (b *sifted) describe(keys mail.KeySet) error {
	if b.needs.Items()&^b.items == 0 {
		b.open = keys // it would tell nothing new
		return nil
	}
	b.items |= b.needs.Items()
	return b.f.Store.Describe(b.ctx, b.ref, keys, b.items, func(ds []mail.Description) error {
		for _, d := range ds {
			v := &predicate.View{Meta: d.Meta}
			if b.items&mail.WantHeader != 0 {
				v.Header = append([]byte{}, d.Header...) // never nil: it was fetched
			}
			if err := b.decide(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// read reads the messages themselves, for predicates about their content. One
// that cannot be read stays hidden, and is looked at again by the next run.
func (b *sifted) read(keys mail.KeySet) error {
	if b.needs&predicate.NeedBody == 0 {
		return nil
	}
	err := b.f.Store.Bodies(b.ctx, b.ref, keys, func(m mail.Meta, body mail.Body) error {
		header, whole, err := splitHeader(body)
		if err == nil {
			err = b.decide(&predicate.View{Meta: m, Header: header, Body: func() (io.Reader, error) { return whole, nil }})
		}
		if fault.CodeOf(err) == fault.IO && b.ctx.Err() == nil {
			return nil
		}
		return err
	})
	if _, ok := driver.AsPartial(err); ok {
		return nil
	}
	return err
}

// splitHeader reads a header up to and including the empty line, and returns the
// whole message again as a reader.
func splitHeader(r io.Reader) (header []byte, whole io.Reader, err error) {
	in := bufio.NewReader(r)
	for len(header) < longestHeader {
		line, err := in.ReadSlice('\n')
		header = append(header, line...)
		if err == io.EOF || err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		if err != nil && err != bufio.ErrBufferFull {
			return nil, nil, fault.Wrap(fault.IO, "read a message", err)
		}
	}
	return header, io.MultiReader(bytes.NewReader(header), in), nil
}
