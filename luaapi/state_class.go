package luaapi

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// stateTable declares the options of api.StateEndpoint.
func stateTable(name string) *options.Table {
	return &options.Table{
		Name: name, Class: "imapfw.StateOptions",
		Doc: "The database of what is remembered between two runs.",
		Options: []options.Option{
			{Name: "path", Type: options.Text(),
				Help: "the database, or the folder it is in when that does not end with \".db\""},
			{Name: "memory", Type: options.Bool(), Default: false, Help: "remember nothing beyond this run: for tests and demonstrations"},
		},
		Check: func(m wire.Map) []error {
			if inMemory, _ := m["memory"].(bool); inMemory == (m["path"] != nil) {
				return []error{problem("path", "a state has either a path, or memory = true")}
			}
			return nil
		},
	}
}

func stateFunction(name string) function {
	return storeFunction(name, stateTable("api."+name), kindState, nil)
}

// stateCore is the Go object of an instance of a state class.
type stateCore struct {
	next   state.Store
	opened bool
	// Of the running call.
	loaded    []state.Row
	change    *state.Change
	committed bool
}

// stateMethods are the methods of a state that a script may override. Rows are
// tables with the fields id, far, near, flags, size, date, ident, status, note, far_only
// and near_only.
func stateMethods() []function {
	return []function{
		{name: "init", params: "opts: table", doc: "Is called in the worker, before anything else.",
			call: func(L *lua.LState) int { script.Self[*stateCore](L); return 0 }},
		{name: "open", doc: "Takes the lock and opens the database.", call: func(L *lua.LState) int {
			c := script.Self[*stateCore](L)
			must(L, c.next.Open(script.Context(L)))
			c.opened = true
			return 0
		}},
		{name: "folders", returns: "table[]", doc: "The pairs of folders that are known.", call: func(L *lua.LState) int {
			folders, err := script.Self[*stateCore](L).next.Folders(script.Context(L))
			must(L, err)
			values := make([]lua.LValue, len(folders))
			for i, f := range folders {
				values[i] = folderRecord(L, f)
			}
			L.Push(script.List(L, values))
			return 1
		}},
		{name: "load", params: "folder: string, by: \"far\"|\"near\"", returns: "table[]", doc: "The messages of a folder that are known, ordered by the key of one side.",
			call: func(L *lua.LState) int {
				c, by := script.Self[*stateCore](L), state.Far
				if L.OptString(3, "far") == "near" {
					by = state.Near
				}
				c.loaded = nil
				must(L, c.next.Load(script.Context(L), L.CheckString(2), by, func(rows []state.Row) error {
					c.loaded = append(c.loaded, rows...)
					return nil
				}))
				values := make([]lua.LValue, len(c.loaded))
				for i, r := range c.loaded {
					values[i] = rowRecord(L, r)
				}
				L.Push(script.List(L, values))
				return 1
			}},
		{name: "commit", params: "folder: string, change: imapfw.StateChange",
			doc: "Records a change, all of it or nothing. An override must call it: what is not recorded is done again, or lost.",
			call: func(L *lua.LState) int {
				c, folder, change := script.Self[*stateCore](L), L.CheckString(2), script.Check[*state.Change](L, 3)
				if change != c.change {
					script.ArgError(L, 3, "it is not the change that commit was called with")
				}
				must(L, c.next.Commit(script.Context(L), folder, change))
				c.committed = true
				return 0
			}},
		{name: "stop", doc: "Closes the database.", call: func(L *lua.LState) int {
			must(L, script.Self[*stateCore](L).next.Close())
			return 0
		}},
	}
}

func stateChangeObject() object[*state.Change] {
	ids := func(L *lua.LState, list []int64) lua.LValue {
		values := make([]lua.LValue, len(list))
		for i, id := range list {
			values[i] = lua.LNumber(id)
		}
		return script.List(L, values)
	}
	return object[*state.Change]{
		name:   "StateChange",
		doc:    "One transaction on one folder of the state.",
		string: func(*state.Change) string { return "state change" },
		fields: []field[*state.Change]{
			{"forget", "boolean", "everything about the folder is forgotten first", func(_ *lua.LState, c *state.Change) lua.LValue { return lua.LBool(c.Forget) }},
			{"put", "table[]", "rows that are new or replaced", func(L *lua.LState, c *state.Change) lua.LValue {
				values := make([]lua.LValue, len(c.Put))
				for i, r := range c.Put {
					values[i] = rowRecord(L, r)
				}
				return script.List(L, values)
			}},
			{"drop", "integer[]", "ids of rows that are forgotten", func(L *lua.LState, c *state.Change) lua.LValue { return ids(L, c.Drop) }},
			{"intended", "integer", "number of deliveries that are about to happen", func(_ *lua.LState, c *state.Change) lua.LValue { return lua.LNumber(len(c.Intend)) }},
			{"settled", "integer[]", "ids of deliveries that are resolved", func(L *lua.LState, c *state.Change) lua.LValue { return ids(L, c.Settle) }},
		},
	}
}

// rowRecord is a row as scripts see it.
func rowRecord(L *lua.LState, r state.Row) *lua.LTable {
	t := L.CreateTable(0, 11)
	t.RawSetString("id", lua.LNumber(r.ID))
	t.RawSetString("far", lua.LString(r.Far))
	t.RawSetString("near", lua.LString(r.Near))
	t.RawSetString("flags", listOf(L, r.Flags.Strings()))
	t.RawSetString("size", lua.LNumber(r.Size))
	t.RawSetString("date", lua.LNumber(r.Date.Unix()))
	t.RawSetString("ident", lua.LString(r.Ident))
	t.RawSetString("status", lua.LString(r.Status))
	t.RawSetString("note", lua.LString(r.Note))
	for name, only := range map[string]mail.Flags{"far_only": r.FarOnly, "near_only": r.NearOnly} {
		if !only.Empty() { // hardly a row has any
			t.RawSetString(name, listOf(L, only.Strings()))
		}
	}
	return t
}

// rowOf reads a row as a script gives it.
func rowOf(v lua.LValue) (state.Row, error) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return state.Row{}, fault.New(fault.Script, "load", "a row is a %s, no table", v.Type())
	}
	text := func(name string) string { return lua.LVAsString(t.RawGetString(name)) }
	number := func(name string) int64 { return int64(lua.LVAsNumber(t.RawGetString(name))) }
	r := state.Row{ID: number("id"), Far: mail.Key(text("far")), Near: mail.Key(text("near")),
		Size: number("size"), Date: time.Unix(number("date"), 0).UTC(), Ident: text("ident"),
		Status: state.Status(text("status")), Note: text("note")}
	if r.ID == 0 || r.Far == "" && r.Near == "" {
		return r, fault.New(fault.Script, "load", "a row has no id or no key")
	}
	for name, flags := range map[string]*mail.Flags{"flags": &r.Flags, "far_only": &r.FarOnly, "near_only": &r.NearOnly} {
		if list, ok := t.RawGetString(name).(*lua.LTable); ok {
			*flags = mail.NewFlags(textsIn(list)...)
		}
	}
	return r, nil
}

// folderRecord is what is kept of a folder, as scripts see it.
func folderRecord(L *lua.LState, f state.Folder) *lua.LTable {
	t := L.CreateTable(0, 10)
	for name, text := range map[string]string{
		"far": f.Far, "near": f.Near, "far_epoch": f.FarEpoch, "near_epoch": f.NearEpoch,
		"far_cursor": string(f.FarCursor), "near_cursor": string(f.NearCursor), "far_id": f.FarID, "near_id": f.NearID,
	} {
		t.RawSetString(name, lua.LString(text))
	}
	t.RawSetString("open", lua.LNumber(f.Open))
	t.RawSetString("refused", lua.LNumber(f.Refused))
	t.RawSetString("ambiguous", lua.LNumber(f.Ambiguous))
	return t
}
