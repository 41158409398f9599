package luaapi

import (
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// syncApp is the app that runs a file which only has accounts.
const syncApp = "imapfw.apps.sync"

// subject is what the file of an app returned.
type subject struct {
	def      *script.Def // an app, or an account as one
	accounts []*script.Def
}

// appOf reads what the app's file returned, in the main state.
func appOf(s *script.State) (*subject, error) {
	d, ok := script.Is[*script.Def](s.Result())
	switch {
	case ok && d.Kind == kindAccount:
		return &subject{&script.Def{Kind: kindApp, At: d.At}, []*script.Def{d}}, nil
	case ok && d.Kind == kindApp:
		a := &subject{def: d}
		list, _ := d.Options["accounts"].([]any)
		for _, one := range list {
			a.accounts = append(a.accounts, one.(*script.Def))
		}
		if len(a.accounts) == 0 && d.Options["main"] == nil {
			return nil, fault.New(fault.Config, "", "%s: the app has neither accounts nor a main function", d.At)
		}
		return a, nil
	}
	return nil, fault.New(fault.Config, "", "%s returns %s, no app", s.Bundle().File(), script.TypeName(s.Result())).
		WithHint("end the file with: return api.account { ... }, or: return app")
}

// selected returns the accounts that are named, by themselves or by a group; all
// of them when none is.
func (a *subject) selected(p *program, names []string) ([]*account, error) {
	chosen := map[string]*account{}
	for _, name := range names {
		members, err := a.expand(name)
		if err != nil {
			return nil, err
		}
		folders, some := p.opt.Folders[name]
		for _, member := range members {
			one := chosen[member]
			switch {
			case one == nil:
				chosen[member] = &account{folders: folders}
			case !some || one.folders == nil: // named as a whole, too
				one.folders = nil
			default:
				one.folders = append(slices.Clip(one.folders), folders...)
			}
		}
	}
	var out []*account
	for _, d := range a.accounts {
		one := chosen[d.Name()]
		if one == nil {
			if len(names) > 0 {
				continue
			}
			one = &account{}
		}
		one.program, one.def, one.name = p, d, d.Name()
		out = append(out, one)
	}
	return out, nil
}

// expand returns the accounts that a name stands for: an account, or a group.
func (a *subject) expand(name string) ([]string, error) {
	groups, _ := a.def.Options["groups"].(map[string]any)
	if members, ok := groups[name]; ok {
		return textsOf(members), nil
	}
	if !slices.ContainsFunc(a.accounts, func(d *script.Def) bool { return d.Name() == name }) {
		known := append(a.names(), slices.Sorted(maps.Keys(groups))...)
		err := fault.New(fault.Config, "", "there is no account or group %q", name)
		if near := syntax.Nearest(name, known); near != "" {
			return nil, err.WithHint("did you mean %q? there are: %s", near, strings.Join(known, ", "))
		}
		return nil, err.WithHint("there are: %s", strings.Join(known, ", "))
	}
	return []string{name}, nil
}

func (a *subject) names() []string {
	var out []string
	for _, d := range a.accounts {
		out = append(out, d.Name())
	}
	return out
}

// main returns the function to run: the app's own, or that of the shipped app.
func (a *subject) main(L *lua.LState, s *script.State) (*script.Func, error) {
	if main, ok := a.def.Options["main"].(*script.Func); ok {
		return main, nil
	}
	value, err := requireSync(L, s)
	if err != nil {
		return nil, err
	}
	d, ok := script.Is[*script.Def](value)
	if !ok {
		return nil, fault.New(fault.Config, "", "%s returns no app", syncApp)
	}
	main, ok := d.Options["main"].(*script.Func)
	if !ok {
		return nil, fault.New(fault.Config, "", "%s has no main function", syncApp)
	}
	return main, nil
}

// requireSync requires the app that runs accounts. It is called where accounts
// are defined, so that every bundle with accounts holds it.
func requireSync(L *lua.LState, s *script.State) (lua.LValue, error) {
	results, err := s.Call(L, L.G.Global.RawGetString("require"), 1, lua.LString(syncApp))
	if err != nil {
		return nil, err
	}
	return results[0], nil
}
