package luaapi

import (
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
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
	wanted, err := a.expand(names)
	if err != nil {
		return nil, err
	}
	var out []*account
	for _, d := range a.accounts {
		if wanted == nil || slices.Contains(wanted, d.Name()) {
			out = append(out, &account{program: p, def: d, name: d.Name()})
		}
	}
	return out, nil
}

// expand replaces groups by their accounts. nil means all.
func (a *subject) expand(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	groups, _ := a.def.Options["groups"].(map[string]any)
	var out []string
	for _, name := range names {
		if members, ok := groups[name]; ok {
			out = append(out, textsOf(members)...)
			continue
		}
		if !slices.ContainsFunc(a.accounts, func(d *script.Def) bool { return d.Name() == name }) {
			return nil, fault.New(fault.Config, "", "there is no account or group %q", name).WithHint("there are: %s", a.names())
		}
		out = append(out, name)
	}
	return out, nil
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
