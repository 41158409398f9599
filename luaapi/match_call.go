package luaapi

import (
	"bytes"
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
)

// callMatch is what p(msg) does.
func callMatch(L *lua.LState) int {
	p, msg := script.Check[*match](L, 1), script.Check[*message](L, 2)
	ready, err := p.compile()
	must(L, err)
	msg.view.Call = func(id string, _ *predicate.View) (bool, error) { return callPredicate(L, p, id, msg) }
	for {
		verdict, err := ready.Eval(&msg.view)
		must(L, err)
		if verdict.Truth == predicate.Unknown {
			msg.supply(L, verdict.Missing)
			continue
		}
		msg.captures = verdict.Captures
		if len(msg.captures) > 1 { // the first is the whole match
			msg.captures = msg.captures[1:]
		}
		L.Push(lua.LBool(verdict.Truth == predicate.True))
		return 1
	}
}

// compile makes the predicate ready, once.
func (m *match) compile() (*predicate.Predicate, error) {
	if m.ready == nil {
		var err error
		if m.ready, err = predicate.Compile(m.expr); err != nil {
			return nil, err
		}
	}
	return m.ready, nil
}

// supply fetches what a predicate hangs on, or raises.
func (m *message) supply(L *lua.LState, missing predicate.Needs) {
	if items := missing.Items() &^ m.in.asked; items != 0 && m.in.describe != nil {
		m.need(L, items)
		return
	}
	if missing&predicate.NeedBody == 0 || m.view.Body != nil {
		script.Raise(L, fault.New(fault.NotFound, "ask about a message", "message %s is not there any more", m.view.Meta.Key).InFolder(m.view.Folder))
	}
	var content []byte
	m.read(L, "ask about the content", func(r io.Reader) (err error) {
		content, err = io.ReadAll(io.LimitReader(r, maxRaw))
		return err
	})
	m.view.Body = func() (io.Reader, error) { return bytes.NewReader(content), nil }
}

// callPredicate calls a function of m.fn, found in the predicate itself or, when
// that came from another state, by its id.
func callPredicate(L *lua.LState, p *match, id string, msg *message) (bool, error) {
	f, ok := p.functions[id]
	if !ok {
		if f, ok = script.From(L).Func(id); !ok {
			return false, fault.New(fault.Internal, "call a function", "%q is not there", id)
		}
	}
	results, err := f.Call(L, 1, script.New(L, msg))
	if err != nil {
		return false, err
	}
	return lua.LVAsBool(results[0]), nil
}

// messageOf is a message that a filter asks a function about: what is known of
// it is there, and nothing is fetched.
func messageOf(v *predicate.View) *message {
	m := newMessages(v.Folder, []mail.Meta{v.Meta})
	m.list[0].view = *v
	return m.list[0]
}
