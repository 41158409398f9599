package luaapi

import (
	"io"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
)

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
			{name: "text", power: "mail.read", returns: "string", doc: "The readable text. It reads the whole message: slow.", call: messageText},
			{name: "raw", power: "mail.read", returns: "string", doc: "The whole message as it is stored, 8 MiB at most. Slow.", call: messageRaw},
			{name: "add_header", power: "mail.write", params: "name: string, value: string", doc: "The copy gets a field more, at the end of its header.",
				call: func(L *lua.LState) int {
					m, name, value := script.Check[*message](L, 1), L.CheckString(2), L.CheckString(3)
					if err := m.edits.add(name, value); err != nil {
						script.Raise(L, err)
					}
					return 0
				}},
			{name: "remove_header", power: "mail.write", params: "name: string", doc: "The copy has no field of that name.",
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
