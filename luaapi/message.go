package luaapi

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
)

// maxRaw is the largest message, in octets, that raw() gives to a script.
const maxRaw = 8 << 20

// messages are the messages that a script was given together. What one of them
// lacks is fetched for all of them at once.
type messages struct {
	folder string
	// describe is asked at most once for each item. It is nil where everything
	// that can be known is known.
	describe func(ctx context.Context, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error
	// body reads content; nil where it cannot be had.
	body func(ctx context.Context, key mail.Key, fn func(io.Reader) error) error

	list  []*message
	by    map[mail.Key]*message
	asked mail.Items
}

// message is one message as a script sees it. It belongs to the state that made
// it, and is used inside its Do only.
type message struct {
	in    *messages
	view  predicate.View
	edits headerEdits
	// captures are those of the predicate that was last asked about it.
	captures []string
}

func newMessages(folder string, metas []mail.Meta) *messages {
	m := &messages{folder: folder, by: make(map[mail.Key]*message, len(metas))}
	now := time.Now()
	for _, meta := range metas {
		one := &message{in: m, view: predicate.View{Meta: meta, Folder: folder, Now: now}}
		m.list = append(m.list, one)
		m.by[meta.Key] = one
	}
	return m
}

// values returns the messages as a list for scripts.
func (m *messages) values(L *lua.LState) *lua.LTable {
	out := make([]lua.LValue, len(m.list))
	for i, one := range m.list {
		out[i] = script.New(L, one)
	}
	return script.List(L, out)
}

// keys returns the keys of all the messages.
func (m *messages) keys() mail.KeySet {
	var keys mail.KeySet
	for _, one := range m.list {
		keys.Add(one.view.Meta.Key)
	}
	return keys
}

// want fetches items for the whole batch, unless that was done already.
func (m *messages) want(ctx context.Context, items mail.Items) error {
	items &^= m.asked
	if items == 0 || m.describe == nil {
		return nil
	}
	m.asked |= items
	return m.describe(ctx, m.keys(), items, func(ds []mail.Description) error {
		for _, d := range ds {
			one := m.by[d.Key]
			if one == nil {
				continue
			}
			if items&mail.WantHeader != 0 {
				one.view.Header = bytes.Clone(d.Header)
			}
			if items&mail.WantSize != 0 {
				one.view.Meta.Size = d.Size
			}
			if items&mail.WantDate != 0 {
				one.view.Meta.Date = d.Date
			}
		}
		return nil
	})
}

// need makes sure that items are there, or raises.
func (m *message) need(L *lua.LState, items mail.Items) {
	if err := m.in.want(script.Context(L), items); err != nil {
		script.Raise(L, err)
	}
}

// field returns the first value of a header field, as the script will see it:
// after the edits.
func (m *message) field(L *lua.LState, name string) (string, bool) {
	values := m.fields(L, name)
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

func (m *message) fields(L *lua.LState, name string) []string {
	m.need(L, mail.WantHeader)
	values := m.view.Fields(name)
	if m.edits.removes(name) {
		values = nil
	}
	return append(values, m.edits.added(name)...)
}

// text is a field of the header as a field of the object.
func headerField(name, header, doc string) field[*message] {
	return field[*message]{name, "string", doc, func(L *lua.LState, m *message) lua.LValue {
		value, _ := m.field(L, header)
		return lua.LString(value)
	}}
}

func messageObject() object[*message] {
	return object[*message]{
		name: "Message",
		doc:  "A message. What is not known of it yet is fetched when it is first used, for all the messages that were given together.",
		string: func(m *message) string {
			return "message " + string(m.view.Meta.Key) + " in " + m.view.Folder
		},
		fields: []field[*message]{
			{"id", "string", "its key in the folder: a UID with ten digits, or the name of its file",
				func(_ *lua.LState, m *message) lua.LValue { return lua.LString(m.view.Meta.Key) }},
			{"uid", "integer?", "its UID, where it has one", func(_ *lua.LState, m *message) lua.LValue {
				if uid, ok := m.view.Meta.Key.UID(); ok {
					return lua.LNumber(uid)
				}
				return lua.LNil
			}},
			{"folder", "string", "name of its folder", func(_ *lua.LState, m *message) lua.LValue { return lua.LString(m.view.Folder) }},
			{"size", "integer", "octets, as its store keeps it", func(L *lua.LState, m *message) lua.LValue {
				if m.view.Meta.Size < 0 {
					m.need(L, mail.WantSize)
				}
				return lua.LNumber(m.view.Meta.Size)
			}},
			{"date", "integer", "when it arrived, as os.time() counts", func(L *lua.LState, m *message) lua.LValue {
				if m.view.Meta.Date.IsZero() {
					m.need(L, mail.WantDate)
				}
				return lua.LNumber(m.view.Meta.Date.Unix())
			}},
			{"sent", "integer?", "the moment in its Date field", func(L *lua.LState, m *message) lua.LValue {
				m.need(L, mail.WantHeader)
				if at, ok := m.view.Sent(); ok {
					return lua.LNumber(at.Unix())
				}
				return lua.LNil
			}},
			headerField("from", "From", "the sender, decoded"),
			headerField("to", "To", "the To field, decoded"),
			headerField("cc", "Cc", "the Cc field, decoded"),
			headerField("subject", "Subject", "the subject, decoded"),
			{"list_id", "string?", "the List-Id field", func(L *lua.LState, m *message) lua.LValue {
				if value, ok := m.field(L, "List-Id"); ok {
					return lua.LString(value)
				}
				return lua.LNil
			}},
			{"flags", "table<string, true>", "flags and keywords: flags[\"\\\\Seen\"]", func(L *lua.LState, m *message) lua.LValue {
				return setOf(L, m.view.Meta.Flags.Strings())
			}},
			{"captures", "string[]", "the groups of the regular expression that matched last", func(L *lua.LState, m *message) lua.LValue {
				return listOf(L, m.captures)
			}},
		},
		methods: []function{
			{name: "header", params: "name: string", returns: "string?", doc: "The first field of that name, decoded.",
				call: func(L *lua.LState) int {
					if value, ok := script.Check[*message](L, 1).field(L, L.CheckString(2)); ok {
						L.Push(lua.LString(value))
						return 1
					}
					return 0
				}},
			{name: "headers", params: "name: string", returns: "string[]", doc: "Every field of that name, decoded.",
				call: func(L *lua.LState) int {
					L.Push(listOf(L, script.Check[*message](L, 1).fields(L, L.CheckString(2))))
					return 1
				}},
			{name: "text", returns: "string", doc: "The readable text. It reads the whole message: slow.", call: messageText},
			{name: "raw", returns: "string", doc: "The whole message as it is stored, 8 MiB at most. Slow.", call: messageRaw},
			{name: "add_header", params: "name: string, value: string", doc: "The copy gets a field more, at the end of its header.",
				call: func(L *lua.LState) int {
					m, name, value := script.Check[*message](L, 1), L.CheckString(2), L.CheckString(3)
					if err := m.edits.add(name, value); err != nil {
						script.Raise(L, err)
					}
					return 0
				}},
			{name: "remove_header", params: "name: string", doc: "The copy has no field of that name.",
				call: func(L *lua.LState) int {
					m, name := script.Check[*message](L, 1), L.CheckString(2)
					if err := m.edits.remove(name); err != nil {
						script.Raise(L, err)
					}
					return 0
				}},
		},
	}
}

// read gives the content of a message to fn, or raises.
func (m *message) read(L *lua.LState, what string, fn func(io.Reader) error) {
	if m.in.body == nil {
		script.Raise(L, fault.New(fault.Unsupported, what, "the content of a message cannot be read here"))
	}
	if err := m.in.body(script.Context(L), m.view.Meta.Key, fn); err != nil {
		script.Raise(L, err)
	}
}

func messageText(L *lua.LState) int {
	m := script.Check[*message](L, 1)
	m.need(L, mail.WantHeader)
	text := ""
	m.read(L, "text", func(r io.Reader) (err error) {
		view := m.view
		view.Body = func() (io.Reader, error) { return r, nil }
		text, err = view.Readable()
		return err
	})
	L.Push(lua.LString(text))
	return 1
}

func messageRaw(L *lua.LState) int {
	m := script.Check[*message](L, 1)
	var b strings.Builder
	m.read(L, "raw", func(r io.Reader) error {
		n, err := io.Copy(&b, io.LimitReader(r, maxRaw+1))
		if err == nil && n > maxRaw {
			return fault.New(fault.Unsupported, "raw", "message %s is larger than %d MiB", m.view.Meta.Key, maxRaw>>20)
		}
		return err
	})
	L.Push(lua.LString(b.String()))
	return 1
}

// callMatch is what p(msg) does.
func callMatch(L *lua.LState) int {
	p, msg := script.Check[*match](L, 1), script.Check[*message](L, 2)
	ready, err := predicate.Compile(p.expr)
	if err != nil {
		script.Raise(L, err)
	}
	msg.view.Call = func(id string, _ *predicate.View) (bool, error) { return callPredicate(L, p, id, msg) }
	for {
		verdict, err := ready.Eval(&msg.view)
		if err != nil {
			script.Raise(L, err)
		}
		items := verdict.Missing.Items()
		if verdict.Truth == predicate.Unknown && items&^msg.in.asked != 0 && msg.in.describe != nil {
			msg.need(L, items)
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

func listOf(L *lua.LState, texts []string) *lua.LTable {
	values := make([]lua.LValue, len(texts))
	for i, s := range texts {
		values[i] = lua.LString(s)
	}
	return script.List(L, values)
}

func setOf(L *lua.LState, texts []string) *lua.LTable {
	t := L.NewTable()
	for _, s := range texts {
		t.RawSetString(s, lua.LTrue)
	}
	return t
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
