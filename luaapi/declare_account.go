package luaapi

import (
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// declare makes the managers of an account: NAME.far, NAME.near, NAME.state and
// the engine between them, in the order in which they are started.
func (a *account) declare() error {
	if a.managers != nil {
		return nil
	}
	p, o := a.program, a.def.Options
	path := text(o, "state")
	if path == "" {
		var err error
		if path, err = stateFolder(a.name); err != nil {
			return err
		}
	}
	farChain, nearChain, err := accountControllers(o)
	if err != nil {
		return err
	}
	policy, err := policyOf(o)
	if err != nil {
		return err
	}
	far, err := p.declareStore(a.name+".far", storeOf(o["far"]), farChain, policy.Spares(state.Far))
	if err != nil {
		return err
	}
	near, err := p.declareStore(a.name+".near", storeOf(o["near"]), nearChain, policy.Spares(state.Near))
	if err != nil {
		return err
	}
	kept, err := p.declareState(wire.Map{"name": a.name + ".state"}, &script.Def{Kind: kindState, Options: wire.Map{"path": path}})
	if err != nil {
		return err
	}
	options := wire.Map{"name": a.name + ".sync", "account": a.name, "far": far, "near": near, "state": kept, "rename": o["rename"]}
	for _, option := range engineOptions() {
		options[option.Name] = o[option.Name]
	}
	options["folders"] = o["folders"]
	sync, err := p.declareEngine(options)
	if err != nil {
		return err
	}
	a.managers = []*manager{far, near, kept, sync}
	return nil
}

// accountControllers returns what stands between the stores of an account and
// its engine. The engine speaks near names: the far store is renamed, outside
// the patterns, which are for far names. Near folders that a function does not
// select are hidden too; for patterns the engine sees to that.
func accountControllers(o wire.Map) (far, near []endpoint.Controller, err error) {
	steps, err := renamesOf(o["rename"])
	if err != nil {
		return nil, nil, err
	}
	renames := naming.Encode(steps)
	if len(steps) > 0 {
		far = append(far, endpoint.Controller{Kind: controllerNameTrans, Options: wire.Map{"rename": renames}})
	}
	switch folders := o["folders"].(type) {
	case []any:
		far = append(far, endpoint.Controller{Kind: controllerFilter, Options: wire.Map{"folders": folders}})
	case *script.Func:
		id, err := folders.Data()
		if err != nil {
			return nil, nil, err
		}
		far = append(far, endpoint.Controller{Kind: controllerFilter, Options: wire.Map{"folders_fn": id}})
		near = append(near, endpoint.Controller{Kind: controllerNearNames, Options: wire.Map{"folders_fn": id, "rename": renames}})
	}
	return far, near, nil
}
