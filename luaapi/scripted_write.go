package luaapi

import (
	"context"
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
)

// Deliver asks append about a message before it is copied. The script sees the
// header; the content streams past it.
func (s *scripted) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	if !s.overrides("append") {
		return s.Store.Deliver(ctx, ref, m, body)
	}
	header, rest, err := splitHeader(body)
	if err != nil {
		return nil, err
	}
	shown := m
	shown.Size = body.Size
	asked := newMessages(ref.Name, []mail.Meta{shown})
	msg := asked.list[0]
	msg.view.Header = header
	err = s.call(ctx, "append",
		func(L *lua.LState, c *storeCore) []lua.LValue {
			c.ref, c.appending = ref, msg
			return []lua.LValue{lua.LString(ref.Name), script.New(L, msg)}
		},
		func(_ *lua.LState, c *storeCore, result lua.LValue) error {
			if result == lua.LFalse {
				return fault.New(fault.Refused, "append", "%s left the message out", s.class).InFolder(ref.Name)
			}
			if !c.appended {
				return s.mistake("append", "it did not call super.append(self, folder, msg), so the message is not delivered")
			}
			return nil
		})
	switch {
	case err != nil && itemFailed(ctx, err):
		// A Store reads all of what it is given.
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return nil, err
		}
		return &refused{err: err}, nil
	case err != nil:
		return nil, err
	case msg.edits.empty():
		return s.Store.Deliver(ctx, ref, m, unread(body, header, rest))
	}
	altered := msg.edits.altered(header)
	d, err := s.Store.Deliver(ctx, ref, m, withHeader(body, len(header), altered.Header, rest))
	if err != nil {
		return nil, err
	}
	return &edited{d, altered}, nil
}

// refused is a delivery that the script did not let through. Commit tells why.
type refused struct{ err error }

func (*refused) Abort() {}

// edited is a delivery whose header the script changed.
type edited struct {
	driver.Delivery
	altered *mail.Altered
}

// Commit passes on the deliveries that the script let through.
func (s *scripted) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	var through []driver.Delivery
	for _, d := range ds {
		switch d := d.(type) {
		case *refused:
		case *edited:
			through = append(through, d.Delivery)
		default:
			through = append(through, d)
		}
	}
	placed, err := s.Store.Commit(ctx, ref, through)
	if err == nil && len(placed) != len(through) {
		err = fault.New(fault.Internal, "commit", "%d results of %d deliveries", len(placed), len(through)).InFolder(ref.Name)
	}
	if err != nil {
		return nil, err
	}
	out := make([]mail.Placed, len(ds))
	for i, d := range ds {
		if no, ok := d.(*refused); ok {
			out[i].Err = no.err
			continue
		}
		out[i], placed = placed[0], placed[1:]
		if e, ok := d.(*edited); ok {
			out[i].Altered = e.over(out[i].Altered)
		}
	}
	return out, nil
}

// over adds what was changed behind the script, after it.
func (e *edited) over(behind *mail.Altered) *mail.Altered {
	if behind == nil {
		return e.altered
	}
	return &mail.Altered{Header: behind.Header, Grown: behind.Grown + e.altered.Grown}
}

// unread returns content whose header was read already.
func unread(body mail.Body, header []byte, rest io.Reader) mail.Body {
	if seeker, ok := body.Reader.(io.Seeker); ok {
		if _, err := seeker.Seek(0, io.SeekStart); err == nil {
			return body
		}
	}
	return withHeader(body, len(header), header, rest)
}

// Change gives each kind of change to the method that a script overrides.
func (s *scripted) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	if !s.overrides("store") && !s.overrides("move") && !s.overrides("expunge") {
		return s.Store.Change(ctx, ref, cs)
	}
	out := make([]mail.Outcome, 0, len(cs))
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && n < fetchSize && alike(cs[0], cs[n]) {
			n++
		}
		outcomes, err := s.changeAlike(ctx, ref, cs[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, outcomes...)
		cs = cs[n:]
	}
	return out, nil
}

// alike reports whether two changes differ in their message only.
func alike(a, b mail.Change) bool {
	a.Key = b.Key
	return a == b
}

func (s *scripted) changeAlike(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	what := cs[0]
	switch {
	case what.Op == mail.ChangeRemove && s.overrides("expunge"):
		return s.changeBy(ctx, ref, cs, "expunge", nil)
	case what.Op == mail.ChangeMove && s.overrides("move"):
		return s.changeBy(ctx, ref, cs, "move", func(*lua.LState) []lua.LValue { return []lua.LValue{lua.LString(what.To)} })
	case what.Op != mail.ChangeFlags || !s.overrides("store"):
		return s.Store.Change(ctx, ref, cs)
	}
	var outcomes []mail.Outcome
	for _, part := range []struct {
		op    string
		flags mail.Flags
	}{{"add", what.Add}, {"remove", what.Remove}} {
		if part.flags.Empty() {
			continue
		}
		got, err := s.changeBy(ctx, ref, cs, "store", func(L *lua.LState) []lua.LValue {
			return []lua.LValue{lua.LString(part.op), listOf(L, part.flags.Strings())}
		})
		if err != nil {
			return nil, err
		}
		for i := range got {
			switch {
			case outcomes == nil:
			case outcomes[i].Err != nil: // a message that failed the first half has failed
				got[i] = outcomes[i]
			default:
				got[i].Dropped = got[i].Dropped.Union(outcomes[i].Dropped)
			}
		}
		outcomes = got
	}
	return outcomes, nil
}

// changeBy calls a method with the messages of some changes. What it does not
// pass on to super is not done, and is told so.
func (s *scripted) changeBy(ctx context.Context, ref mail.Ref, cs []mail.Change, method string, more func(*lua.LState) []lua.LValue) ([]mail.Outcome, error) {
	var keys mail.KeySet
	for _, c := range cs {
		keys.Add(c.Key)
	}
	var done map[mail.Key]mail.Outcome
	failed := s.call(ctx, method,
		func(L *lua.LState, c *storeCore) []lua.LValue {
			c.ref, c.outcomes = ref, map[mail.Key]mail.Outcome{}
			done = c.outcomes
			args := []lua.LValue{lua.LString(ref.Name), keyValues(L, keys)}
			if more != nil {
				args = append(args, more(L)...)
			}
			return args
		},
		func(*lua.LState, *storeCore, lua.LValue) error { return nil })
	if failed != nil && !itemFailed(ctx, failed) {
		return nil, failed
	}
	out := make([]mail.Outcome, len(cs))
	for i, c := range cs {
		o, ok := done[c.Key]
		switch {
		case ok:
		case failed != nil:
			o = mail.Outcome{Key: c.Key, Err: failed}
		default:
			o = mail.Outcome{Key: c.Key, Err: fault.New(fault.Refused, method, "%s left the message alone", s.class).InFolder(ref.Name)}
		}
		out[i] = o
	}
	return out, nil
}
