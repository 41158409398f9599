package luaapi

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/mail"
)

func folderObject() object[*mail.Folder] {
	text := func(name, doc string, get func(f *mail.Folder) string) field[*mail.Folder] {
		return field[*mail.Folder]{name, "string", doc, func(_ *lua.LState, f *mail.Folder) lua.LValue { return lua.LString(get(f)) }}
	}
	return object[*mail.Folder]{
		name:   "Folder",
		doc:    "A folder as its store lists it.",
		string: func(f *mail.Folder) string { return f.Name },
		fields: []field[*mail.Folder]{
			text("name", "its name, with \"/\" between the levels", func(f *mail.Folder) string { return f.Name }),
			text("raw_name", "its name as the store writes it", func(f *mail.Folder) string { return f.Raw }),
			{"attrs", "table<string, true>", "the attributes of LIST: attrs[\"\\\\All\"]",
				func(L *lua.LState, f *mail.Folder) lua.LValue { return setOf(L, f.Attrs) }},
			{"special_use", "string?", "what it is for: \"\\\\Sent\", \"\\\\Trash\", ...",
				func(_ *lua.LState, f *mail.Folder) lua.LValue {
					if use := specialUse(f); use != "" {
						return lua.LString(use)
					}
					return lua.LNil
				}},
			{"subscribed", "boolean", "whether it is subscribed",
				func(_ *lua.LState, f *mail.Folder) lua.LValue { return lua.LBool(f.Subscribed) }},
			{"count", "integer?", "number of messages, where the store tells", func(_ *lua.LState, f *mail.Folder) lua.LValue {
				if f.Count < 0 {
					return lua.LNil
				}
				return lua.LNumber(f.Count)
			}},
		},
	}
}

// specialUse returns the attribute of RFC 6154 that a folder has, or "".
func specialUse(f *mail.Folder) string {
	for _, attr := range f.Attrs {
		switch strings.ToLower(attr) {
		case `\all`, `\archive`, `\drafts`, `\flagged`, `\junk`, `\sent`, `\trash`, `\important`:
			return attr
		}
	}
	return ""
}
