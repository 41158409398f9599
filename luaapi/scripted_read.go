package luaapi

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
)

// fetchSize is the most messages that fetch is called for at once.
const fetchSize = 1000

// Folders marks the folders that list_folders leaves out.
func (s *scripted) Folders(ctx context.Context) ([]mail.Folder, error) {
	if !s.overrides("list_folders") {
		return s.Store.Folders(ctx)
	}
	var folders []mail.Folder
	var kept map[string]bool // nil: all of them
	err := s.call(ctx, "list_folders",
		func(*lua.LState, *storeCore) []lua.LValue { return nil },
		func(_ *lua.LState, c *storeCore, result lua.LValue) (err error) {
			folders = c.listed
			kept, err = s.keptFolders(result)
			return err
		})
	if err != nil {
		return nil, err
	}
	if folders == nil { // super was not called: there is nothing to compare with
		if folders, err = s.Store.Folders(ctx); err != nil {
			return nil, err
		}
	}
	for i := range folders {
		if kept != nil && !kept[folders[i].Name] {
			folders[i].Hidden = true
		}
	}
	return folders, nil
}

// keptFolders reads what list_folders returned: nil for all of them, false for
// none, or a list.
func (s *scripted) keptFolders(result lua.LValue) (map[string]bool, error) {
	switch result := result.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		if !result {
			return map[string]bool{}, nil
		}
	case *lua.LTable:
		kept := map[string]bool{}
		var bad error
		result.ForEach(func(_, v lua.LValue) {
			f, ok := script.Is[*mail.Folder](v)
			if !ok {
				bad = s.mistake("list_folders", "the list holds a %s, no folder that super.list_folders returned", v.Type())
				return
			}
			kept[f.Name] = true
		})
		return kept, bad
	}
	return nil, s.mistake("list_folders", "it returned a %s, no list of folders", result.Type())
}

// Bodies asks fetch which messages are handed out, and hands them out without
// the script.
func (s *scripted) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	if !s.overrides("fetch") {
		return s.Store.Bodies(ctx, ref, keys, fn)
	}
	var partial driver.Partial
	for part := range keys.Chunks(fetchSize) {
		chosen, edits, err := s.chosen(ctx, ref, part)
		if err != nil {
			if !itemFailed(ctx, err) {
				return err
			}
			for k := range part.All() {
				partial.Fail(k, err)
			}
			continue
		}
		if chosen.Empty() {
			continue
		}
		err = s.Store.Bodies(ctx, ref, chosen, editing(edits, fn))
		if failed, ok := driver.AsPartial(err); ok {
			for k, err := range failed.Failed {
				partial.Fail(k, err)
			}
		} else if err != nil {
			return err
		}
	}
	return partial.OrNil()
}

// chosen asks fetch about one batch.
func (s *scripted) chosen(ctx context.Context, ref mail.Ref, part mail.KeySet) (chosen mail.KeySet, edits map[mail.Key]headerEdits, err error) {
	err = s.call(ctx, "fetch",
		func(L *lua.LState, c *storeCore) []lua.LValue {
			c.ref = ref
			return []lua.LValue{lua.LString(ref.Name), keyValues(L, part), lua.LString("full")}
		},
		func(_ *lua.LState, _ *storeCore, result lua.LValue) error {
			list, ok := result.(*lua.LTable)
			switch {
			case result == lua.LNil:
				chosen = part
				return nil
			case result == lua.LFalse:
				return nil
			case !ok:
				return s.mistake("fetch", "it returned a %s, no list of messages", result.Type())
			}
			var bad error
			list.ForEach(func(_, v lua.LValue) {
				m, ok := script.Is[*message](v)
				if !ok {
					bad = s.mistake("fetch", "the list holds a %s, no message that super.fetch returned", v.Type())
					return
				}
				k := m.view.Meta.Key
				if !part.Contains(k) {
					return // nobody asked for it
				}
				chosen.Add(k)
				if !m.edits.empty() {
					if edits == nil {
						edits = map[mail.Key]headerEdits{}
					}
					edits[k] = m.edits
				}
			})
			return bad
		})
	return chosen, edits, err
}

// editing applies edits to the messages that have any, on their way to fn.
func editing(edits map[mail.Key]headerEdits, fn func(mail.Meta, mail.Body) error) func(mail.Meta, mail.Body) error {
	if len(edits) == 0 {
		return fn
	}
	return func(m mail.Meta, body mail.Body) error {
		e, ok := edits[m.Key]
		if !ok {
			return fn(m, body)
		}
		header, rest, err := splitHeader(body)
		if err != nil {
			return err
		}
		changed := withHeader(body, len(header), e.apply(header), rest)
		m.Size, changed.Altered = changed.Size, true
		return fn(m, changed)
	}
}
