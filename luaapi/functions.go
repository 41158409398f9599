package luaapi

import (
	"context"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// withFunctions builds a controller that may have functions of the script. Its
// Lua state is made with the first call of one, and closed with the controller.
func (s *services) withFunctions(kind string) endpoint.ControllerBuilder {
	return func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
		fns := &functionState{make: s.newLuaState, env: env}
		store, err := endpoint.Standard(func(worker.Env) endpoint.Functions { return fns.functions() })[kind](env, o, inner)
		return &owning{store, fns}, err
	}
}

// owning closes a state together with its Store.
type owning struct {
	driver.Store
	fns *functionState
}

func (o *owning) Unwrap() driver.Store { return o.Store }

func (o *owning) Close() error {
	err := o.Store.Close()
	o.fns.close()
	return err
}

// functionState is the Lua state in which the functions of options run.
type functionState struct {
	make maker
	env  worker.Env

	mu    sync.Mutex
	state *script.State
}

func (f *functionState) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != nil {
		f.state.Close()
		f.state = nil
	}
}

// call calls a function by its id; see gets its results.
func (f *functionState) call(ctx context.Context, id string, args func(L *lua.LState) []lua.LValue, see func(results []lua.LValue) error) error {
	f.mu.Lock()
	if f.state == nil {
		state, err := f.make(ctx, f.env.Spec.Name, f.env.Log)
		if err != nil {
			f.mu.Unlock()
			return err
		}
		f.state = state
	}
	state := f.state
	f.mu.Unlock()
	fn, ok := state.Func(id)
	if !ok {
		return fault.New(fault.Internal, "call a function", "%q is not there", id)
	}
	return state.Do(ctx, func(L *lua.LState) error {
		results, err := fn.Call(L, 2, args(L)...)
		if err != nil {
			return err
		}
		return see(results)
	})
}

// functions returns the ways to call the functions of options.
func (f *functionState) functions() endpoint.Functions {
	return endpoint.Functions{
		Rename: func(id, name string) (out string, err error) {
			err = f.call(context.Background(), id,
				func(*lua.LState) []lua.LValue { return []lua.LValue{lua.LString(name)} },
				func(results []lua.LValue) error {
					s, ok := results[0].(lua.LString)
					if !ok {
						return fault.New(fault.Script, "rename", "the function returned %s for %q, no name", show(results[0]), name)
					}
					out = string(s)
					return nil
				})
			return out, err
		},
		Folder: f.selects,
		Message: func(ctx context.Context, id string, v *predicate.View) (keep bool, err error) {
			err = f.call(ctx, id,
				func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, messageOf(v))} },
				func(results []lua.LValue) error { keep = lua.LVAsBool(results[0]); return nil })
			return keep, err
		},
	}
}

// selects asks a function about a folder.
func (f *functionState) selects(ctx context.Context, id string, folder mail.Folder) (keep bool, err error) {
	err = f.call(ctx, id,
		func(L *lua.LState) []lua.LValue { return []lua.LValue{script.New(L, &folder)} },
		func(results []lua.LValue) error {
			switch results[0] {
			case lua.LTrue:
				keep = true
			case lua.LFalse, lua.LNil:
			default:
				return fault.New(fault.Script, "folders", "the function returned %s for %q, neither true nor false", show(results[0]), folder.Name)
			}
			return nil
		})
	return keep, err
}

// nearFolders hides near folders by a function that decides about far names.
func (s *services) nearFolders(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
	fns := &functionState{make: s.newLuaState, env: env}
	steps, err := naming.Decode(o["rename"])
	if err != nil {
		return nil, err
	}
	rename, err := naming.NewRename(steps, fns.functions().Rename)
	if err != nil {
		return nil, err
	}
	id := text(o, "folders_fn")
	store := endpoint.Filter(inner, endpoint.FilterOptions{Folders: func(ctx context.Context, f mail.Folder) (bool, error) {
		// What the far name is depends on the far folders, which are not known
		// here: the folder is in sight under any name it may have.
		for _, far := range rename.FarFolders(f.Name) {
			f.Name = far.Name
			if len(far.Attrs) > 0 {
				return true, nil // the far side decides: its folder may have any name
			}
			if keep, err := fns.selects(ctx, id, f); keep || err != nil {
				return keep, err
			}
		}
		return false, nil
	}})
	return &owning{store, fns}, nil
}
