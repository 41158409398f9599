package luaapi

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/topology"
)

// AccountState is the state of an account of an app, or of an engine of an app
// with a main function of its own.
type AccountState struct {
	Name  string
	Store *state.DB // not open; see state.DB.OpenReadOnly
}

// States finds the states of an app's accounts, those that opt names or all.
// Nothing is opened or made, and nobody is called: what a state remembers can be
// looked at without a server.
func States(ctx context.Context, opt RunOptions) ([]AccountState, error) {
	p, _, app, err := opt.declared(ctx)
	if p != nil {
		defer p.state.Close()
	}
	if err != nil {
		return nil, err
	}
	var out []AccountState
	add := func(name string, m *topology.Manager) error {
		options, _, err := state.ParseParams(m.Spec().Params)
		if err == nil && options.Dir != "" {
			out = append(out, AccountState{Name: name, Store: state.New(options)})
		}
		return err
	}
	for _, a := range p.accounts {
		if err := a.declare(); err != nil {
			return nil, inAccount(err, a.name)
		}
		for _, m := range a.managers {
			if m.Spec().Kind == state.Kind {
				if err := add(a.name, m.Manager); err != nil {
					return nil, inAccount(err, a.name)
				}
			}
		}
	}
	if len(p.accounts) > 0 {
		return out, nil
	}
	err = p.state.Do(ctx, func(L *lua.LState) error {
		main, err := app.main(L, p.state)
		if err != nil {
			return err
		}
		_, err = main.Call(L, 0, script.New(L, p))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range p.started {
		if m.Spec().Kind == state.Kind {
			if err := add(m.Name(), m); err != nil {
				return nil, err
			}
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Config, "", "%s has no state on disk", opt.App)
	}
	return out, nil
}
