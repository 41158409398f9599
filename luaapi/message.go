package luaapi

import (
	"bytes"
	"context"
	"io"
	"time"

	lua "github.com/yuin/gopher-lua"

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
