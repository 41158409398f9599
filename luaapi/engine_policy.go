package luaapi

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// policyReader turns options that were checked before into a policy, and keeps
// the first mistake.
type policyReader struct{ err error }

func (r *policyReader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *policyReader) ops(v any) engine.Ops {
	words := textsOf(v)
	if word, ok := v.(string); ok {
		words = []string{word}
	}
	ops, err := engine.ParseOps(words...)
	r.note(err)
	return ops
}

func (r *policyReader) sides(m wire.Map, name string) engine.Sides {
	s, err := engine.ParseSides(text(m, name))
	r.note(err)
	return s
}

// policyOf reads the options that an account and an engine share.
func policyOf(m wire.Map) (engine.Policy, error) {
	r := &policyReader{}
	copyDate, _ := m["copy_date"].(bool)
	expireUnread, _ := m["expire_unread"].(bool)
	p := engine.Policy{
		Pull: r.ops(m["pull"]), Push: r.ops(m["push"]), Mirror: mirrorOf(text(m, "mirror")),
		Expunge: r.sides(m, "expunge"), Create: r.sides(m, "create"), Remove: r.sides(m, "remove"), Subscribe: r.sides(m, "subscribe"),
		MaxSize: number(m, "max_size"), MaxMessages: int(number(m, "max_messages")), ExpireUnread: expireUnread,
		Conflict: engine.Conflict(text(m, "conflict")), CopyDate: copyDate,
		Guard: guardOf(m["guard"]), Undo: undoOf(m["undo"]),
	}
	if rules, ok := m["flags"].(wire.Map); ok {
		p.Flags = make(map[string]engine.FlagRule, len(rules))
		for name, rule := range rules {
			p.Flags[name] = engine.FlagRule(rule.(string))
		}
	}
	if t, ok := m["trash"].(wire.Map); ok {
		far, err := nearTrash(text(t, "far"), m["rename"])
		r.note(err)
		p.Trash = engine.Trash{Far: far, Near: text(t, "near"), NewOnly: r.sides(t, "new_only"), FromOther: r.sides(t, "from_other")}
	}
	return p, r.err
}

// nearTrash is the far side's trash by the name that the engine knows it under. A
// special use is found by the mark of the folder, whatever it is called.
func nearTrash(far string, rename any) (string, error) {
	if far == "" || strings.HasPrefix(far, `\`) {
		return far, nil
	}
	steps, err := renamesOf(rename)
	if err != nil {
		return "", err
	}
	for _, s := range steps {
		if s.Kind == naming.Pair {
			return "", problem("trash", "rename has functions, which cannot be asked for the near name of %q", far)
		}
	}
	names, err := naming.NewRename(steps, nil)
	if err != nil {
		return "", err
	}
	return names.ToNear(far)
}

// mirrorOf is the side that a mirror only writes.
func mirrorOf(word string) state.Side {
	switch word {
	case "pull":
		return state.Near
	case "push":
		return state.Far
	}
	return 0
}

func guardOf(v any) engine.Guard {
	switch v := v.(type) {
	case bool:
		return engine.Guard{}
	case wire.Map:
		share, _ := v["share"].(float64)
		return engine.Guard{On: true, Share: share, Max: int(number(v, "max")), Hard: int(number(v, "hard")),
			Account: int(number(v, "account")), New: int(number(v, "new"))}
	}
	return engine.DefaultGuard()
}

// undoPath is where what runs destroy is kept: beside the state, unless the
// options say otherwise. An engine whose state is in memory keeps nothing.
func undoPath(u engine.Undo, kept wire.Map) (string, error) {
	dir, file := text(kept, "dir"), text(kept, "file")
	switch {
	case !u.On || u.Path == "" && dir == "":
		return "", nil
	case u.Path != "":
		return absolute(u.Path)
	case file == "" || file == state.DefaultFile:
		return filepath.Join(dir, "undo"), nil
	}
	return filepath.Join(dir, strings.TrimSuffix(file, ".db")+".undo"), nil
}

func undoOf(v any) engine.Undo {
	switch v := v.(type) {
	case bool:
		return engine.Undo{}
	case wire.Map:
		return engine.Undo{On: true, Keep: time.Duration(number(v, "days")) * 24 * time.Hour, Size: number(v, "size"), Path: text(v, "path")}
	}
	return engine.DefaultUndo()
}
