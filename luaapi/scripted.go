package luaapi

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// stopTime is how long a script may take to stop.
const stopTime = 10 * time.Second

// maker makes Lua states of the app's bundle. It is what a worker needs of the
// host to run a script.
type maker func(ctx context.Context, worker string, log *slog.Logger) (*script.State, error)

// scripted is a Store around another one, some of whose methods a class in Lua
// overrides. A method that is not overridden never enters Lua, so it does not
// wait for the script either.
type scripted struct {
	driver.Store // what super reaches
	make         maker
	worker       string
	log          *slog.Logger
	class        string
	args         wire.Value

	mu    sync.Mutex
	state *script.State // nil when closed
	inst  *script.Instance
	core  *storeCore
	over  map[string]bool
	can   endpoint.Abilities
}

var (
	_ driver.Store     = (*scripted)(nil)
	_ driver.Unwrapper = (*scripted)(nil)
)

// newScripted returns next as a class of the app changes it. It does no I/O.
func newScripted(next driver.Store, make maker, worker string, log *slog.Logger, class string, args wire.Value) *scripted {
	return &scripted{Store: next, make: make, worker: worker, log: log, class: class, args: args}
}

// Open makes the instance and its state, then opens the Store behind it.
func (s *scripted) Open(ctx context.Context) error {
	state, err := s.make(ctx, s.worker, s.log)
	if err != nil {
		return err
	}
	core := &storeCore{next: s.Store}
	var inst *script.Instance
	err = state.Do(ctx, func(L *lua.LState) (err error) {
		inst, err = state.Instantiate(L, s.class, core, s.args)
		return err
	})
	if err != nil {
		state.Close()
		return err
	}
	over := map[string]bool{}
	for _, method := range inst.Class().Overridden() {
		over[method] = true
	}
	if err := s.connect(ctx, state, inst, core, over); err != nil {
		_ = s.Store.Close()
		state.Close()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.inst, s.core, s.over = state, inst, core, over
	s.can, err = s.abilities(ctx)
	return err
}

func (s *scripted) connect(ctx context.Context, state *script.State, inst *script.Instance, core *storeCore, over map[string]bool) error {
	if !over["connect"] {
		return s.Store.Open(ctx)
	}
	err := state.Do(ctx, func(L *lua.LState) error {
		_, err := inst.Call(L, "connect", 0)
		return err
	})
	if err == nil && !core.connected {
		return s.mistake("connect", "it did not call super.connect(self), so the store is not open")
	}
	return err
}

// mistake is an error about a method that broke its contract.
func (s *scripted) mistake(method, format string, args ...any) error {
	err := fault.New(fault.Script, method+" of "+s.class, format, args...)
	err.Worker = s.worker
	return err
}

// abilities finds out what the class leaves of the abilities behind it.
func (s *scripted) abilities(ctx context.Context) (endpoint.Abilities, error) {
	can := endpoint.FindAbilities(s.Store)
	if s.over["capabilities"] {
		err := s.state.Do(ctx, func(L *lua.LState) error {
			results, err := s.inst.Call(L, "capabilities", 1)
			if err != nil {
				return err
			}
			if kept, ok := results[0].(*lua.LTable); ok {
				can = onlyAbilities(can, textsIn(kept))
			}
			return nil
		})
		if err != nil {
			return endpoint.Abilities{}, err
		}
	}
	if can.Maker != nil && s.over["create_folder"] {
		can.Maker = scriptedMaker{can.Maker, s}
	}
	if can.Remover != nil && s.over["delete_folder"] {
		can.Remover = scriptedRemover{s}
	}
	if can.Renamer != nil && s.over["rename_folder"] {
		can.Renamer = scriptedRenamer{s}
	}
	return can, nil
}

// Unwrap is where driver.As finds the abilities. It goes no further: what the
// class does not know of must not be reached around it.
func (s *scripted) Unwrap() driver.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return s.Store
	}
	if !s.over["capabilities"] && !s.over["create_folder"] && !s.over["delete_folder"] && !s.over["rename_folder"] {
		return s.Store
	}
	return s.can.Over(s, nil)
}

// Close calls stop, closes what is behind, and frees the state.
func (s *scripted) Close() error {
	s.mu.Lock()
	state, inst, over := s.state, s.inst, s.over
	s.state = nil
	s.mu.Unlock()
	var err error
	if state != nil && over["stop"] {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err = state.Do(ctx, func(L *lua.LState) error {
			_, err := inst.Call(L, "stop", 0)
			return err
		})
	}
	if closeErr := s.Store.Close(); err == nil {
		err = closeErr
	}
	if state != nil {
		state.Close()
	}
	return err
}

// overrides reports whether a method is the script's.
func (s *scripted) overrides(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != nil && s.over[method]
}

// call calls a method with what look returns after it has set the core up, and
// gives its first result to see.
func (s *scripted) call(ctx context.Context, method string, set func(L *lua.LState, c *storeCore) []lua.LValue, see func(L *lua.LState, c *storeCore, result lua.LValue) error) error {
	s.mu.Lock()
	state, inst, core := s.state, s.inst, s.core
	s.mu.Unlock()
	if state == nil {
		return fault.New(fault.Stopped, method, "the store is closed")
	}
	return state.Do(ctx, func(L *lua.LState) error {
		core.ref, core.listed, core.appending, core.appended, core.outcomes = mail.Ref{}, nil, nil, false, nil
		results, err := inst.Call(L, method, 1, set(L, core)...)
		if err != nil {
			return err
		}
		return see(L, core, results[0])
	})
}

// itemFailed reports whether an error that a script raised concerns only the
// messages it was called for.
func itemFailed(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	switch fault.CodeOf(err) {
	case fault.Script, fault.Refused, fault.NotFound, fault.Exists, fault.Unsupported, fault.BadName, fault.ReadOnly:
		return true
	}
	return false
}

func textsIn(t *lua.LTable) []string {
	var out []string
	t.ForEach(func(_, v lua.LValue) {
		if s, ok := v.(lua.LString); ok {
			out = append(out, string(s))
		}
	})
	return out
}

// scriptedMaker creates folders by the script, and subscribes them as before.
type scriptedMaker struct {
	driver.FolderMaker
	s *scripted
}

func (m scriptedMaker) CreateFolder(ctx context.Context, name string) error {
	return m.s.folderCall(ctx, "create_folder", name)
}

type scriptedRemover struct{ s *scripted }

func (r scriptedRemover) RemoveFolder(ctx context.Context, name string) error {
	return r.s.folderCall(ctx, "delete_folder", name)
}

type scriptedRenamer struct{ s *scripted }

func (r scriptedRenamer) RenameFolder(ctx context.Context, from, to string) error {
	return r.s.folderCall(ctx, "rename_folder", from, to)
}

func (s *scripted) folderCall(ctx context.Context, method string, names ...string) error {
	return s.call(ctx, method,
		func(*lua.LState, *storeCore) []lua.LValue {
			args := make([]lua.LValue, len(names))
			for i, name := range names {
				args[i] = lua.LString(name)
			}
			return args
		},
		func(*lua.LState, *storeCore, lua.LValue) error { return nil })
}

// The names of abilities for scripts.
const (
	canMake   = "create_folder"
	canRemove = "delete_folder"
	canRename = "rename_folder"
	canStamp  = "stamp"
)

func abilityNames(a endpoint.Abilities) []string {
	var out []string
	if a.Maker != nil {
		out = append(out, canMake)
	}
	if a.Remover != nil {
		out = append(out, canRemove)
	}
	if a.Renamer != nil {
		out = append(out, canRename)
	}
	if a.Stamper != nil {
		out = append(out, canStamp)
	}
	return out
}

// onlyAbilities leaves out the abilities that are not named.
func onlyAbilities(a endpoint.Abilities, names []string) endpoint.Abilities {
	if !slices.Contains(names, canMake) {
		a.Maker = nil
	}
	if !slices.Contains(names, canRemove) {
		a.Remover = nil
	}
	if !slices.Contains(names, canRename) {
		a.Renamer = nil
	}
	if !slices.Contains(names, canStamp) {
		a.Stamper = nil
	}
	return a
}
