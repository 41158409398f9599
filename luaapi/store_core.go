package luaapi

import (
	"context"
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
)

// storeCore is the Go object of an instance of a repository or controller class:
// what its methods reach through super. It is used inside Do of its state only,
// so one call at a time.
type storeCore struct {
	next driver.Store

	// What the running call leaves for the host to look at.
	connected bool
	stopped   bool
	listed    []mail.Folder // what list_folders returned last
	ref       mail.Ref      // the folder that the call is about
	appending *message      // the message that append is called with
	appended  bool
	outcomes  map[mail.Key]mail.Outcome
}

// refTo returns the folder a script names, with the epoch of the running call
// where it is that call's folder.
func (c *storeCore) refTo(folder string) mail.Ref {
	if folder == c.ref.Name {
		return c.ref
	}
	return mail.Ref{Name: folder}
}

// storeMethods are the methods of repositories and controllers that a script may
// override. Each one does what the Store behind it does.
func storeMethods() []function {
	return []function{
		{name: "init", params: "opts: table", doc: "Is called in the worker, before anything else.",
			call: func(L *lua.LState) int { script.Self[*storeCore](L); return 0 }},
		{name: "connect", doc: "Opens the store.", call: func(L *lua.LState) int {
			c := script.Self[*storeCore](L)
			must(L, c.next.Open(script.Context(L)))
			c.connected = true
			return 0
		}},
		{name: "capabilities", returns: "string[]", doc: "What the store can do beyond reading and writing. What is left out is not used.",
			call: func(L *lua.LState) int {
				c := script.Self[*storeCore](L)
				L.Push(listOf(L, abilityNames(endpoint.FindAbilities(c.next))))
				return 1
			}},
		{name: "list_folders", power: "mail.read", returns: "imapfw.Folder[]", doc: "The folders. Those that are left out are hidden: neither synced nor taken for removed.",
			call: func(L *lua.LState) int {
				c := script.Self[*storeCore](L)
				folders, err := c.next.Folders(script.Context(L))
				must(L, err)
				c.listed = folders
				values := make([]lua.LValue, len(folders))
				for i := range folders {
					values[i] = script.New(L, &folders[i])
				}
				L.Push(script.List(L, values))
				return 1
			}},
		{name: "create_folder", power: "mail.write", params: "name: string", doc: "Creates a folder.", call: func(L *lua.LState) int {
			c, name := script.Self[*storeCore](L), L.CheckString(2)
			maker, ok := driver.As[driver.FolderMaker](c.next)
			if !ok {
				script.Raise(L, fault.New(fault.Unsupported, "create folder", "the store cannot create folders").InFolder(name))
			}
			must(L, maker.CreateFolder(script.Context(L), name))
			return 0
		}},
		{name: "delete_folder", power: "mail.write", params: "name: string", doc: "Removes an empty folder.", call: func(L *lua.LState) int {
			c, name := script.Self[*storeCore](L), L.CheckString(2)
			remover, ok := driver.As[driver.FolderRemover](c.next)
			if !ok {
				script.Raise(L, fault.New(fault.Unsupported, "remove folder", "the store cannot remove folders").InFolder(name))
			}
			must(L, remover.RemoveFolder(script.Context(L), name))
			return 0
		}},
		{name: "rename_folder", power: "mail.write", params: "name: string, to: string",
			doc: "Gives a folder another name; those below it go along.", call: func(L *lua.LState) int {
				c, name, to := script.Self[*storeCore](L), L.CheckString(2), L.CheckString(3)
				renamer, ok := driver.As[driver.FolderRenamer](c.next)
				if !ok {
					script.Raise(L, fault.New(fault.Unsupported, "rename folder", "the store cannot rename folders").InFolder(name))
				}
				must(L, renamer.RenameFolder(script.Context(L), name, to))
				return 0
			}},
		{name: "fetch", power: "mail.read", params: "folder: string, uids: imapfw.Keys, what: \"full\"", returns: "imapfw.Message[]",
			doc:  "Is called once for up to 1,000 messages that are about to be copied, with what is known of them. Those that are left out are not copied.",
			call: baseFetch},
		{name: "search", power: "mail.read", params: "folder: string, predicate: imapfw.Predicate", returns: "imapfw.Keys",
			doc: "The messages of a folder that a predicate selects. What their metas do not tell is fetched in batches.", call: baseSearch},
		{name: "append", power: "mail.write", params: "folder: string, msg: imapfw.Message",
			doc:  "Delivers a message. Edits of its header are applied while it is copied. Its key is known only after the batch.",
			call: baseAppend},
		{name: "store", power: "mail.write", params: "folder: string, uids: imapfw.Keys, op: \"add\"|\"remove\", flags: string[]", doc: "Adds or removes flags.",
			call: func(L *lua.LState) int {
				add, remove := mail.Flags{}, mail.Flags{}
				flags := mail.NewFlags(checkTexts(L, 5)...)
				switch op := L.CheckString(4); op {
				case "add":
					add = flags
				case "remove":
					remove = flags
				default:
					script.ArgError(L, 4, "%q is neither \"add\" nor \"remove\"", op)
				}
				return baseChange(L, mail.Change{Op: mail.ChangeFlags, Add: add, Remove: remove})
			}},
		{name: "move", power: "mail.write", params: "folder: string, uids: imapfw.Keys, to: string", doc: "Moves messages to another folder of the same store.",
			call: func(L *lua.LState) int { return baseChange(L, mail.Change{Op: mail.ChangeMove, To: L.CheckString(4)}) }},
		{name: "expunge", power: "mail.write", params: "folder: string, uids: imapfw.Keys", doc: "Removes messages for good.",
			call: func(L *lua.LState) int { return baseChange(L, mail.Change{Op: mail.ChangeRemove}) }},
		{name: "stop", doc: "Closes the store.", call: func(L *lua.LState) int {
			c := script.Self[*storeCore](L)
			c.stopped = true
			must(L, c.next.Close())
			return 0
		}},
	}
}

// must raises err in Lua, unless it is nil.
func must(L *lua.LState, err error) {
	if err != nil {
		script.Raise(L, err)
	}
}

// baseFetch returns handles over what is known of messages, and reads none.
func baseFetch(L *lua.LState) int {
	c, folder, keys := script.Self[*storeCore](L), L.CheckString(2), checkKeys(L, 3)
	ref := c.refTo(folder)
	var metas []mail.Meta
	must(L, c.next.Describe(script.Context(L), ref, keys, mail.WantSize|mail.WantDate, func(ds []mail.Description) error {
		for _, d := range ds {
			metas = append(metas, d.Meta)
		}
		return nil
	}))
	m := newMessages(folder, metas)
	m.asked = mail.WantSize | mail.WantDate
	m.describe = func(ctx context.Context, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
		return c.next.Describe(ctx, ref, keys, want, fn)
	}
	m.body = func(ctx context.Context, key mail.Key, fn func(io.Reader) error) error {
		return c.next.Bodies(ctx, ref, mail.NewKeySet(key), func(_ mail.Meta, b mail.Body) error { return fn(b.Reader) })
	}
	L.Push(m.values(L))
	return 1
}

// baseSearch asks a predicate about every message of a folder.
func baseSearch(L *lua.LState) int {
	c, folder, p := script.Self[*storeCore](L), L.CheckString(2), script.Check[*match](L, 3)
	ready, err := p.compile()
	must(L, err)
	seen := endpoint.Filter(c.next, endpoint.FilterOptions{
		Messages: ready,
		Call: func(_ context.Context, id string, v *predicate.View) (bool, error) {
			return callPredicate(L, p, id, messageOf(v))
		},
	})
	var keys mail.KeySet
	_, err = seen.Changes(script.Context(L), c.refTo(folder), "", func(metas []mail.Meta) error {
		for _, m := range metas {
			if !m.Hidden {
				keys.Add(m.Key)
			}
		}
		return nil
	})
	must(L, err)
	L.Push(keyValues(L, keys))
	return 1
}

// baseAppend notes that the message is to be delivered; the host does it when
// the script has returned, so that content never waits for a script.
func baseAppend(L *lua.LState) int {
	c, folder, msg := script.Self[*storeCore](L), L.CheckString(2), script.Check[*message](L, 3)
	if msg != c.appending {
		script.ArgError(L, 3, "it is not the message that append was called with")
	}
	if folder != c.ref.Name {
		script.ArgError(L, 2, "the message goes to %q: append cannot send it elsewhere", c.ref.Name)
	}
	c.appended = true
	return 0
}

// baseChange applies one change to messages at once.
func baseChange(L *lua.LState, what mail.Change) int {
	c, folder, keys := script.Self[*storeCore](L), L.CheckString(2), checkKeys(L, 3)
	var cs []mail.Change
	for k := range keys.All() {
		what.Key = k
		cs = append(cs, what)
	}
	if len(cs) == 0 {
		return 0
	}
	outcomes, err := c.next.Change(script.Context(L), c.refTo(folder), cs)
	must(L, err)
	if folder == c.ref.Name && c.outcomes != nil {
		for _, o := range outcomes {
			c.outcomes[o.Key] = o
		}
	}
	return 0
}

// checkKeys reads a list of UIDs and of names of files.
func checkKeys(L *lua.LState, n int) mail.KeySet {
	var keys mail.KeySet
	L.CheckTable(n).ForEach(func(_, v lua.LValue) {
		switch v := v.(type) {
		case lua.LNumber:
			if v < 1 || v > 1<<32-1 || v != lua.LNumber(uint32(v)) {
				script.ArgError(L, n, "%v is no UID", v)
			}
			keys.Add(mail.UIDKey(uint32(v)))
		case lua.LString:
			keys.Add(mail.Key(v))
		default:
			script.ArgError(L, n, "a message is named by its uid or id, not by a %s", v.Type())
		}
	})
	return keys
}

// keyValues returns keys as scripts see them: UIDs as numbers, names as strings.
func keyValues(L *lua.LState, keys mail.KeySet) *lua.LTable {
	var values []lua.LValue
	for k := range keys.All() {
		if uid, ok := k.UID(); ok {
			values = append(values, lua.LNumber(uid))
		} else {
			values = append(values, lua.LString(k))
		}
	}
	return script.List(L, values)
}

// checkTexts reads a list of strings.
func checkTexts(L *lua.LState, n int) []string {
	var out []string
	L.CheckTable(n).ForEach(func(_, v lua.LValue) {
		s, ok := v.(lua.LString)
		if !ok {
			script.ArgError(L, n, "expected strings, got %s", v.Type())
		}
		out = append(out, string(s))
	})
	return out
}
